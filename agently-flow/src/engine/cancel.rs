//! Failures, and what is cut off because of them.

use std::collections::VecDeque;

use super::slab::Key;
use super::types::{Ctx, Effect, Resumed, Waiter};
use super::{Engine, FailurePolicy};
use crate::error::{Error, ErrorKind};

/// What is cut off.
#[derive(Clone, Copy, Debug)]
pub(super) enum Doom {
    /// All branches of this collection.
    Collection(Key),
    /// Everything in this sub-flow.
    Instance(Key),
}

impl Engine {
    /// The branch at `ctx` has failed.
    pub(super) fn fail(&mut self, ctx: Ctx, error: Error) {
        let ctx = self.living(ctx);
        let Some((waiter, instance)) = self
            .groups
            .get(ctx.group)
            .map(|group| (group.waiter, group.instance))
        else {
            self.stop(error);
            return;
        };
        let awaited = matches!(waiter, Waiter::Step { .. } | Waiter::External(_));
        let go_on = self.rules.failure == FailurePolicy::Continue;
        if !awaited && go_on {
            self.errors.push(error);
            self.close_branch(ctx);
            return;
        }
        if matches!(waiter, Waiter::Root) {
            self.stop(error);
            return;
        }
        if let Some(group) = self.groups.get_mut(ctx.group) {
            group.error.get_or_insert(error);
        }
        if !awaited {
            // The failure of a sub-flow: nothing of it goes on.
            self.cut(Doom::Instance(instance));
        } else if !go_on {
            if let Some(collection) = self.outermost(ctx) {
                self.cut(Doom::Collection(collection));
            }
        }
        if go_on {
            self.close_branch(ctx);
        } else {
            self.retire(ctx);
        }
    }

    /// A branch ends without a value; as an item of a collection it counts as null.
    pub(super) fn close_branch(&mut self, ctx: Ctx) {
        if ctx.frame.is_none() {
            self.retire(ctx);
        } else {
            self.branch_done(ctx, serde_json::Value::Null);
        }
    }

    /// The collection around all others that `ctx` is in.
    fn outermost(&self, ctx: Ctx) -> Option<Key> {
        let mut found = None;
        let mut at = ctx.frame;
        while let Some(collection) = self.frame(at).map(|frame| frame.collection) {
            found = Some(collection);
            at = self.collections.get(collection)?.ctx.frame;
        }
        found
    }

    /// The first error that nobody caught: the execution is over, as far as running goes.
    pub(super) fn stop(&mut self, error: Error) {
        if self.fatal.is_none() {
            self.errors.push(error.clone());
            self.fatal = Some(error);
        }
        self.cut_all();
    }

    pub(super) fn cut_all(&mut self) {
        let running = self.dispatches.len();
        if running > 0 || !self.work.is_empty() || !self.collections.is_empty() {
            self.cut = true;
            self.counts.cancelled += running as u64;
        }
        self.dispatches.clear();
        self.ready.clear();
        self.resumable.clear();
        self.running = 0;
        self.work.clear();
        self.collections.clear();
        self.joins.clear();
        self.interrupts.clear();
        self.queued = 0;
        for key in self.instances.keys() {
            if key != self.root {
                self.instances.remove(key);
            }
        }
        let base = self.base(self.root);
        for key in self.frames.keys() {
            if key != base.scope {
                self.frames.remove(key);
            }
        }
        if let Some(frame) = self.frames.get_mut(base.scope) {
            frame.refs = 1;
        }
        for key in self.groups.keys() {
            if key != base.group {
                self.groups.remove(key);
            } else if let Some(group) = self.groups.get_mut(key) {
                group.pending = 0;
            }
        }
        let cancelled = self.ended_error();
        for (_, external) in self.externals.iter_mut() {
            if external.outcome.is_none() {
                external.outcome = Some(Err(cancelled.clone()));
                self.wakes.extend(external.waker.take());
            }
        }
        self.effects.clear();
        self.effects.push_back(Effect::CancelAll);
        self.armed = false;
        self.wakes.append(&mut self.waiters);
    }

    /// Why nothing goes on any more.
    pub(super) fn ended_error(&self) -> Error {
        match &self.fatal {
            Some(fatal) => Error::with_source(
                ErrorKind::Failed,
                "the execution has failed and takes nothing new",
                fatal.clone(),
            ),
            None => Error::new(
                ErrorKind::Cancelled,
                "the execution was cancelled before this was done",
            ),
        }
    }

