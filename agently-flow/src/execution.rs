//! One run of a flow, as its owner holds it.

use std::fmt;
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use agently_api::rt::Task;
use agently_macros::syncify;
use serde::Serialize;
use serde_json::Value;

use crate::blocker::{Blocker, BlockingStream};
use crate::data::to_json;
use crate::definition::mermaid;
use crate::driver::Driver;
use crate::engine::{Engine, Guidance, Key, Lifecycle, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::options::CloseOptions;
use crate::outcome::{Closed, ExecutionResult, Interrupt, Resumption};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::stream::RuntimeStream;

/// A running flow.
///
/// A cheap clone. The execution runs on its runtime by itself; dropping the last handle cancels
/// it, unless it was [detached](Self::detach).
///
/// ```
/// use agently_flow::{ChunkResult, FlowData, ResumeTo, TriggerFlow};
/// use serde_json::{json, Value};
///
/// async fn ask(data: FlowData) -> ChunkResult<Value> {
///     data.pause_for("approval", json!({ "amount": 40 }), ResumeTo::Next)
/// }
///
/// async fn commit(data: FlowData) -> ChunkResult<()> {
///     data.async_set_state("approved", data.value()).await?;
///     Ok(())
/// }
///
/// let flow = TriggerFlow::new("approval");
/// flow.to(ask).to(commit);
/// # let det = agently_testkit::det::Det::new(1);
/// # let flow = flow.with_runtime(det.runtime());
/// # let closed = det.block_on(async {
/// let execution = flow.create_execution(Default::default())?;
/// execution.async_start(()).await?;
///
/// let waiting = execution.pending_interrupts();
/// execution.continue_with(&waiting[0].id, true, None)?;
///
/// let closed = execution.async_close().await?;
/// assert_eq!(closed.snapshot["approved"], true);
/// # Ok::<_, agently_flow::Error>(())
/// # });
/// # assert!(matches!(closed, Ok(Ok(()))));
/// ```
#[derive(Clone)]
pub struct Execution {
    shared: Arc<Shared>,
    task: Arc<Running>,
}

/// The task that drives it.
struct Running(Mutex<Option<Task<()>>>);

impl Execution {
    pub(crate) fn spawn(shared: Arc<Shared>) -> Self {
        let driver = Driver::new(Arc::clone(&shared), shared.runtime.clone());
        let task = shared.runtime.spawn(driver);
        Self {
            shared,
            task: Arc::new(Running(Mutex::new(Some(task)))),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.with(|engine| engine.status())
    }

    /// Whether it takes input.
    #[must_use]
    pub fn lifecycle(&self) -> Lifecycle {
        self.shared.with(|engine| engine.lifecycle())
    }

    /// Lets it run on without a handle.
    pub fn detach(self) {
        let mut task = self.task.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.detach();
        }
    }

    /// Cuts off everything that runs and closes it, with status
    /// [`Cancelled`](Status::Cancelled).
    pub fn cancel(&self) {
        self.shared.with(Engine::cancel);
    }

    /// Emits an event from outside and does not wait for what follows.
    ///
    /// # Errors
    ///
    /// Kinds [`NotStarted`](ErrorKind::NotStarted), [`Sealed`](ErrorKind::Sealed),
    /// [`Closed`](ErrorKind::Closed) and [`Failed`](ErrorKind::Failed) say why it takes none.
    pub fn emit_nowait(&self, event: &str, payload: impl Serialize) -> Result<()> {
        let payload = json(payload)?;
        self.shared
            .with(|engine| engine.emit(event, payload, false))
            .map(drop)
    }

    /// The pauses that wait for [`continue_with`](Self::continue_with), oldest first.
    #[must_use]
    pub fn pending_interrupts(&self) -> Vec<Interrupt> {
        self.shared
            .with(|engine| engine.interrupts().iter().map(Interrupt::of).collect())
    }

    /// Brings a pause its answer; the branch goes on.
    ///
    /// With a `request_id` a second delivery of the same answer is harmless: it gives the first
    /// outcome and runs nothing.
    ///
    /// # Errors
    ///
    /// Kind [`UnknownInterrupt`](ErrorKind::UnknownInterrupt),
    /// [`InterruptResolved`](ErrorKind::InterruptResolved),
    /// [`ResumeConflict`](ErrorKind::ResumeConflict) for another payload of the same request, or
    /// why the execution takes no input.
    pub fn continue_with<'a>(
        &self,
        id: &str,
        payload: impl Serialize,
        request_id: impl Into<Option<&'a str>>,
    ) -> Result<Resumption> {
        let payload = json(payload)?;
        let request_id = request_id.into();
        let accepted = self
            .shared
            .with(|engine| engine.resume(id, payload, request_id))?;
        Ok(Resumption {
            sequence: accepted.sequence,
            repeated: accepted.repeated,
        })
    }

    /// Leaves guidance for a chunk that has not run yet; the number of its entry.
    ///
    /// With a `target` it is handed over at the intervention point of that name; without one at
    /// the next chunk, if the execution has automatic interventions.
    ///
    /// # Errors
    ///
    /// Why the execution takes no input.
    pub fn intervene<'a>(
        &self,
        payload: impl Serialize,
        target: impl Into<Option<&'a str>>,
    ) -> Result<u64> {
        let guidance = Guidance {
            payload: json(payload)?,
            target: target.into().map(str::to_owned),
        };
        self.shared.with(|engine| engine.intervene(guidance))
    }

    /// Binds a chunk that the flow knows by name to an event, for this execution. A second binding
    /// of the same `name` replaces the first.
    ///
    /// # Errors
    ///
    /// Kind [`UnknownChunk`](ErrorKind::UnknownChunk), or [`Closed`](ErrorKind::Closed).
    pub fn on(&self, event: &str, name: &str, chunk: &str) -> Result<()> {
        self.shared.with(|engine| engine.bind(event, name, chunk))
    }

    /// Takes a binding away; whether there was one.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers do not ask whether it was there"
    )]
    pub fn off(&self, name: &str) -> bool {
        self.shared.with(|engine| engine.unbind(name))
    }

    /// The sub-flows that run: their frame ids and names.
    #[must_use]
    pub fn sub_flows(&self) -> Vec<(u64, String)> {
        self.shared
            .with(|engine| engine.sub_flows())
            .into_iter()
            .map(|(id, name)| (id, name.to_string()))
            .collect()
    }

    /// Emits an event into a running sub-flow.
    ///
    /// # Errors
    ///
    /// Kind [`UnknownSubFlow`](ErrorKind::UnknownSubFlow), or why the execution takes no input.
    pub fn emit_to_sub_flow(
        &self,
        frame_id: u64,
        event: &str,
        payload: impl Serialize,
    ) -> Result<()> {
        let payload = json(payload)?;
        self.shared
            .with(|engine| engine.emit_to_sub_flow(frame_id, event, payload))
    }

    /// Ends a running sub-flow; its stage fails with kind [`Cancelled`](ErrorKind::Cancelled).
    ///
    /// # Errors
    ///
    /// Kind [`UnknownSubFlow`](ErrorKind::UnknownSubFlow).
    pub fn cancel_sub_flow(&self, frame_id: u64) -> Result<()> {
        self.shared.with(|engine| engine.cancel_sub_flow(frame_id))
    }

    /// The execution as it stands, also while chunks run.
    ///
    /// # Errors
    ///
    /// Kind [`Type`](ErrorKind::Type) if something in it cannot be written as JSON.
    pub fn save(&self) -> Result<Snapshot> {
        Snapshot::take(&self.shared)
    }

    /// A picture of it in Mermaid's language: the flow, with what ran, what runs and what waits.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let (definition, progress) = self
            .shared
            .with(|engine| (engine.definition(), engine.progress()));
        mermaid(&definition, Some(&progress))
    }

    /// What it has come to so far; after the close, for good.
    #[must_use]
    pub fn result(&self) -> ExecutionResult {
        let ended = self.shared.with(|engine| ExecutionResult {
            id: String::new(),
            status: engine.status(),
            lifecycle: engine.lifecycle(),
            state: engine.root_state(),
            value: engine.value(),
            errors: engine.errors().to_vec(),
            interventions: engine.interventions().to_vec(),
            counts: engine.counts(),
            created: self.shared.created,
        });
        ExecutionResult {
            id: self.shared.id.clone(),
            ..ended
        }
    }

    /// Starts it and does not wait.
    pub(crate) fn begin(&self, input: impl Serialize) -> Result<()> {
        let input = json(input)?;
        self.shared.contract.check_input(&input)?;
        self.shared.with(|engine| engine.start(input))
    }

    fn blocker(&self) -> Blocker {
        Blocker::new(self.shared.runtime.clone())
    }

    /// Waits until `done` gives something; asked again at each rest.
    async fn until<T>(&self, done: impl Fn(&mut Engine) -> Option<T>) -> T {
        poll_fn(|cx| {
            self.shared.with(|engine| match done(engine) {
                Some(value) => Poll::Ready(value),
                None => {
                    engine.watch(cx);
                    Poll::Pending
                }
            })
        })
        .await
    }
}

