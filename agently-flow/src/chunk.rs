//! What runs at a stage: chunks and how they may end.

use std::any::{Any, TypeId};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use agently_api::rt::JoinErrorKind;
use agently_api::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::FlowData;
use crate::error::{ChunkError, ChunkResult, Error, ErrorKind, Failure};

/// A chunk's function with its types taken off.
pub(crate) type Handler = Arc<dyn Fn(FlowData) -> StepFuture + Send + Sync>;

/// One run of a handler.
pub(crate) type StepFuture = BoxFuture<'static, ChunkResult<Value>>;

/// A function that may stand at a stage of a flow, with its name and limits.
///
/// [`chunk`] makes a named one of an async function or closure, [`chunk_blocking`] of one that
/// blocks. A clone is the same chunk: the same wiring declared twice with clones is one edge.
///
/// ```
/// use std::time::Duration;
/// use agently_flow::{chunk, FlowData, RetryPolicy, TriggerFlow};
///
/// let flow = TriggerFlow::new("report");
/// flow.to(
///     chunk("fetch", |data: FlowData| async move { Ok(data.input::<String>()?) })
///         .timeout(Duration::from_secs(30))
///         .retry(RetryPolicy::new(3)),
/// );
/// ```
#[derive(Clone)]
pub struct Chunk {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) source: Source,
    pub(crate) limits: Limits,
}

/// Where a chunk's function is.
#[derive(Clone)]
pub(crate) enum Source {
    Own(Handler, Identity),
    /// A chunk of this name is known to the flow.
    Named(Arc<str>),
}

/// What tells two functions apart within this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A function without captured values is its type.
    Type(TypeId),
    /// A closure with captured values is its place in memory.
    Place(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) max_resumes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: None,
            retry: None,
            max_resumes: 1,
        }
    }
}

/// Names an async function or closure for [`to`](crate::TriggerFlow::to).
#[must_use]
pub fn chunk<F, Fut, T>(name: impl Into<Arc<str>>, function: F) -> Chunk
where
    F: Fn(FlowData) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ChunkResult<T>> + Send + 'static,
    T: Serialize + Send + 'static,
{
    Chunk::new(function).named(name)
}

/// Names a function that blocks; it runs on a thread where that is allowed.
#[must_use]
pub fn chunk_blocking<F, T>(name: impl Into<Arc<str>>, function: F) -> Chunk
where
    F: Fn(FlowData) -> ChunkResult<T> + Send + Sync + 'static,
    T: Serialize + Send + 'static,
{
    Chunk::blocking(function).named(name)
}

impl Chunk {
    /// An unnamed chunk of an async function or closure.
    #[must_use]
    pub fn new<F, Fut, T>(function: F) -> Self
    where
        F: Fn(FlowData) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ChunkResult<T>> + Send + 'static,
        T: Serialize + Send + 'static,
    {
        Self::own::<F>(Arc::new(move |data| {
            let run = function(data);
            Box::pin(async move { to_value(run.await?) })
        }))
    }

    /// An unnamed chunk of a function that blocks; it runs on a thread where that is allowed.
    #[must_use]
    pub fn blocking<F, T>(function: F) -> Self
    where
        F: Fn(FlowData) -> ChunkResult<T> + Send + Sync + 'static,
        T: Serialize + Send + 'static,
    {
        let function = Arc::new(function);
        Self::own::<F>(Arc::new(move |data| {
            let function = Arc::clone(&function);
            let runtime = data.runtime().clone();
            let task = runtime.spawn_blocking(move || function(data).and_then(to_value));
            Box::pin(async move {
                task.await.unwrap_or_else(|error| {
                    Err(ChunkError::failed(match error.kind() {
                        JoinErrorKind::Panicked => Failure::Panic(
                            error
                                .to_string()
                                .strip_prefix("the task panicked: ")
                                .map(str::to_owned),
                        ),
                        _ => Failure::Refused(Box::new(error)),
                    }))
                })
            })
        }))
    }

