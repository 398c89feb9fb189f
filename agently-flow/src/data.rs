//! What a running chunk holds of its execution.

use std::any::Any;
use std::fmt;
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use agently_api::rt::Runtime;
use agently_macros::syncify;
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::Value;

use crate::blocker::Blocker;
use crate::chunk::{Pause, ResumeTo};
use crate::definition::Trigger;
use crate::engine::{Begun, Deed, Intervention, InterventionStatus, Key, Step, Write};
use crate::error::{ChunkResult, Error, ErrorKind, Result};
use crate::path::StatePath;
use crate::shared::Shared;
use crate::values::FlowValues;

/// What a chunk gets: its input, and its hand in the execution.
///
/// A cheap clone. It is of use while its step runs; afterwards everything that would change the
/// execution is an error of kind [`StepEnded`](ErrorKind::StepEnded).
///
/// What a step does through it (emits, state writes, stream items) is recorded. When the step runs
/// again, after a retry or a load, what it had done already is recognised and not done twice, as
/// long as the step does the same things in the same order.
///
/// ```
/// use agently_flow::{ChunkResult, FlowData};
///
/// async fn count(data: FlowData) -> ChunkResult<usize> {
///     let words: Vec<String> = data.input()?;
///     data.async_set_state("words.count", words.len()).await?;
///     data.async_emit("Counted", words.len()).await?;
///     Ok(words.len())
/// }
/// ```
#[derive(Clone)]
pub struct FlowData {
    shared: Arc<Shared>,
    step: Arc<Step>,
    silent: bool,
}

impl FlowData {
    pub(crate) fn new(shared: Arc<Shared>, step: Arc<Step>) -> Self {
        Self {
            shared,
            step,
            silent: false,
        }
    }

