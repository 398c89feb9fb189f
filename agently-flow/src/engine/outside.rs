//! Commands from outside of the flow.

use std::task::{Context, Poll};

use serde_json::Value;

use super::slab::Key;
use super::types::{Binding, Ctx, External, Group, Waiter};
use super::{Effect, Engine, Lifecycle, Timer};
use crate::error::{Error, ErrorKind, Result};

impl Engine {
    /// Starts it with a value.
    pub(crate) fn start(&mut self, input: Value) -> Result<()> {
        if self.lifecycle == Lifecycle::Closed {
            return Err(Error::new(
                ErrorKind::Closed,
                "the execution was closed before it was started",
            ));
        }
        if self.started {
            return Err(Error::new(
                ErrorKind::AlreadyStarted,
                "the execution was started before; create another one, or emit an event to it",
            ));
        }
        self.started = true;
        self.begin_instance(self.root, input);
        self.pump();
        Ok(())
    }

    /// The definition of the execution itself.
    pub(crate) fn definition(&self) -> std::sync::Arc<crate::definition::Definition> {
        self.definition_of(self.base(self.root).scope)
    }

    /// Whether input from outside is taken.
    pub(super) fn check_open(&self, what: &str) -> Result<()> {
        match self.lifecycle {
            Lifecycle::Closed => Err(Error::new(
                ErrorKind::Closed,
                format!("`{what}` was refused: the execution is closed"),
            )),
            _ if self.fatal.is_some() => Err(self.ended_error()),
            Lifecycle::Sealed => Err(Error::new(
                ErrorKind::Sealed,
                format!("`{what}` was refused: the execution is sealed; `unseal` it first"),
            )),
            Lifecycle::Open if !self.started => Err(Error::new(
                ErrorKind::NotStarted,
                format!("`{what}` was refused: the execution has not been started yet"),
            )),
            Lifecycle::Open => Ok(()),
        }
    }

    /// Something came from outside: the idle time begins again.
    pub(super) fn touch(&mut self) {
        if std::mem::take(&mut self.armed) {
            self.effects
                .push_back(Effect::CancelTimer(Timer::AutoClose));
        }
    }

    /// An event from outside; with a key to ask for its outcome if it is awaited and anybody
    /// heard it.
    pub(crate) fn emit(
        &mut self,
        event: &str,
        payload: Value,
        awaited: bool,
    ) -> Result<Option<Key>> {
        self.check_open("emit")?;
        self.touch();
        let base = self.base(self.root);
        if !awaited {
            self.announce(event, payload, base);
            self.pump();
            return Ok(None);
        }
        let external = self.externals.insert(External::default());
        let group = self.groups.insert(Group {
            waiter: Waiter::External(external),
            pending: 0,
            error: None,
            instance: self.root,
        });
        self.announce(event, payload, Ctx { group, ..base });
        if self
            .groups
            .get(group)
            .is_some_and(|group| group.pending == 0)
        {
            self.groups.remove(group);
            self.externals.remove(external);
            self.pump();
            return Ok(None);
        }
        self.pump();
        Ok(Some(external))
    }

    pub(crate) fn poll_external(&mut self, key: Key, cx: &Context<'_>) -> Poll<Result<()>> {
        let Some(external) = self.externals.get_mut(key) else {
            return Poll::Ready(Ok(()));
        };
        match external.outcome.take() {
            Some(outcome) => {
                self.externals.remove(key);
                Poll::Ready(outcome)
            }
            None => {
                external.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(crate) fn forget_external(&mut self, key: Key) {
        self.externals.remove(key);
    }

    pub(crate) fn emit_to_sub_flow(
        &mut self,
        frame_id: u64,
        event: &str,
        payload: Value,
    ) -> Result<()> {
        self.check_open("emit_to_sub_flow")?;
        self.touch();
        self.emit_into(frame_id, event, payload)?;
        self.pump();
        Ok(())
    }

    /// Binds a chunk that the flow knows to an event, for this execution.
    pub(crate) fn bind(&mut self, event: &str, name: &str, chunk: &str) -> Result<()> {
        if self.lifecycle == Lifecycle::Closed {
            self.check_open("on")?;
        }
        let definition = self.definition_of(self.base(self.root).scope);
        let Some(node) = definition.names.get(chunk) else {
            let known: Vec<_> = definition.names.keys().map(|n| format!("`{n}`")).collect();
            return Err(Error::new(
                ErrorKind::UnknownChunk,
                format!(
                    "no chunk named `{chunk}` is known to the flow; known are: {}. Register it with \
                     `flow.register(chunk(…))`",
                    known.join(", ")
                ),
            ));
        };
        self.bindings.retain(|binding| binding.name != name);
        self.bindings.push(Binding {
            name: name.to_owned(),
            event: event.into(),
            node: *node,
        });
        Ok(())
    }

    /// Takes a binding away; whether there was one.
    pub(crate) fn unbind(&mut self, name: &str) -> bool {
        let before = self.bindings.len();
        self.bindings.retain(|binding| binding.name != name);
        self.bindings.len() < before
    }
}