    /// Whether `ctx` is cut off by `doom`.
    fn is_doomed(&self, doom: Doom, ctx: &Ctx) -> bool {
        let mut ctx = *ctx;
        loop {
            let up = match self.frame(ctx.frame) {
                Some(frame) if matches!(doom, Doom::Collection(key) if key == frame.collection) => {
                    return true
                }
                Some(frame) => self.collections.get(frame.collection).map(|c| c.ctx),
                None => {
                    let instance = self.instance_of(ctx.scope);
                    if matches!(doom, Doom::Instance(key) if key == instance) {
                        return true;
                    }
                    self.instances
                        .get(instance)
                        .and_then(|instance| instance.parent.as_ref())
                        .map(|parent| parent.ctx)
                }
            };
            match up {
                Some(up) => ctx = up,
                None => return false,
            }
        }
    }

    /// Cuts everything off that `doom` means.
    pub(super) fn cut(&mut self, doom: Doom) {
        // First everything that ends by it is found, then it is taken away: afterwards nobody
        // could tell any more where it belonged.
        let dispatches: Vec<_> = self
            .dispatches
            .iter()
            .filter(|(_, dispatch)| self.is_doomed(doom, &dispatch.ctx))
            .map(|(key, _)| key)
            .collect();
        let instances: Vec<_> = self
            .instances
            .iter()
            .filter(|(key, instance)| {
                matches!(doom, Doom::Instance(doomed) if doomed == *key)
                    || instance
                        .parent
                        .as_ref()
                        .is_some_and(|parent| self.is_doomed(doom, &parent.ctx))
            })
            .map(|(key, _)| key)
            .collect();
        let collections: Vec<_> = self
            .collections
            .iter()
            .filter(|(key, collection)| {
                matches!(doom, Doom::Collection(doomed) if doomed == *key)
                    || self.is_doomed(doom, &collection.ctx)
            })
            .map(|(key, _)| key)
            .collect();
        let (gone, kept) = std::mem::take(&mut self.interrupts)
            .into_iter()
            .partition(|paused: &super::Paused| self.is_doomed(doom, &paused.ctx));
        self.interrupts = kept;
        let mut resumed: Vec<Resumed> = Vec::new();
        for key in self.collections.keys() {
            if collections.contains(&key) {
                continue;
            }
            let waiting = self
                .collections
                .get_mut(key)
                .map(|c| std::mem::take(&mut c.resumed));
            let mut kept = VecDeque::new();
            for waiting in waiting.unwrap_or_default() {
                if self.is_doomed(doom, &waiting.paused.ctx) {
                    self.queued = self.queued.saturating_sub(1);
                    resumed.push(waiting);
                } else {
                    kept.push_back(waiting);
                }
            }
            if let Some(collection) = self.collections.get_mut(key) {
                collection.resumed = kept;
            }
        }
        self.drop_work(|engine, ctx| engine.is_doomed(doom, ctx));

        self.cut |= !dispatches.is_empty();
        for key in dispatches {
            if let Some(dispatch) = self.dispatches.remove(key) {
                self.counts.cancelled += 1;
                self.effects.push_back(Effect::Cancel(key));
                if dispatch.permit {
                    self.running = self.running.saturating_sub(1);
                }
                self.retire(dispatch.ctx);
            }
        }
        let gone: Vec<super::Paused> = gone;
        for paused in gone {
            self.drop_frame(paused.ctx.scope);
        }
        for waiting in resumed {
            self.drop_frame(waiting.paused.ctx.scope);
        }
        for instance in instances {
            // The one that is meant ends by its own group; those inside end here.
            if matches!(doom, Doom::Instance(doomed) if doomed == instance) {
                continue;
            }
            if let Some(parent) = self.end_instance(instance).and_then(|i| i.parent) {
                if parent.detached {
                    self.drop_frame(parent.ctx.scope);
                } else {
                    self.retire(parent.ctx);
                }
            }
        }
        for key in &collections {
            let frames: Vec<_> = self
                .frames
                .iter()
                .filter(|(_, frame)| frame.collection == *key)
                .map(|(frame, _)| frame)
                .collect();
            for frame in frames {
                self.drop_frame(frame);
            }
        }
        for key in collections {
            if let Some(collection) = self.collections.remove(key) {
                for resumed in collection.resumed {
                    self.queued = self.queued.saturating_sub(1);
                    self.drop_frame(resumed.paused.ctx.scope);
                }
                self.drop_frame(collection.ctx.scope);
            }
        }
        self.grant();
    }
}