    fn own<F: 'static>(handler: Handler) -> Self {
        let identity = if size_of::<F>() == 0 {
            Identity::Type(TypeId::of::<F>())
        } else {
            Identity::Place(Arc::as_ptr(&handler).cast::<()>() as usize)
        };
        Self {
            name: None,
            source: Source::Own(handler, identity),
            limits: Limits::default(),
        }
    }

    /// Gives it a name. Within one flow, names are given once.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Limits each run of it. A run that takes longer is dropped and counts as failed.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limits.timeout = Some(limit);
        self
    }

    /// Runs it again after a failure.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.limits.retry = Some(policy);
        self
    }

    /// How often one run of it may pause with [`ResumeTo::Itself`] (default: 1).
    #[must_use]
    pub fn max_resumes(mut self, times: u32) -> Self {
        self.limits.max_resumes = times;
        self
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A chunk's output as JSON. A value that is JSON already is moved.
fn to_value<T: Serialize + 'static>(value: T) -> ChunkResult<Value> {
    let mut value = Some(value);
    if let Some(json) = (&mut value as &mut dyn Any).downcast_mut::<Option<Value>>() {
        return Ok(json.take().unwrap_or_default());
    }
    serde_json::to_value(&value).map_err(|error| {
        Error::with_source(
            ErrorKind::Type,
            "what the chunk returned cannot be written as JSON; keep live objects as resources",
            error,
        )
        .into()
    })
}

/// What [`to`](crate::TriggerFlow::to) takes: an async function or closure, a [`Chunk`], or the
/// name of a chunk that the flow knows.
///
/// `M` only keeps the cases apart; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand at a stage of a flow",
    label = "not a chunk",
    note = "a chunk is `async fn(FlowData) -> ChunkResult<T>` with `T: Serialize`, or a closure `|data: FlowData| async move {{ … }}` that returns the same",
    note = "for a function that blocks, use `to_blocking`; to give it a name, use `chunk(\"name\", function)`"
)]
pub trait IntoChunk<M> {
    /// The chunk.
    fn into_chunk(self) -> Chunk;
}

impl IntoChunk<()> for Chunk {
    fn into_chunk(self) -> Chunk {
        self
    }
}

/// Marks a name where a chunk is wanted.
#[derive(Clone, Copy, Debug)]
pub struct ByName;

impl IntoChunk<ByName> for &str {
    fn into_chunk(self) -> Chunk {
        Chunk {
            name: None,
            source: Source::Named(self.into()),
            limits: Limits::default(),
        }
    }
}

impl<F, Fut, T> IntoChunk<(Fut, T)> for F
where
    F: Fn(FlowData) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ChunkResult<T>> + Send + 'static,
    T: Serialize + Send + 'static,
{
    fn into_chunk(self) -> Chunk {
        Chunk::new(self)
    }
}

/// How often a failed chunk is run again, and after which delay.
///
/// The delay doubles from try to try: without further settings 100 ms, 200 ms, 400 ms and so on,
/// up to 10 s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    tries: u32,
    first: Duration,
    longest: Duration,
}

impl RetryPolicy {
    /// At most `tries` runs, the first one included.
    #[must_use]
    pub fn new(tries: u32) -> Self {
        Self {
            tries,
            first: Duration::from_millis(100),
            longest: Duration::from_secs(10),
        }
    }

    /// The delay before the second run.
    #[must_use]
    pub fn delay(mut self, first: Duration) -> Self {
        self.first = first;
        self
    }

    /// No delay grows longer than this.
    #[must_use]
    pub fn longest_delay(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// The delay after `failures` failed runs; `None` when there are no tries left.
    pub(crate) fn after(&self, failures: u32) -> Option<Duration> {
        if failures >= self.tries {
            return None;
        }
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        Some(self.first.saturating_mul(doubled).min(self.longest))
    }
}

/// Where a paused branch goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResumeTo {
    /// What the resume brings is the chunk's output, and the next stage's input.
    #[default]
    Next,
    /// The chunk runs again, with the same input and [`FlowData::resume`].
    Itself,
    /// What the resume brings is emitted as this event; the chunk's own chain ends.
    Event(String),
}

/// How a chunk says that its branch has to wait for somebody outside.
///
/// A chunk returns it as its error: `Err(Pause::new("approval").into())`. The pause happens when
/// the chunk returns.
#[derive(Clone, Debug)]
pub struct Pause {
    pub(crate) kind: String,
    pub(crate) payload: Value,
    pub(crate) resume_to: ResumeTo,
    pub(crate) id: Option<String>,
}

impl Pause {
    /// A pause of this kind, with nothing to say, that resumes to [`ResumeTo::Next`].
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            payload: Value::Null,
            resume_to: ResumeTo::Next,
            id: None,
        }
    }

    /// What whoever resumes needs to know.
    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }

    /// Where the branch goes on.
    #[must_use]
    pub fn resume_to(mut self, resume_to: ResumeTo) -> Self {
        self.resume_to = resume_to;
        self
    }

    /// The interrupt's id; made up if not given.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }
}
