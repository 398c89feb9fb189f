//! Pauses, and how they are resumed.

use serde_json::Value;

use super::slab::Key;
use super::types::{Paused, Resolution, Resumed, Token, Work};
use super::Engine;
use crate::chunk::{Pause, ResumeTo};
use crate::definition::Op;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Digest;

/// A resume that was accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    pub(crate) sequence: u64,
    pub(crate) repeated: bool,
}

impl Engine {
    /// A chunk has paused.
    pub(crate) fn paused(&mut self, key: Key, pause: Pause) {
        let Some(dispatch) = self.dispatches.remove(key) else {
            return;
        };
        self.counts.finished += 1;
        let (step, ctx) = (dispatch.step, dispatch.ctx);
        let name = step.name();
        let allowed = match step.definition.node(step.node).map(|node| &node.op) {
            Some(Op::Chunk(_, limits)) => limits.max_resumes,
            _ => 0,
        };
        let sequence = self.next_sequence();
        let id = pause.id.unwrap_or_else(|| format!("interrupt-{sequence}"));
        let refused = if step.case.is_some() {
            Some((
                ErrorKind::Definition,
                format!("a condition at `{name}` paused; only chunks can pause"),
            ))
        } else if self.rules.hidden {
            Some((
                ErrorKind::PauseInHiddenStart,
                format!(
                    "chunk `{name}` paused for `{}` in a hidden execution, which nobody could \
                     resume; run the flow with `start_execution` or `create_execution`, and keep \
                     the handle",
                    pause.kind
                ),
            ))
        } else if pause.resume_to == ResumeTo::Itself && dispatch.resumes >= allowed {
            Some((
                ErrorKind::MaxResumes,
                format!(
                    "chunk `{name}` paused itself again after {} resumes; allow more with \
                     `.max_resumes(…)`",
                    dispatch.resumes
                ),
            ))
        } else if self.interrupts.iter().any(|other| other.id == id) {
            Some((
                ErrorKind::DuplicateInterrupt,
                format!(
                    "chunk `{name}` paused with the id `{id}`, which is pending already; give \
                     each pause an id of its own, or none"
                ),
            ))
        } else {
            None
        };
        if let Some((kind, message)) = refused {
            let error = Error::new(kind, message);
            if kind == ErrorKind::PauseInHiddenStart {
                self.stop(error);
            } else {
                self.work.push_back(Work::Fail(ctx, error));
            }
        } else {
            if self.interrupts.is_empty() {
                self.interrupts.reserve_exact(1);
            }
            self.interrupts.push(Paused {
                id,
                kind: pause.kind,
                payload: pause.payload,
                chunk: name.clone(),
                resume_to: pause.resume_to,
                sequence,
                ctx,
                node: step.node,
                origin: step.origin.clone(),
                input: step.input.clone(),
                resumes: dispatch.resumes,
            });
            self.branch_pauses(ctx);
            // A pause counts as settled for whoever awaits this branch.
            self.leave_group(ctx.group);
        }
        self.release(dispatch.permit);
        self.pump();
    }

    pub(crate) fn interrupts(&self) -> &[Paused] {
        &self.interrupts
    }

    /// Brings a pending pause its answer.
    pub(crate) fn resume(
        &mut self,
        id: &str,
        payload: Value,
        request_id: Option<&str>,
    ) -> Result<Accepted> {
        let digest = Digest::of(&payload);
        let place = self.interrupts.iter().position(|paused| paused.id == id);
        if place.is_none() {
            if let Some(known) = self.resolutions.get(id) {
                return match request_id {
                    Some(request) if known.request_id.as_deref() == Some(request) => {
                        if known.payload == digest {
                            return Ok(Accepted {
                                sequence: known.sequence,
                                repeated: true,
                            });
                        }
                        Err(Error::new(
                            ErrorKind::ResumeConflict,
                            format!(
                                "interrupt `{id}` was resumed by request `{request}` with another \
                                 payload; the first one stands"
                            ),
                        ))
                    }
                    _ => Err(Error::new(
                        ErrorKind::InterruptResolved,
                        format!("interrupt `{id}` was resumed before; it can be resumed once"),
                    )),
                };
            }
        }
        self.check_open("continue_with")?;
        let Some(place) = place else {
            let pending: Vec<_> = self
                .interrupts
                .iter()
                .map(|paused| format!("`{}`", paused.id))
                .collect();
            return Err(Error::new(
                ErrorKind::UnknownInterrupt,
                format!(
                    "there is no interrupt `{id}`; pending are: {}",
                    if pending.is_empty() {
                        "none".to_owned()
                    } else {
                        pending.join(", ")
                    }
                ),
            ));
        };
        self.touch();
        let mut paused = self.interrupts.remove(place);
        let sequence = self.next_sequence();
        self.resolutions.insert(
            paused.id.clone(),
            Resolution {
                request_id: request_id.map(str::to_owned),
                payload: digest,
                sequence,
            },
        );
        paused.sequence = sequence;
        // Whoever awaited the branch has been told that it settled: it is the flow's own now.
        let base = self.base(self.instance_of(paused.ctx.scope));
        paused.ctx.group = base.group;
        self.branch_resumes(Resumed { paused, payload });
        self.pump();
        Ok(Accepted {
            sequence,
            repeated: false,
        })
    }

    /// Carries a resumed branch on.
    pub(super) fn go_on_from(&mut self, resumed: Resumed) {
        let Resumed { paused, payload } = resumed;
        let definition = self.definition_of(paused.ctx.scope);
        match paused.resume_to {
            ResumeTo::Next => self.give(
                &definition,
                paused.node,
                payload,
                paused.ctx,
                paused.sequence,
            ),
            ResumeTo::Itself => {
                let token = Token {
                    node: paused.node,
                    value: paused.input,
                    ctx: paused.ctx,
                    origin: paused.origin,
                    sequence: paused.sequence,
                };
                let resumes = paused.resumes + 1;
                self.begin(&definition, token, None, Vec::new(), Some(payload), resumes);
            }
            ResumeTo::Event(event) => {
                self.announce(&event, payload, paused.ctx);
                self.work.push_back(Work::End(paused.ctx));
            }
        }
    }
}
