//! What a running step does inside the execution, recorded by ordinal: when the step runs again,
//! what it had done already is recognised and not done twice.

use std::task::{Context, Poll};

use serde_json::Value;

use super::slab::Key;
use super::types::{Ctx, Done, Group, Waiter};
use super::{Engine, Write};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Digest;
use crate::path::StatePath;

/// Something a step does.
#[derive(Clone, Debug)]
pub(crate) enum Deed<'a> {
    Emit {
        event: &'a str,
        payload: Value,
        awaited: bool,
    },
    Write {
        path: &'a StatePath,
        write: Write,
        silent: bool,
    },
    Item(Value),
    /// An event into a running sub-flow.
    EmitInto {
        frame_id: u64,
        event: &'a str,
        payload: Value,
    },
    SetResult(Value),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It is done.
    Done,
    /// It is done when what followed from it has settled.
    Awaited(u32),
    /// The stream is full.
    Full,
}

impl Deed<'_> {
    fn digest(&self) -> u64 {
        let mut digest = Digest::new();
        match self {
            Deed::Emit {
                event,
                payload,
                awaited,
            } => {
                digest.text(if *awaited { "emit" } else { "emit_nowait" });
                digest.text(event);
                digest.value(payload);
            }
            Deed::Write {
                path,
                write,
                silent,
            } => {
                digest.text(if *silent { "silent" } else { "write" });
                digest.text(&path.to_string());
                match write {
                    Write::Set(value) => {
                        digest.text("set");
                        digest.value(value);
                    }
                    Write::Append(value) => {
                        digest.text("append");
                        digest.value(value);
                    }
                    Write::Delete => digest.text("delete"),
                }
            }
            Deed::Item(item) => {
                digest.text("item");
                digest.value(item);
            }
            Deed::EmitInto {
                frame_id,
                event,
                payload,
            } => {
                digest.text("emit_into");
                digest.bytes(&frame_id.to_le_bytes());
                digest.text(event);
                digest.value(payload);
            }
            Deed::SetResult(value) => {
                digest.text("set_result");
                digest.value(value);
            }
        }
        digest.finish()
    }

    fn in_words(&self) -> String {
        match self {
            Deed::Emit { event, .. } | Deed::EmitInto { event, .. } => {
                format!("an emit of `{event}`")
            }
            Deed::Write { path, .. } => format!("a write to the state at `{path}`"),
            Deed::Item(_) => "a stream item".to_owned(),
            Deed::SetResult(_) => "a result".to_owned(),
        }
    }
}

impl Engine {
    /// A running step does something. Once per ordinal, however often the step runs.
    pub(crate) fn deed(&mut self, key: Key, deed: Deed<'_>) -> Result<Begun> {
        if matches!(&deed, Deed::Item(_)) && self.items.is_full(self.rules.stream_capacity) {
            let replayed = self
                .dispatches
                .get(key)
                .is_some_and(|d| (d.cursor as usize) < d.effects.len());
            if self.dispatches.contains(key) && !replayed {
                return Ok(Begun::Full);
            }
        }
        let digest = deed.digest();
        let Some(dispatch) = self.dispatches.get_mut(key) else {
            return Err(self.step_ended());
        };
        let ordinal = dispatch.cursor;
        dispatch.cursor += 1;
        if let Some(done) = dispatch.effects.get_mut(ordinal as usize) {
            if done.digest != digest {
                return Err(Error::new(
                    ErrorKind::StepDiverged,
                    format!(
                        "chunk `{}` ran again and did something else: its effect number {} was \
                         another one than {}; let what a step does depend on its input only",
                        dispatch.step.name(),
                        ordinal + 1,
                        deed.in_words(),
                    ),
                ));
            }
            if !done.awaited {
                return Ok(Begun::Done);
            }
            done.abandoned = false;
            if done.outcome.is_none() {
                self.lend(key, ordinal);
            }
            return Ok(Begun::Awaited(ordinal));
        }
        let ctx = dispatch.ctx;
        let instance = dispatch.step.instance;
        let mut awaited = false;
        let mut group = Key::NONE;
        match deed {
            Deed::Emit {
                event,
                payload,
                awaited: wanted,
            } => {
                let place = if wanted {
                    group = self.awaited_group(key, ordinal, instance);
                    Ctx { group, ..ctx }
                } else {
                    Ctx {
                        group: self.base(instance).group,
                        ..ctx
                    }
                };
                awaited = self.announce(event, payload, place) && wanted;
            }
            Deed::Write {
                path,
                write,
                silent,
            } => {
                group = self.awaited_group(key, ordinal, instance);
                match self.write(instance, path, write, silent, Ctx { group, ..ctx }) {
                    Ok(told) => awaited = told,
                    Err(error) => {
                        self.groups.remove(group);
                        // It did nothing, so there is nothing to recognise.
                        if let Some(dispatch) = self.dispatches.get_mut(key) {
                            dispatch.cursor -= 1;
                        }
                        return Err(error);
                    }
                }
            }
            Deed::Item(item) => self.put_item(item),
            Deed::EmitInto {
                frame_id,
                event,
                payload,
            } => {
                if let Err(error) = self.emit_into(frame_id, event, payload) {
                    if let Some(dispatch) = self.dispatches.get_mut(key) {
                        dispatch.cursor -= 1;
                    }
                    return Err(error);
                }
            }
            Deed::SetResult(value) => {
                if let Some(instance) = self.instances.get_mut(instance) {
                    instance.result = Some(value);
                }
            }
        }
        // A join that took the value and waits for more leaves nothing to wait for.
        let pending = self
            .groups
            .get(group)
            .is_some_and(|group| group.pending > 0);
        if !pending {
            self.groups.remove(group);
        }
        awaited &= pending;
        if let Some(dispatch) = self.dispatches.get_mut(key) {
            dispatch.effects.push(Done {
                digest,
                awaited,
                outcome: None,
                abandoned: false,
                waiting: false,
            });
        }
        if awaited {
            self.lend(key, ordinal);
        }
        self.pump();
        Ok(if awaited {
            Begun::Awaited(ordinal)
        } else {
            Begun::Done
        })
    }

