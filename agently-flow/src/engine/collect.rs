//! Blocks with several branches at once: `for_each`, `batch`, `match_` of all hits.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::slab::Key;
use super::types::{Collection, Ctx, Frame, Origin, Resumed, Token, Work};
use super::Engine;
use crate::definition::{Definition, NodeIdx, Op};

impl Engine {
    /// Opens a collection at `token`'s stage.
    pub(super) fn open(
        &mut self,
        definition: &Arc<Definition>,
        token: &Token,
        entries: Vec<NodeIdx>,
        items: VecDeque<Value>,
        cap: usize,
        scoped: bool,
    ) {
        let end = definition
            .node(token.node)
            .and_then(|node| node.next.first().copied())
            .unwrap_or(token.node);
        let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let key = self.collections.insert(Collection {
            ctx: token.ctx,
            sequence: token.sequence,
            opener: token.node,
            end,
            entries,
            items,
            next: 0,
            total,
            done: 0,
            active: 0,
            cap,
            results: Vec::new(),
            scoped,
            resumed: VecDeque::new(),
        });
        if total == 0 {
            // Its value counts for its group as before.
            self.complete(key, token.ctx);
            return;
        }
        self.refill(key, token.ctx.group);
        // Its branches count from here on, not the collection itself.
        self.leave_group(token.ctx.group);
    }

    /// Starts branches while there is room for them. `group` is who waits for them.
    pub(super) fn refill(&mut self, key: Key, group: Key) {
        loop {
            let Some(collection) = self.collections.get_mut(key) else {
                return;
            };
            if collection.active >= collection.cap {
                return;
            }
            if let Some(resumed) = collection.resumed.pop_front() {
                self.queued = self.queued.saturating_sub(1);
                self.branch_resumes(resumed);
                continue;
            }
            let Some(value) = collection.items.pop_front() else {
                return;
            };
            collection.active += 1;
            let index = collection.next;
            collection.next += 1;
            let entry = collection
                .entries
                .get(index as usize)
                .or(collection.entries.last())
                .copied()
                .unwrap_or(collection.end);
            let (parent, scoped, sequence, opener) = (
                collection.ctx,
                collection.scoped,
                collection.sequence,
                collection.opener,
            );
            let instance = self.instance_of(parent.scope);
            let frame = self.frames.insert(Frame {
                instance,
                collection: key,
                index,
                refs: 1,
            });
            let scope = if scoped { frame } else { parent.scope };
            self.spawn(Token {
                node: entry,
                value,
                ctx: Ctx {
                    frame,
                    scope,
                    group,
                },
                origin: Origin::Stage {
                    node: opener,
                    slot: 0,
                },
                sequence,
            });
        }
    }

    /// A value has come to the end of a block.
    pub(super) fn arrive(&mut self, definition: &Arc<Definition>, token: Token) {
        let collection = self.frame(token.ctx.frame).map(|frame| frame.collection);
        let ends_here = collection
            .and_then(|key| self.collections.get(key))
            .is_some_and(|collection| collection.end == token.node);
        if ends_here {
            self.branch_done(token.ctx, token.value);
        } else {
            self.advance(definition, token);
        }
    }

    /// The branch that `ctx` is in has given its value.
    pub(super) fn branch_done(&mut self, ctx: Ctx, value: Value) {
        let Some((key, index)) = self
            .frame(ctx.frame)
            .map(|frame| (frame.collection, frame.index as usize))
        else {
            self.retire(ctx);
            return;
        };
        let Some(collection) = self.collections.get_mut(key) else {
            self.retire(ctx);
            return;
        };
        if collection.results.len() <= index {
            collection.results.resize(index + 1, Value::Null);
        }
        if let Some(place) = collection.results.get_mut(index) {
            *place = value;
        }
        collection.active = collection.active.saturating_sub(1);
        collection.done += 1;
        let complete = collection.done == collection.total;
        let parent = self.living_parent(key);
        if complete {
            self.hold_group(parent.group);
            self.complete(key, parent);
        } else {
            self.refill(key, parent.group);
            if self.collections.get(key).is_some_and(|c| c.active == 0) {
                // The others all wait, and so does the branch around them.
                self.branch_pauses(parent);
            }
        }
        self.drop_frame(ctx.frame);
        self.retire(ctx);
    }

