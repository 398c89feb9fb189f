use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use agently_api::rt::BlockingInAsync;
use serde::{Deserialize, Serialize};

use crate::chunk::Pause;

/// A `Result` with the flow's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a chunk's function returns.
pub type ChunkResult<T> = std::result::Result<T, ChunkError>;

/// A flow could not be defined, run, saved or loaded, or one of its chunks failed.
///
/// `Display` prints this level; [`source`](StdError::source) has the levels below. It is a cheap
/// clone, because everybody who waits for an execution gets the same error.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    chunk: Option<Arc<str>>,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The flow's definition has a fault; nothing ran.
    Definition,
    /// The flow has no runtime; nothing ran.
    NoRuntime,
    /// The execution was started before.
    AlreadyStarted,
    /// The execution has not been started yet.
    NotStarted,
    /// The execution takes no input from outside: it is sealed.
    Sealed,
    /// The execution is closed.
    Closed,
    /// The execution was cancelled, or the work was.
    Cancelled,
    /// The execution has failed and takes nothing new.
    Failed,
    /// A chunk or a condition returned an error.
    Chunk,
    /// A chunk or a condition panicked.
    Panic,
    /// A chunk took longer than its time limit.
    Timeout,
    /// A hidden execution reached a pause, which nobody could ever resume.
    PauseInHiddenStart,
    /// A chunk paused itself more often than its `max_resumes` allows.
    MaxResumes,
    /// Two pending interrupts would have the same id.
    DuplicateInterrupt,
    /// No such interrupt was ever made.
    UnknownInterrupt,
    /// The interrupt was resumed before.
    InterruptResolved,
    /// The same resume request came again with another payload.
    ResumeConflict,
    /// The execution cannot close while interrupts are pending.
    PendingInterrupts,
    /// A state path cannot be read or written as asked.
    StatePath,
    /// A value does not fit the Rust type or cannot be turned into JSON.
    Type,
    /// A required resource is not there, or has another type.
    MissingResource,
    /// No chunk of that name is known.
    UnknownChunk,
    /// No running sub-flow has that id.
    UnknownSubFlow,
    /// No intervention has that id.
    UnknownIntervention,
    /// The data of a step was used after the step had ended.
    StepEnded,
    /// A step that ran again did something else than the first time.
    StepDiverged,
    /// A reader's own time limit was reached.
    ReadTimeout,
    /// A reader came too late to a stream with a capacity: items are gone.
    StreamLagged,
    /// The snapshot was written by an unknown version.
    SnapshotVersion,
    /// The snapshot is damaged.
    SnapshotDamaged,
    /// The snapshot belongs to another definition.
    DefinitionChanged,
    /// A value broke the flow's contract.
    Contract,
    /// A blocking call was made inside an async task.
    BlockingInAsync,
}

impl ErrorKind {
    /// The kind of a chunk's failure, when the chunk hands this one on.
    fn of_chunk(self) -> Self {
        match self {
            // What the chunk did wrong in its own execution.
            Self::StepDiverged
            | Self::StatePath
            | Self::Type
            | Self::MissingResource
            | Self::Contract => self,
            _ => Self::Chunk,
        }
    }
}

impl Error {
    pub(crate) fn blocking_in_async(twin: &str) -> Self {
        Self::new(
            ErrorKind::BlockingInAsync,
            format!(
                "a blocking call was made inside an async task, where it could wait for ever; \
                 await `{twin}` instead, or move the call to `spawn_blocking`"
            ),
        )
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            chunk: None,
            message: message.into(),
            source: None,
        }))
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            chunk: None,
            message: message.into(),
            source: Some(source.into()),
        }))
    }

    /// The failure of the chunk `name`.
    pub(crate) fn of_chunk(name: &Arc<str>, failure: Failure) -> Self {
        let (kind, message, source) = match failure {
            // A chunk that hands on the failure of another keeps it as it is: so the chain of
            // sources stays short, however deep the emits are nested.
            Failure::Flow(error) if error.chunk().is_some() => return error,
            Failure::Flow(error) => (
                error.kind().of_chunk(),
                format!("chunk `{name}` failed"),
                Some(Box::new(error) as Box<dyn StdError + Send + Sync>),
            ),
            Failure::Other(source) => (
                ErrorKind::Chunk,
                format!("chunk `{name}` failed"),
                Some(source),
            ),
            Failure::Panic(Some(text)) => {
                (ErrorKind::Panic, format!("chunk `{name}` panicked: {text}"), None)
            }
            Failure::Panic(None) => (ErrorKind::Panic, format!("chunk `{name}` panicked"), None),
            Failure::Timeout(limit) => (
                ErrorKind::Timeout,
                format!(
                    "chunk `{name}` was not done within {limit:?}; give it more with `.timeout(…)`, \
                     or another try with `.retry(…)`"
                ),
                None,
            ),
            Failure::Refused(source) => (
                ErrorKind::Cancelled,
                format!("chunk `{name}` could not run on a blocking thread"),
                Some(source),
            ),
        };
        Self(Arc::new(Inner {
            kind,
            chunk: Some(Arc::clone(name)),
            message,
            source,
        }))
    }

    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The name of the chunk that failed, if a chunk did.
    #[must_use]
    pub fn chunk(&self) -> Option<&str> {
        self.0.chunk.as_deref()
    }
}

