//! Signals: events, joins, state writes.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::slab::Key;
use super::types::{Ctx, Origin, Token};
use super::Engine;
use crate::definition::{Definition, Join, Listener};
use crate::error::Result;
use crate::path::StatePath;

/// A write to the state.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Set(Value),
    Append(Value),
    Delete,
}

impl Engine {
    /// Tells everybody who listens to `event`. Whether there was anybody.
    pub(super) fn announce(&mut self, event: &str, payload: Value, ctx: Ctx) -> bool {
        let sequence = self.next_sequence();
        let definition = self.definition_of(ctx.scope);
        let listeners = definition.events.get(event).map_or(&[][..], Vec::as_slice);
        let bound: Vec<_> = if self.instance_of(ctx.scope) == self.root {
            let bindings = self
                .bindings
                .iter()
                .filter(|binding| *binding.event == *event);
            bindings
                .map(|binding| (binding.node, Arc::clone(&binding.event)))
                .collect()
        } else {
            Vec::new()
        };
        if listeners.is_empty() && bound.is_empty() {
            self.counts.unheard += 1;
            return false;
        }
        let ctx = ctx.outside();
        for (node, event) in bound {
            self.spawn(Token {
                node,
                value: payload.clone(),
                ctx,
                origin: Origin::Bound(event),
                sequence,
            });
        }
        if let Some((last, others)) = listeners.split_last() {
            for listener in others {
                self.tell(&definition, *listener, payload.clone(), ctx, sequence);
            }
            self.tell(&definition, *last, payload, ctx, sequence);
        }
        true
    }

    /// Gives a signal's value to one listener. `ctx` is outside of blocks.
    pub(super) fn tell(
        &mut self,
        definition: &Arc<Definition>,
        listener: Listener,
        value: Value,
        ctx: Ctx,
        sequence: u64,
    ) {
        match listener {
            Listener::Stage { node, slot } => {
                let origin = Origin::Stage { node, slot };
                self.spawn(Token {
                    node,
                    value,
                    ctx,
                    origin,
                    sequence,
                });
            }
            Listener::Join { join, slot } => {
                if let Some(object) = self.put(definition, join, slot, value, ctx.scope) {
                    self.fire(definition, join, &object, ctx, sequence);
                }
            }
        }
    }

    /// Puts a value into a join; gives the whole once it is complete.
    fn put(
        &mut self,
        definition: &Definition,
        join: u32,
        slot: u32,
        value: Value,
        scope: Key,
    ) -> Option<Value> {
        let spec = definition.joins.get(join as usize)?;
        let slots = self
            .joins
            .entry((scope, join))
            .or_insert_with(|| spec.slots.iter().map(|_| VecDeque::new()).collect());
        let queue = slots.get_mut(slot as usize)?;
        if spec.mode == Join::Latest {
            queue.clear();
        }
        queue.push_back(value);
        if slots.iter().any(VecDeque::is_empty) {
            return None;
        }
        let values: Vec<_> = slots.iter_mut().filter_map(VecDeque::pop_front).collect();
        if slots.iter().all(VecDeque::is_empty) {
            self.joins.remove(&(scope, join));
        }
        let names = spec.slots.iter().cloned();
        Some(Value::Object(names.zip(values).collect::<Map<_, _>>()))
    }

    fn fire(
        &mut self,
        definition: &Arc<Definition>,
        join: u32,
        object: &Value,
        ctx: Ctx,
        sequence: u64,
    ) {
        let Some(spec) = definition.joins.get(join as usize) else {
            return;
        };
        for stage in &spec.stages {
            self.hold(ctx);
            let origin = Origin::Stage {
                node: *stage,
                slot: 0,
            };
            self.advance(
                definition,
                Token {
                    node: *stage,
                    value: object.clone(),
                    ctx,
                    origin,
                    sequence,
                },
            );
        }
        for listener in &spec.listeners {
            // A join that waits for a join: the definition is finite, and so is this.
            self.tell(definition, *listener, object.clone(), ctx, sequence);
        }
    }

    /// A chain has come to a `collect`.
    pub(super) fn fill(
        &mut self,
        definition: &Arc<Definition>,
        token: Token,
        join: u32,
        slot: u32,
    ) {
        let ctx = token.ctx.outside();
        if let Some(object) = self.put(definition, join, slot, token.value, ctx.scope) {
            self.fire(definition, join, &object, ctx, token.sequence);
        }
        self.retire(token.ctx);
    }

    /// Writes to an instance's state and tells its watchers. Whether there were any.
    pub(super) fn write(
        &mut self,
        instance: Key,
        path: &StatePath,
        write: Write,
        silent: bool,
        ctx: Ctx,
    ) -> Result<bool> {
        let Some(found) = self.instances.get_mut(instance) else {
            return Ok(false);
        };
        let definition = Arc::clone(&found.definition);
        // Only what somebody watches is worth comparing.
        let watched: Vec<_> = definition
            .watchers
            .iter()
            .filter(|(watched, _)| {
                !silent && (watched.below(path).is_some() || path.below(watched).is_some())
            })
            .collect();
        let before = (!watched.is_empty()).then(|| path.get(&found.state).cloned());
        match write {
            Write::Set(value) => path.set(&mut found.state, value)?,
            Write::Append(value) => path.append(&mut found.state, value)?,
            Write::Delete => {
                path.remove(&mut found.state);
            }
        }
        let Some(before) = before else {
            if !silent {
                self.next_sequence();
            }
            return Ok(false);
        };
        let after = path.get(&found.state).cloned();
        let mut told = Vec::new();
        for (watched, listener) in watched {
            let changed = if watched == path {
                true
            } else if watched.below(path).is_some() {
                before != after
            } else {
                let below = path.below(watched).unwrap_or_default();
                let old = before.as_ref().and_then(|value| below.get(value));
                let new = after.as_ref().and_then(|value| below.get(value));
                old != new
            };
            if changed {
                let value = watched.get(&found.state).cloned().unwrap_or_default();
                told.push((*listener, value));
            }
        }
        let sequence = self.next_sequence();
        let ctx = ctx.outside();
        let any = !told.is_empty();
        for (listener, value) in told {
            self.tell(&definition, listener, value, ctx, sequence);
        }
        Ok(any)
    }
}