    fn awaited_group(&mut self, dispatch: Key, ordinal: u32, instance: Key) -> Key {
        self.groups.insert(Group {
            waiter: Waiter::Step { dispatch, ordinal },
            pending: 0,
            error: None,
            instance,
        })
    }

    /// The step waits from now on, and lends its permit meanwhile.
    fn lend(&mut self, key: Key, ordinal: u32) {
        let Some(dispatch) = self.dispatches.get_mut(key) else {
            return;
        };
        if let Some(done) = dispatch.effects.get_mut(ordinal as usize) {
            done.waiting = true;
        }
        dispatch.awaiting += 1;
        let permit = std::mem::take(&mut dispatch.permit);
        self.release(permit);
    }

    /// What an awaited emit of a step has led to. An error nobody waits for is given back.
    pub(super) fn settle_step(
        &mut self,
        key: Key,
        ordinal: u32,
        outcome: Result<()>,
    ) -> Result<()> {
        let Some(dispatch) = self.dispatches.get_mut(key) else {
            return outcome;
        };
        let Some(done) = dispatch.effects.get_mut(ordinal as usize) else {
            return outcome;
        };
        if done.abandoned {
            done.outcome = Some(Ok(()));
            return outcome;
        }
        done.outcome = Some(outcome);
        if !std::mem::take(&mut done.waiting) {
            return Ok(());
        }
        dispatch.awaiting = dispatch.awaiting.saturating_sub(1);
        if dispatch.awaiting > 0 || dispatch.permit {
            // It goes on with the others still out: it lends its permit until the last.
            if let Some(at) = dispatch.wakers.iter().position(|(o, _)| *o == ordinal) {
                let (_, waker) = dispatch.wakers.swap_remove(at);
                self.wakes.push(waker);
            }
        } else {
            self.resumable.push_back(key);
            self.grant();
        }
        Ok(())
    }

    /// Asks for the outcome of an awaited emit.
    pub(crate) fn poll_deed(
        &mut self,
        key: Key,
        ordinal: u32,
        cx: &Context<'_>,
    ) -> Poll<Result<()>> {
        let Some((dispatch, done)) = self.dispatches.get_mut(key).and_then(|dispatch| {
            let done = dispatch.effects.get(ordinal as usize)?.clone();
            Some((dispatch, done))
        }) else {
            return Poll::Ready(Err(self.step_ended()));
        };
        match &done.outcome {
            Some(outcome) if dispatch.permit || dispatch.awaiting > 0 => {
                Poll::Ready(outcome.clone())
            }
            _ => {
                dispatch.wakers.retain(|(other, _)| *other != ordinal);
                dispatch.wakers.push((ordinal, cx.waker().clone()));
                Poll::Pending
            }
        }
    }

    /// A step stops waiting for an emit before its end, and goes on.
    pub(crate) fn abandon_deed(&mut self, key: Key, ordinal: u32) {
        let Some(dispatch) = self.dispatches.get_mut(key) else {
            return;
        };
        dispatch.wakers.retain(|(other, _)| *other != ordinal);
        let Some(done) = dispatch.effects.get_mut(ordinal as usize) else {
            return;
        };
        done.abandoned = true;
        if std::mem::take(&mut done.waiting) {
            dispatch.awaiting = dispatch.awaiting.saturating_sub(1);
        }
        if dispatch.awaiting == 0 && !dispatch.permit {
            // It runs already: its permit is taken back at once.
            dispatch.permit = true;
            self.running += 1;
        }
        self.pump();
    }

    fn step_ended(&self) -> Error {
        if self.fatal.is_some() || self.cut {
            return self.ended_error();
        }
        Error::new(
            ErrorKind::StepEnded,
            "the data of a step was used after the step had ended; finish what a chunk does before \
             it returns",
        )
    }
}