impl From<BlockingInAsync> for Error {
    fn from(error: BlockingInAsync) -> Self {
        Self::new(ErrorKind::BlockingInAsync, error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

/// An error as it is kept in a snapshot: the levels below become text.
#[derive(Serialize, Deserialize)]
struct Saved {
    kind: ErrorKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chunk: Option<String>,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Saved {
            kind: self.0.kind,
            chunk: self.0.chunk.as_deref().map(str::to_owned),
            message: self.0.message.clone(),
            source: self.0.source.as_ref().map(ToString::to_string),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Saved::deserialize(deserializer)?;
        Ok(Self(Arc::new(Inner {
            kind: saved.kind,
            chunk: saved.chunk.map(Arc::from),
            message: saved.message,
            source: saved.source.map(Into::into),
        })))
    }
}

/// Why a chunk did not give a value.
pub(crate) enum Failure {
    Flow(Error),
    Other(Box<dyn StdError + Send + Sync>),
    Panic(Option<String>),
    Timeout(std::time::Duration),
    Refused(Box<dyn StdError + Send + Sync>),
}

/// What a chunk returns instead of a value: a failure, or a [`Pause`].
///
/// Every error type turns into it, so that `?` works on all of them.
///
/// ```
/// use agently_flow::{ChunkError, ChunkResult, FlowData};
///
/// async fn halve(data: FlowData) -> ChunkResult<i64> {
///     let number: i64 = data.input()?;
///     if number % 2 != 0 {
///         return Err(ChunkError::msg("an odd number cannot be halved"));
///     }
///     Ok(number / 2)
/// }
/// ```
pub struct ChunkError(Box<End>);

pub(crate) enum End {
    Paused(Pause),
    Failed(Failure),
}

impl ChunkError {
    /// A failure that is only a message.
    #[must_use]
    pub fn msg(message: impl Into<String>) -> Self {
        Self::failed(Failure::Other(message.into().into()))
    }

    /// A failure that is boxed already.
    #[must_use]
    pub fn from_boxed(source: Box<dyn StdError + Send + Sync>) -> Self {
        match source.downcast::<Error>() {
            Ok(error) => Self::failed(Failure::Flow(*error)),
            Err(source) => Self::failed(Failure::Other(source)),
        }
    }

    /// Whether this is a pause and no failure.
    #[must_use]
    pub fn is_pause(&self) -> bool {
        matches!(*self.0, End::Paused(_))
    }

    pub(crate) fn failed(failure: Failure) -> Self {
        Self(Box::new(End::Failed(failure)))
    }

    pub(crate) fn into_end(self) -> End {
        *self.0
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for ChunkError {
    fn from(error: E) -> Self {
        Self::from_boxed(Box::new(error))
    }
}

impl From<Pause> for ChunkError {
    fn from(pause: Pause) -> Self {
        Self(Box::new(End::Paused(pause)))
    }
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            End::Paused(pause) => write!(f, "paused for `{}`", pause.kind()),
            End::Failed(Failure::Flow(error)) => fmt::Display::fmt(error, f),
            End::Failed(Failure::Other(error) | Failure::Refused(error)) => {
                fmt::Display::fmt(error, f)
            }
            End::Failed(Failure::Panic(text)) => {
                write!(f, "panicked: {}", text.as_deref().unwrap_or("no message"))
            }
            End::Failed(Failure::Timeout(limit)) => write!(f, "not done within {limit:?}"),
        }
    }
}

impl fmt::Debug for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkError({self})")
    }
}