#[syncify(blocker = Self::blocker, iter = BlockingStream)]
impl Execution {
    /// Starts it and waits until nothing is left to do but for pauses; with an
    /// `auto_close_timeout`, until it has closed itself. Gives the state it has then.
    ///
    /// # Errors
    ///
    /// Kind [`AlreadyStarted`](ErrorKind::AlreadyStarted) or [`Closed`](ErrorKind::Closed); the
    /// first error of a chunk that nobody caught.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the execution. To start it and go on, use
    /// [`async_start_execution`](crate::TriggerFlow::async_start_execution).
    pub async fn async_start(&self, input: impl Serialize + Send) -> Result<Value> {
        self.begin(input)?;
        let guard = CancelOnDrop(Some(&self.shared));
        self.until(|engine| {
            let rested = engine.rules.auto_close.is_none() && engine.is_idle();
            (engine.is_closed() || engine.fatal().is_some() || rested).then_some(())
        })
        .await;
        guard.disarm();
        if let Some(error) = self.shared.with(Engine::report) {
            return Err(error);
        }
        if self.status() == Status::Cancelled {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "the execution was cancelled before it was done",
            ));
        }
        Ok(self.shared.state())
    }

    /// Emits an event from outside and waits until every handler it triggered, and all that
    /// follows from them, has settled.
    ///
    /// # Errors
    ///
    /// As [`emit_nowait`](Self::emit_nowait); the error of a handler that failed, which does not
    /// fail the execution.
    ///
    /// # Cancel safety
    ///
    /// The event is accepted at the first poll. Dropping the future afterwards only stops the
    /// waiting; errors of what follows are the execution's then.
    pub async fn async_emit(&self, event: &str, payload: impl Serialize + Send) -> Result<()> {
        let payload = json(payload)?;
        match self
            .shared
            .with(|engine| engine.emit(event, payload, true))?
        {
            Some(key) => {
                Outcome {
                    shared: &self.shared,
                    key,
                }
                .await
            }
            None => Ok(()),
        }
    }

    /// Takes no more input from outside; what was accepted, and all that follows from it, runs to
    /// its end.
    ///
    /// # Errors
    ///
    /// Kind [`Closed`](ErrorKind::Closed).
    ///
    /// # Cancel safety
    ///
    /// It is ready at its first poll.
    pub async fn async_seal(&self) -> Result<()> {
        self.shared.with(Engine::seal)
    }

    /// Takes input again.
    ///
    /// # Errors
    ///
    /// Kind [`Closed`](ErrorKind::Closed), or [`Sealed`](ErrorKind::Sealed) while it is closing.
    ///
    /// # Cancel safety
    ///
    /// It is ready at its first poll.
    pub async fn async_unseal(&self) -> Result<()> {
        self.shared.with(Engine::unseal)
    }

    /// Seals it, waits for what was accepted, and freezes it.
    ///
    /// # Errors
    ///
    /// Kind [`PendingInterrupts`](ErrorKind::PendingInterrupts), naming them; the first error of a
    /// chunk that nobody caught, unless `start` or an earlier close gave it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future only stops the waiting: the execution closes.
    pub async fn async_close(&self) -> Result<Closed> {
        self.async_close_with(CloseOptions::new()).await
    }

    /// Like [`async_close`](Self::async_close), with a deadline or with pending interrupts
    /// abandoned.
    ///
    /// # Errors
    ///
    /// As [`async_close`](Self::async_close).
    ///
    /// # Cancel safety
    ///
    /// As [`async_close`](Self::async_close).
    pub async fn async_close_with(&self, options: CloseOptions) -> Result<Closed> {
        let reported = self.shared.with(|engine| {
            engine.close(options.cancel_interrupts)?;
            Ok::<_, Error>(engine.is_reported())
        })?;
        let closed = self.until(|engine| {
            if engine.is_closed() {
                return Some(Ok(()));
            }
            (!engine.is_closing()).then(|| engine.check_interrupts())
        });
        match options.deadline {
            None => closed.await?,
            Some(limit) => match self.shared.runtime.timeout(limit, closed).await {
                Ok(closed) => closed?,
                Err(_elapsed) => self.cancel(),
            },
        }
        let error = (!reported)
            .then(|| self.shared.with(Engine::report))
            .flatten();
        if let Some(error) = error {
            return Err(error);
        }
        let (ended, value) = self.shared.with(|engine| (engine.ended(), engine.value()));
        if ended.status == Status::Completed {
            self.shared.contract.check_result(&value)?;
        }
        Ok(Closed {
            snapshot: ended.snapshot,
            status: ended.status,
            cancelled: ended.cancelled,
        })
    }

    /// Its stream items from the first on, until it closes. Any number of readers may read.
    #[syncify(iter)]
    pub fn get_async_runtime_stream(&self) -> RuntimeStream {
        RuntimeStream::new(Arc::clone(&self.shared), Some(self.clone()))
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("id", &self.shared.id)
            .finish_non_exhaustive()
    }
}

fn json(value: impl Serialize) -> Result<Value> {
    to_json(value, || "from outside".to_owned())
}

/// Cancels an execution whose start nobody waits for any more.
struct CancelOnDrop<'a>(Option<&'a Shared>);

impl CancelOnDrop<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.with(Engine::cancel);
        }
    }
}

/// Waits for what an awaited emit from outside has led to.
struct Outcome<'a> {
    shared: &'a Shared,
    key: Key,
}

impl Future for Outcome<'_> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.shared
            .with(|engine| engine.poll_external(self.key, cx))
    }
}

impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        self.shared.with(|engine| engine.forget_external(self.key));
    }
}