    /// The input, read as `T`.
    ///
    /// # Errors
    ///
    /// Kind [`Type`](ErrorKind::Type) if it is no `T`.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        read(&self.step.input).map_err(|error| {
            Error::with_source(
                ErrorKind::Type,
                format!(
                    "the input of `{}` is no {}",
                    self.step.name(),
                    std::any::type_name::<T>()
                ),
                error,
            )
        })
    }

    /// The input as it is.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.step.input
    }

    /// The name of the stage.
    #[must_use]
    pub fn name(&self) -> &str {
        self.step.name()
    }

    /// The signal that this step answers: the event, the chunk before it, or the state path.
    #[must_use]
    pub fn signal(&self) -> Trigger {
        self.step.trigger()
    }

    /// The place of that signal in the execution's one order.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.step.sequence
    }

    /// Which run of this step it is, from 1: a retry and a load make it more.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.step.attempt
    }

    /// The same for every run of this step, and for no other step.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}:{}", self.shared.id, self.step.id)
    }

    /// The id of the execution.
    #[must_use]
    pub fn execution_id(&self) -> &str {
        &self.shared.id
    }

    /// What the resume brought, if this step paused with [`ResumeTo::Itself`] before.
    #[must_use]
    pub fn resume(&self) -> Option<&Value> {
        self.step.resume.as_ref()
    }

    /// Pauses the branch: `return data.pause_for(…)`.
    ///
    /// # Errors
    ///
    /// Always: the pause itself, which the chunk must return.
    pub fn pause_for(
        &self,
        kind: impl Into<String>,
        payload: impl Serialize,
        resume_to: ResumeTo,
    ) -> ChunkResult<Value> {
        let pause = Pause::new(kind)
            .payload(self.json(payload)?)
            .resume_to(resume_to);
        Err(pause.into())
    }

    /// The same, writing the state without telling its watchers.
    #[must_use]
    pub fn silent(&self) -> Self {
        Self {
            silent: true,
            ..self.clone()
        }
    }

    /// A copy of what is in the state at `path`, or nothing. The empty path is the whole state.
    ///
    /// # Errors
    ///
    /// Kind [`StatePath`](ErrorKind::StatePath) if `path` is none, [`Type`](ErrorKind::Type) if
    /// what is there is no `T`.
    pub fn get_state<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let path = StatePath::parse(path)?;
        let found = self.shared.with(|engine| {
            let state = engine.state(self.step.instance)?;
            path.get(state).map(read::<T>)
        });
        found.transpose().map_err(|error| {
            Error::with_source(
                ErrorKind::Type,
                format!("the state at `{path}` is no {}", std::any::type_name::<T>()),
                error,
            )
        })
    }

    /// Emits an event and does not wait for what follows.
    ///
    /// Errors of what follows are the execution's own.
    ///
    /// # Errors
    ///
    /// Kind [`StepEnded`](ErrorKind::StepEnded) after the end of the step,
    /// [`StepDiverged`](ErrorKind::StepDiverged) if a step that runs again did something else here.
    pub fn emit_nowait(&self, event: &str, payload: impl Serialize) -> Result<()> {
        let payload = self.json(payload)?;
        self.deed(Deed::Emit {
            event,
            payload,
            awaited: false,
        })?;
        Ok(())
    }

    /// Emits an event into a running sub-flow.
    ///
    /// # Errors
    ///
    /// Kind [`UnknownSubFlow`](ErrorKind::UnknownSubFlow) if none has that id; otherwise as
    /// [`emit_nowait`](Self::emit_nowait).
    pub fn emit_to_sub_flow(
        &self,
        frame_id: u64,
        event: &str,
        payload: impl Serialize,
    ) -> Result<()> {
        let payload = self.json(payload)?;
        self.deed(Deed::EmitInto {
            frame_id,
            event,
            payload,
        })?;
        Ok(())
    }

    /// Sets the value that the execution gives, instead of that of its last stage.
    ///
    /// # Errors
    ///
    /// As [`emit_nowait`](Self::emit_nowait), and kind [`Type`](ErrorKind::Type) if the value
    /// cannot be written as JSON.
    pub fn set_result(&self, value: impl Serialize) -> Result<()> {
        let value = self.json(value)?;
        self.deed(Deed::SetResult(value))?;
        Ok(())
    }

    /// A resource: the execution's own, or the flow's.
    #[must_use]
    pub fn resource<T: Any + Send + Sync>(&self, name: &str) -> Option<Arc<T>> {
        let found = self.shared.resources.get(name)?;
        Arc::clone(found).downcast().ok()
    }

    /// A resource that must be there.
    ///
    /// # Errors
    ///
    /// Kind [`MissingResource`](ErrorKind::MissingResource), with the names that there are.
    pub fn require_resource<T: Any + Send + Sync>(&self, name: &str) -> Result<Arc<T>> {
        if let Some(found) = self.resource(name) {
            return Ok(found);
        }
        let names: Vec<_> = self
            .shared
            .resources
            .keys()
            .map(|name| format!("`{name}`"))
            .collect();
        let what = if self.shared.resources.contains_key(name) {
            format!("resource `{name}` is no {}", std::any::type_name::<T>())
        } else {
            format!("there is no resource `{name}`")
        };
        Err(Error::new(
            ErrorKind::MissingResource,
            format!(
                "{what}; there are: {}",
                if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                }
            ),
        ))
    }

    /// Values that all executions of the flow share. Never in a snapshot.
    #[must_use]
    pub fn flow_data(&self) -> &FlowValues {
        &self.shared.values
    }

    /// Interventions that are meant for this chunk and that no chunk has dealt with.
    #[must_use]
    pub fn interventions(&self) -> Vec<Intervention> {
        self.shared.with(|engine| {
            let ledger = engine.interventions().iter();
            ledger
                .filter(|entry| entry.status == InterventionStatus::Inserted)
                .cloned()
                .collect()
        })
    }

    /// Says that an intervention has been dealt with.
    ///
    /// # Errors
    ///
    /// Kind [`UnknownIntervention`](ErrorKind::UnknownIntervention) if there is none with that id.
    pub fn consume_intervention(&self, id: u64) -> Result<()> {
        self.shared.with(|engine| engine.consume_intervention(id))
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }

    fn blocker(&self) -> Blocker {
        Blocker::new(self.shared.runtime.clone())
    }

    fn deed(&self, deed: Deed<'_>) -> Result<Begun> {
        self.shared.with(|engine| engine.deed(self.step.key, deed))
    }

    async fn settled(&self, begun: Begun) -> Result<()> {
        match begun {
            Begun::Awaited(ordinal) => {
                Settled {
                    shared: &self.shared,
                    key: self.step.key,
                    ordinal,
                    done: false,
                }
                .await
            }
            Begun::Done | Begun::Full => Ok(()),
        }
    }

    async fn write(&self, path: &str, write: Write) -> Result<()> {
        let path = StatePath::parse(path)?;
        let begun = self.deed(Deed::Write {
            path: &path,
            write,
            silent: self.silent,
        })?;
        self.settled(begun).await
    }

    fn json(&self, value: impl Serialize) -> Result<Value> {
        to_json(value, || format!("in chunk `{}`", self.step.name()))
    }
}

