//! Who still counts on a value: its group, its scope.

use super::slab::Key;
use super::types::{Ctx, Frame, Waiter, Work};
use super::Engine;
use crate::error::Error;

impl Engine {
    /// One more value on its way.
    pub(super) fn hold(&mut self, ctx: Ctx) {
        if let Some(group) = self.groups.get_mut(ctx.group) {
            group.pending += 1;
        }
        self.hold_scope(ctx.scope);
    }

    pub(super) fn hold_scope(&mut self, scope: Key) {
        if let Some(frame) = self.frames.get_mut(scope) {
            frame.refs += 1;
        }
    }

    /// A value is at its end.
    pub(super) fn retire(&mut self, ctx: Ctx) {
        self.leave_group(ctx.group);
        self.drop_frame(ctx.scope);
    }

    /// Lets go of a frame; without anybody left in it, its joins are gone.
    pub(super) fn drop_frame(&mut self, key: Key) {
        let Some(frame) = self.frames.get_mut(key) else {
            return;
        };
        frame.refs = frame.refs.saturating_sub(1);
        if frame.refs == 0 {
            self.frames.remove(key);
            self.forget_joins(key);
        }
    }

    pub(super) fn forget_joins(&mut self, scope: Key) {
        if self.joins.is_empty() {
            return;
        }
        let gone: Vec<_> = self
            .joins
            .range((scope, 0)..=(scope, u32::MAX))
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            self.joins.remove(&key);
        }
    }

    /// One value less that the group waits for.
    pub(super) fn leave_group(&mut self, key: Key) {
        let Some(group) = self.groups.get_mut(key) else {
            return;
        };
        group.pending = group.pending.saturating_sub(1);
        if group.pending == 0 {
            self.settled(key);
        }
    }

    fn settled(&mut self, key: Key) {
        let Some(group) = self.groups.get(key) else {
            return;
        };
        match group.waiter {
            Waiter::Root => {}
            Waiter::SubFlow => {
                let instance = group.instance;
                self.work.push_back(Work::SubFlowIdle(instance));
            }
            Waiter::Step { dispatch, ordinal } => {
                if let Some(group) = self.groups.remove(key) {
                    let outcome = group.error.map_or(Ok(()), Err);
                    if let Err(error) = self.settle_step(dispatch, ordinal, outcome) {
                        self.unobserved(group.instance, error);
                    }
                }
            }
            Waiter::External(external) => {
                if let Some(group) = self.groups.remove(key) {
                    match (self.externals.get_mut(external), group.error) {
                        (Some(external), error) => {
                            external.outcome = Some(error.map_or(Ok(()), Err));
                            self.wakes.extend(external.waker.take());
                        }
                        (None, Some(error)) => self.unobserved(group.instance, error),
                        (None, None) => {}
                    }
                }
            }
        }
    }

    /// An error that was meant for somebody who has gone: it must not be lost.
    pub(super) fn unobserved(&mut self, instance: Key, error: Error) {
        let ctx = self.base(instance);
        self.hold(ctx);
        self.work.push_back(Work::Fail(ctx, error));
    }

    /// The same place with a group that is still waited for.
    pub(super) fn living(&self, ctx: Ctx) -> Ctx {
        if self.groups.contains(ctx.group) {
            return ctx;
        }
        let base = self.base(self.instance_of(ctx.scope));
        Ctx {
            group: base.group,
            ..ctx
        }
    }

    pub(super) fn frame(&self, key: Key) -> Option<&Frame> {
        self.frames.get(key)
    }
}