    fn living_parent(&self, key: Key) -> Ctx {
        let ctx = self.collections.get(key).map(|collection| collection.ctx);
        match ctx {
            Some(ctx) => self.living(ctx),
            None => self.base(self.root),
        }
    }

    fn hold_group(&mut self, key: Key) {
        if let Some(group) = self.groups.get_mut(key) {
            group.pending += 1;
        }
    }

    /// All branches are done: the value goes on behind the block. `ctx` counts for its group.
    fn complete(&mut self, key: Key, ctx: Ctx) {
        let Some(collection) = self.collections.remove(key) else {
            return;
        };
        let definition = self.definition_of(ctx.scope);
        let value = match definition.node(collection.opener).map(|node| &node.op) {
            Some(Op::Batch { branches, .. }) => {
                let names = branches.iter().map(|(name, _)| name.to_string());
                Value::Object(names.zip(collection.results).collect::<Map<_, _>>())
            }
            _ => Value::Array(collection.results),
        };
        let token = Token {
            node: collection.end,
            value,
            ctx,
            origin: Origin::Stage {
                node: collection.opener,
                slot: 0,
            },
            sequence: collection.sequence,
        };
        // Not entered: the end would take it for a branch of the block around it.
        self.advance(&definition, token);
    }

    /// The branch that `ctx` is in waits for somebody: another may take its place. A collection
    /// whose branches all wait is itself a branch that waits.
    pub(super) fn branch_pauses(&mut self, ctx: Ctx) {
        let mut at = ctx.frame;
        while let Some(key) = self.frame(at).map(|frame| frame.collection) {
            if let Some(collection) = self.collections.get_mut(key) {
                collection.active = collection.active.saturating_sub(1);
            }
            self.refill(key, self.living_parent(key).group);
            match self.collections.get(key) {
                Some(collection) if collection.active == 0 => at = collection.ctx.frame,
                _ => return,
            }
        }
    }

    /// A branch that was paused as a whole runs again, now.
    pub(super) fn branch_is_back(&mut self, ctx: Ctx) {
        let mut at = ctx.frame;
        while let Some(key) = self.frame(at).map(|frame| frame.collection) {
            let Some(collection) = self.collections.get_mut(key) else {
                return;
            };
            collection.active += 1;
            if collection.active > 1 {
                return;
            }
            at = collection.ctx.frame;
        }
    }

    /// Lets a resumed branch go on as soon as its collection has room for it.
    ///
    /// Collections in which nothing else ran need room in those around them as well; the outermost
    /// of them is where it waits.
    pub(super) fn branch_resumes(&mut self, resumed: Resumed) {
        let mut at = Some(resumed.paused.ctx);
        while let Some(ctx) = at {
            let Some(key) = self.frame(ctx.frame).map(|frame| frame.collection) else {
                // Outside of blocks; inside a sub-flow of which nothing ran, so did its stage.
                at = self.paused_parent(ctx);
                continue;
            };
            let Some(collection) = self.collections.get_mut(key) else {
                break;
            };
            if collection.active >= collection.cap {
                collection.resumed.push_back(resumed);
                self.queued += 1;
                return;
            }
            at = (collection.active == 0).then_some(collection.ctx);
        }
        self.hold_group(resumed.paused.ctx.group);
        self.branch_is_back(resumed.paused.ctx);
        self.reattach(resumed.paused.ctx);
        self.go_on_from(resumed);
    }

    /// Takes a value out of the queue without running it.
    pub(super) fn drop_work(&mut self, doomed: impl Fn(&Self, &Ctx) -> bool) {
        let work = std::mem::take(&mut self.work);
        let mut kept = VecDeque::with_capacity(work.len());
        for item in work {
            match item {
                Work::Enter(token) if doomed(self, &token.ctx) => self.retire(token.ctx),
                Work::End(ctx) | Work::Fail(ctx, _) if doomed(self, &ctx) => self.retire(ctx),
                other => kept.push_back(other),
            }
        }
        // What was queued meanwhile comes behind what was there.
        kept.append(&mut self.work);
        self.work = kept;
    }
}