#[syncify(blocker = Self::blocker)]
impl FlowData {
    /// Emits an event and waits until every handler it triggered, and all that follows from them,
    /// has settled.
    ///
    /// A branch that pauses counts as settled. An event that nobody listens to settles at once.
    ///
    /// # Errors
    ///
    /// The error of a handler that failed; it is the emitter's now, and fails the execution only
    /// if the emitter returns it.
    ///
    /// # Cancel safety
    ///
    /// The event is accepted at the first poll. Dropping the future afterwards only stops the
    /// waiting: what was triggered runs on, and its errors are the execution's.
    pub async fn async_emit(&self, event: &str, payload: impl Serialize + Send) -> Result<()> {
        let payload = self.json(payload)?;
        let begun = self.deed(Deed::Emit {
            event,
            payload,
            awaited: true,
        })?;
        self.settled(begun).await
    }

    /// Replaces what is in the state at `path`, then waits for the watchers of the paths that
    /// changed.
    ///
    /// # Errors
    ///
    /// Kind [`StatePath`](ErrorKind::StatePath) if the path leads through something that is no
    /// object or list; the error of a watcher that failed.
    ///
    /// # Cancel safety
    ///
    /// As [`async_emit`](Self::async_emit).
    pub async fn async_set_state(&self, path: &str, value: impl Serialize + Send) -> Result<()> {
        let value = self.json(value)?;
        self.write(path, Write::Set(value)).await
    }

    /// Adds a value to the list at `path`; nothing there is an empty list.
    ///
    /// # Errors
    ///
    /// As [`async_set_state`](Self::async_set_state), and if there is something else than a list.
    ///
    /// # Cancel safety
    ///
    /// As [`async_emit`](Self::async_emit).
    pub async fn async_append_state(&self, path: &str, value: impl Serialize + Send) -> Result<()> {
        let value = self.json(value)?;
        self.write(path, Write::Append(value)).await
    }

    /// Takes away what is in the state at `path`.
    ///
    /// # Errors
    ///
    /// As [`async_set_state`](Self::async_set_state).
    ///
    /// # Cancel safety
    ///
    /// As [`async_emit`](Self::async_emit).
    pub async fn async_del_state(&self, path: &str) -> Result<()> {
        self.write(path, Write::Delete).await
    }

    /// Puts an item into the execution's stream. Waits while the stream is full, if it has a
    /// capacity.
    ///
    /// # Errors
    ///
    /// Kind [`Contract`](ErrorKind::Contract) if the item breaks the flow's contract; otherwise as
    /// [`emit_nowait`](Self::emit_nowait).
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped before it is ready has put nothing.
    pub async fn async_put_into_stream(&self, item: impl Serialize + Send) -> Result<()> {
        let item = self.json(item)?;
        self.shared.contract.check_item(&item)?;
        poll_fn(|cx| {
            self.shared.with(
                |engine| match engine.deed(self.step.key, Deed::Item(item.clone())) {
                    Ok(Begun::Full) => {
                        engine.watch_room(cx);
                        Poll::Pending
                    }
                    Ok(_) => Poll::Ready(Ok(())),
                    Err(error) => Poll::Ready(Err(error)),
                },
            )
        })
        .await
    }
}

impl fmt::Debug for FlowData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowData")
            .field("chunk", &self.step.name())
            .field("attempt", &self.step.attempt)
            .finish_non_exhaustive()
    }
}

/// Waits for what an awaited emit has led to.
struct Settled<'a> {
    shared: &'a Shared,
    key: Key,
    ordinal: u32,
    done: bool,
}

impl Future for Settled<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (key, ordinal) = (self.key, self.ordinal);
        let polled = self
            .shared
            .with(|engine| engine.poll_deed(key, ordinal, cx));
        self.done = polled.is_ready();
        polled
    }
}

impl Drop for Settled<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.shared
                .with(|engine| engine.abandon_deed(self.key, self.ordinal));
        }
    }
}

/// Reads a value without taking it.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> serde_json::Result<T> {
    T::deserialize(value)
}

/// Writes a value as JSON; `place` says where, for the error.
pub(crate) fn to_json(value: impl Serialize, place: impl FnOnce() -> String) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| {
        Error::with_source(
            ErrorKind::Type,
            format!(
                "a value {} cannot be written as JSON; keep live objects as resources",
                place()
            ),
            error,
        )
    })
}
