//! Flows inside flows: a sub-flow is one more instance in the same engine, so that its steps,
//! pauses and items are the execution's own.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::cancel::Doom;
use super::slab::Key;
use super::types::{Ctx, Instance, Parent, Token, Work};
use super::Engine;
use crate::definition::{CaptureFrom, Op, SubFlow, WriteFrom};
use crate::error::{Error, ErrorKind, Result};

impl Engine {
    /// A value has come to a sub-flow.
    pub(super) fn call(&mut self, child: &SubFlow, token: Token) {
        let Some(definition) = child.definition.clone() else {
            let error = Error::new(ErrorKind::Definition, "a sub-flow has no definition");
            self.work.push_back(Work::Fail(token.ctx, error));
            return;
        };
        let parent_state = self
            .instances
            .get(self.instance_of(token.ctx.scope))
            .map(|instance| &instance.state);
        let mut input = None;
        let mut state = Value::Object(Map::new());
        for (to, from) in &child.capture {
            let value = match from {
                CaptureFrom::Input(path) => path.get(&token.value),
                CaptureFrom::State(path) => parent_state.and_then(|state| path.get(state)),
            };
            let value = value.cloned().unwrap_or_default();
            if to.is_root() {
                input = Some(value);
            } else if let Err(error) = to.set(&mut state, value) {
                self.work.push_back(Work::Fail(token.ctx, error));
                return;
            }
        }
        let input = input.unwrap_or_else(|| token.value.clone());
        self.frames_made += 1;
        let parent = Parent {
            ctx: token.ctx,
            node: token.node,
            value: token.value,
            sequence: token.sequence,
            frame_id: self.frames_made,
            detached: false,
        };
        let instance = self.instance(Arc::clone(&definition), state, Some(parent));
        self.begin_instance(instance, input);
    }

    /// Sends the first value into an instance.
    pub(super) fn begin_instance(&mut self, instance: Key, input: Value) {
        let ctx = self.base(instance);
        let sequence = self.next_sequence();
        let definition = self.definition_of(ctx.scope);
        // Held until its listeners are told, so that an empty flow ends by the same way.
        self.hold(ctx);
        if let Some(start) = definition.node(0) {
            for listener in &start.listeners {
                self.tell(&definition, *listener, input.clone(), ctx, sequence);
            }
        }
        self.work.push_back(Work::Enter(Token {
            node: 0,
            value: input,
            ctx,
            origin: super::Origin::Stage { node: 0, slot: 0 },
            sequence,
        }));
    }

    /// Nothing of a sub-flow runs any more: it has ended, failed, or waits.
    pub(super) fn sub_flow_idle(&mut self, key: Key) {
        let Some(instance) = self.instances.get(key) else {
            return;
        };
        let (Some(parent), group) = (instance.parent.clone(), instance.group) else {
            return;
        };
        let error = match self.groups.get_mut(group) {
            Some(group) if group.pending > 0 => return,
            Some(group) => group.error.take(),
            None => None,
        };
        if error.is_none() && self.has_interrupts_in(key) {
            if !parent.detached {
                if let Some(parent) = self.parent_mut(key) {
                    parent.detached = true;
                }
                self.branch_pauses(parent.ctx);
                self.leave_group(parent.ctx.group);
            }
            return;
        }
        let mut ctx = self.living(parent.ctx);
        if parent.detached {
            if let Some(group) = self.groups.get_mut(ctx.group) {
                group.pending += 1;
            }
            self.branch_is_back(ctx);
        }
        let Some(child) = self.end_instance(key) else {
            return;
        };
        if let Some(error) = error {
            self.work.push_back(Work::Fail(ctx, error));
            return;
        }
        let definition = self.definition_of(ctx.scope);
        let Some(Op::SubFlow(sub_flow)) = definition.node(parent.node).map(|node| &node.op) else {
            self.retire(ctx);
            return;
        };
        let sequence = self.next_sequence();
        match self.write_back(sub_flow, child, parent.value, &mut ctx) {
            Ok(value) => self.give(&definition, parent.node, value, ctx, sequence),
            Err(error) => self.work.push_back(Work::Fail(ctx, error)),
        }
    }

    fn write_back(
        &mut self,
        sub_flow: &SubFlow,
        child: Instance,
        value: Value,
        ctx: &mut Ctx,
    ) -> Result<Value> {
        if sub_flow.write_back.is_empty() {
            return Ok(child.state);
        }
        let result = child.result.unwrap_or(child.last);
        let mut value = value;
        for (to, from) in &sub_flow.write_back {
            let found = match from {
                WriteFrom::Result(path) => path.get(&result),
                WriteFrom::Snapshot(path) => path.get(&child.state),
            };
            let found = found.cloned().unwrap_or_default();
            if to.is_root() {
                value = found;
            } else {
                let instance = self.instance_of(ctx.scope);
                self.write(instance, to, super::Write::Set(found), false, *ctx)?;
            }
        }
        Ok(value)
    }

