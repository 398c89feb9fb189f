//! Open, sealed, closed.

use std::task::Context;

use serde_json::Value;

use super::slab::Key;
use super::types::{Effect, Timer};
use super::{Counts, Engine, InterventionStatus, Lifecycle, Status};
use crate::error::{Error, ErrorKind, Result};

/// A close that waits for what was accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    cancel_interrupts: bool,
}

/// How an execution has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) snapshot: Value,
    pub(crate) status: Status,
    pub(crate) cancelled: u64,
}

impl Engine {
    pub(crate) fn lifecycle(&self) -> Lifecycle {
        self.lifecycle
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lifecycle == Lifecycle::Closed
    }

    /// Whether nothing runs and nothing is about to. Pending interrupts do not count.
    pub(crate) fn is_idle(&self) -> bool {
        self.dispatches.is_empty() && self.work.is_empty()
    }

    pub(crate) fn status(&self) -> Status {
        if self.fatal.is_some() {
            Status::Failed
        } else if self.is_closed() {
            if self.cut {
                Status::Cancelled
            } else {
                Status::Completed
            }
        } else if self.is_idle() && !self.interrupts.is_empty() {
            Status::Waiting
        } else {
            Status::Running
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    pub(crate) fn errors(&self) -> &[Error] {
        &self.errors
    }

    pub(crate) fn state(&self, instance: Key) -> Option<&Value> {
        self.instances.get(instance).map(|found| &found.state)
    }

    pub(crate) fn root_state(&self) -> Value {
        self.state(self.root).cloned().unwrap_or_default()
    }

    /// The value that was set, or that of the last stage.
    pub(crate) fn value(&self) -> Value {
        match self.instances.get(self.root) {
            Some(root) => root.result.clone().unwrap_or_else(|| root.last.clone()),
            None => Value::Null,
        }
    }

    pub(crate) fn fatal(&self) -> Option<&Error> {
        self.fatal.as_ref()
    }

    /// Gives the fatal error to whoever asks first.
    pub(crate) fn report(&mut self) -> Option<Error> {
        let error = self.fatal.clone()?;
        self.reported = true;
        Some(error)
    }

    pub(crate) fn is_reported(&self) -> bool {
        self.reported
    }

    pub(crate) fn seal(&mut self) -> Result<()> {
        match self.lifecycle {
            Lifecycle::Closed => self.check_open("seal"),
            _ => {
                self.lifecycle = Lifecycle::Sealed;
                Ok(())
            }
        }
    }

    pub(crate) fn unseal(&mut self) -> Result<()> {
        match self.lifecycle {
            Lifecycle::Closed => self.check_open("unseal"),
            _ if self.closing.is_some() => Err(Error::new(
                ErrorKind::Sealed,
                "`unseal` was refused: the execution is closing",
            )),
            _ => {
                self.lifecycle = Lifecycle::Open;
                Ok(())
            }
        }
    }

    /// Closes it as soon as all that was accepted has run to its end.
    pub(crate) fn close(&mut self, cancel_interrupts: bool) -> Result<()> {
        if self.is_closed() {
            return Ok(());
        }
        if !cancel_interrupts {
            self.check_interrupts()?;
        }
        self.lifecycle = Lifecycle::Sealed;
        let closing = self.closing.get_or_insert(Closing { cancel_interrupts });
        closing.cancel_interrupts |= cancel_interrupts;
        self.touch();
        self.pump();
        Ok(())
    }

    /// Whether a close is still on its way.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    pub(crate) fn check_interrupts(&self) -> Result<()> {
        if self.interrupts.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self
            .interrupts
            .iter()
            .map(|paused| format!("`{}` (chunk `{}`)", paused.id, paused.chunk))
            .collect();
        Err(Error::new(
            ErrorKind::PendingInterrupts,
            format!(
                "the execution cannot close while interrupts are pending: {}; resume them, or close \
                 with `CloseOptions::new().cancel_interrupts()`",
                names.join(", ")
            ),
        ))
    }

    /// Cuts off what runs.
    pub(crate) fn cancel(&mut self) {
        if self.is_closed() {
            return;
        }
        self.cut |= !self.is_idle() || !self.interrupts.is_empty();
        self.cut_all();
        self.finalise();
    }

    /// The driver is gone.
    pub(crate) fn abandon(&mut self) {
        if !self.is_closed() {
            self.cut = true;
            self.cut_all();
            self.finalise();
        }
    }

    /// The work is done for now: is it time to close?
    pub(super) fn rest(&mut self) {
        if self.is_closed() || !self.is_idle() {
            if self.armed {
                self.touch();
            }
            return;
        }
        self.wakes.append(&mut self.waiters);
        if !self.interrupts.is_empty() {
            // It may wait for days: it keeps no room for more.
            self.work.shrink_to_fit();
            self.effects.shrink_to_fit();
            self.ready.shrink_to_fit();
        }
        if let Some(closing) = self.closing {
            if self.interrupts.is_empty() || self.fatal.is_some() {
                self.finalise();
            } else if closing.cancel_interrupts {
                self.cut = true;
                self.cut_all();
                self.finalise();
            } else {
                // It stays sealed; whoever closes is told why.
                self.closing = None;
            }
        } else if self.started && (self.fatal.is_some() || self.interrupts.is_empty()) {
            match self.rules.auto_close {
                Some(after) if self.fatal.is_some() || after.is_zero() => self.finalise(),
                Some(after) if !self.armed => {
                    self.armed = true;
                    self.effects
                        .push_back(Effect::SetTimer(Timer::AutoClose, after));
                }
                _ => {}
            }
        } else if self.armed {
            self.touch();
        }
    }

    pub(super) fn finalise(&mut self) {
        self.lifecycle = Lifecycle::Closed;
        self.closing = None;
        for intervention in &mut self.interventions {
            if intervention.status != InterventionStatus::Consumed {
                intervention.status = InterventionStatus::Expired;
            }
        }
        self.end_items();
        self.wakes.append(&mut self.waiters);
        self.wakes.extend(self.driver.take());
    }

    pub(crate) fn ended(&self) -> Ended {
        Ended {
            snapshot: self.root_state(),
            status: self.status(),
            cancelled: self.counts.cancelled,
        }
    }

    /// Wakes `cx` at the next rest or at the close.
    pub(crate) fn watch(&mut self, cx: &Context<'_>) {
        if !self.waiters.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiters.push(cx.waker().clone());
        }
    }
}