    fn parent_mut(&mut self, key: Key) -> Option<&mut Parent> {
        self.instances.get_mut(key)?.parent.as_mut()
    }

    fn has_interrupts_in(&self, instance: Key) -> bool {
        let waits = |ctx: &Ctx| self.is_within(ctx, instance);
        self.interrupts.iter().any(|paused| waits(&paused.ctx))
            || (self.queued > 0
                && self
                    .collections
                    .iter()
                    .flat_map(|(_, collection)| &collection.resumed)
                    .any(|resumed| waits(&resumed.paused.ctx)))
    }

    /// Whether `ctx` is in an instance or in one below it.
    fn is_within(&self, ctx: &Ctx, instance: Key) -> bool {
        let mut at = self.instance_of(ctx.scope);
        loop {
            if at == instance {
                return true;
            }
            let parent = self.instances.get(at).and_then(|i| i.parent.as_ref());
            match parent {
                Some(parent) => at = self.instance_of(parent.ctx.scope),
                None => return false,
            }
        }
    }

    /// Where the sub-flow around `ctx` was called, if all of it is paused.
    pub(super) fn paused_parent(&self, ctx: Ctx) -> Option<Ctx> {
        let instance = self.instances.get(self.instance_of(ctx.scope))?;
        let parent = instance.parent.as_ref()?;
        parent.detached.then_some(parent.ctx)
    }

    /// A branch inside a sub-flow goes on: the flows around it count as running again.
    pub(super) fn reattach(&mut self, ctx: Ctx) {
        let mut at = self.instance_of(ctx.scope);
        while let Some(parent) = self.parent_mut(at) {
            let ctx = parent.ctx;
            if !std::mem::take(&mut parent.detached) {
                return;
            }
            let living = self.living(ctx);
            if let Some(parent) = self.parent_mut(at) {
                parent.ctx = living;
            }
            if let Some(group) = self.groups.get_mut(living.group) {
                group.pending += 1;
            }
            self.branch_is_back(living);
            at = self.instance_of(living.scope);
        }
    }

    /// Removes an instance with its scope and its group.
    pub(super) fn end_instance(&mut self, key: Key) -> Option<Instance> {
        let instance = self.instances.remove(key)?;
        self.frames.remove(instance.frame);
        self.forget_joins(instance.frame);
        self.groups.remove(instance.group);
        Some(instance)
    }

    fn sub_flow_by_id(&self, frame_id: u64) -> Result<Key> {
        let running = || {
            self.instances
                .iter()
                .filter_map(|(key, instance)| Some((key, instance.parent.as_ref()?.frame_id)))
        };
        if let Some((key, _)) = running().find(|(_, id)| *id == frame_id) {
            return Ok(key);
        }
        let ids: Vec<_> = running().map(|(_, id)| id.to_string()).collect();
        Err(Error::new(
            ErrorKind::UnknownSubFlow,
            format!(
                "no running sub-flow has the id {frame_id}; running are: {}",
                if ids.is_empty() {
                    "none".to_owned()
                } else {
                    ids.join(", ")
                }
            ),
        ))
    }

    /// The sub-flows that run: their ids and names.
    pub(crate) fn sub_flows(&self) -> Vec<(u64, Arc<str>)> {
        self.instances
            .iter()
            .filter_map(|(_, instance)| {
                let parent = instance.parent.as_ref()?;
                Some((parent.frame_id, Arc::clone(&instance.definition.name)))
            })
            .collect()
    }

    pub(super) fn emit_into(&mut self, frame_id: u64, event: &str, payload: Value) -> Result<()> {
        let instance = self.sub_flow_by_id(frame_id)?;
        let ctx = self.base(instance);
        self.hold(ctx);
        self.reattach(ctx);
        self.announce(event, payload, ctx);
        self.retire(ctx);
        Ok(())
    }

    /// Ends a running sub-flow; its stage fails.
    pub(crate) fn cancel_sub_flow(&mut self, frame_id: u64) -> Result<()> {
        let instance = self.sub_flow_by_id(frame_id)?;
        let error = Error::new(
            ErrorKind::Cancelled,
            format!("sub-flow {frame_id} was cancelled"),
        );
        let group = self.base(instance).group;
        if let Some(group) = self.groups.get_mut(group) {
            group.error.get_or_insert(error);
        }
        self.cut = true;
        self.cut(Doom::Instance(instance));
        self.work.push_back(Work::SubFlowIdle(instance));
        self.pump();
        Ok(())
    }
}
