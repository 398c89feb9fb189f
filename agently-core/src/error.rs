use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agently_api::data::ResultMeta;
use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::rt::BlockingInAsync;

/// A `Result` with Agently's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A model request failed, before it was sent, on its way, or when its answer was judged.
///
/// `Display` prints this level; [`source`](StdError::source) has the levels below. What the model
/// had written before the failure stays readable through [`partial_text`](Self::partial_text). It
/// is a cheap clone, because every reader of a result gets the same error.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Source>,
    partial_text: Option<String>,
    refusal: Option<String>,
    meta: Option<ResultMeta>,
}

enum Source {
    Provider(ProviderError),
    Other(Box<dyn StdError + Send + Sync>),
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The provider or the way to it failed; the kind says how.
    Provider(ProviderErrorKind),
    /// No provider was configured. No request was sent.
    NoProvider,
    /// No runtime was configured. No request was sent.
    NoRuntime,
    /// A setting is missing or wrong. No request was sent.
    Config,
    /// The prompt cannot be sent: it is empty, or a slot has a value it cannot have. No request
    /// was sent.
    Prompt,
    /// The output schema is wrong. No request was sent.
    Schema,
    /// The session of the request has a fault, or its resize handler failed. No request was sent.
    Session,
    /// A blocking call was made inside an async task.
    BlockingInAsync,
    /// The answer contains no document of the declared shape.
    NoDocument,
    /// The answer's document cannot be read with certainty.
    Malformed,
    /// A required field is missing or empty.
    Ensure,
    /// A value is outside the limits that its field declares: a length, a range, a choice.
    Constraint,
    /// A validator refused the answer.
    Validation,
    /// A validator refused the answer, and asking again would not help.
    Stopped,
    /// A validator failed itself; its error is the source.
    Validator,
    /// The model stopped at a length limit: the answer is cut off.
    Length,
    /// A content filter stopped the answer.
    ContentFilter,
    /// The model declined to answer.
    Refusal,
    /// The model asked for tools instead of giving the declared answer.
    ToolCalls,
    /// The answer does not fit the Rust type it was asked for as.
    Type,
    /// Raw events were asked for after the request had started without them.
    RawNotKept,
    /// The answer is larger than the response limit.
    Limit,
    /// Code that runs inside the request, as a custom provider, panicked.
    Panic,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::build(kind, message.into(), None)
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Self::build(kind, message.into(), Some(Source::Other(Box::new(source))))
    }

    pub(crate) fn with_boxed_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: Box<dyn StdError + Send + Sync>,
    ) -> Self {
        Self::build(kind, message.into(), Some(Source::Other(source)))
    }

    fn build(kind: ErrorKind, message: String, source: Option<Source>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message,
            source,
            partial_text: None,
            refusal: None,
            meta: None,
        }))
    }

    /// A setting is missing or wrong: for those who assemble agents.
    #[must_use]
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// No provider is configured; `message` says how to get one.
    #[must_use]
    pub fn no_provider(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NoProvider, message)
    }

    /// No runtime is configured; `message` says how to get one.
    #[must_use]
    pub fn no_runtime(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NoRuntime, message)
    }

    pub(crate) fn blocking_in_async(twin: &str) -> Self {
        Self::new(
            ErrorKind::BlockingInAsync,
            format!(
                "a blocking call was made inside an async task, where it could wait for ever; \
                 await `{twin}` instead, or move the call to `spawn_blocking`"
            ),
        )
    }

    /// Adds what is known at the end of a failed call. Only its maker calls this, before it is
    /// shared.
    pub(crate) fn with_outcome(
        mut self,
        partial_text: String,
        refusal: Option<String>,
        meta: ResultMeta,
    ) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.refusal = refusal;
            inner.partial_text = Some(partial_text);
            inner.meta = Some(meta);
        }
        self
    }

    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The provider's error, if the provider or the way to it failed.
    #[must_use]
    pub fn provider(&self) -> Option<&ProviderError> {
        match &self.0.source {
            Some(Source::Provider(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether the same request may succeed if it is made again.
    ///
    /// True for failures of the way that say so, and for answers that were refused: another answer
    /// may be better.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Provider(_) => self.provider().is_some_and(ProviderError::is_retryable),
            ErrorKind::NoDocument
            | ErrorKind::Malformed
            | ErrorKind::Ensure
            | ErrorKind::Constraint
            | ErrorKind::Validation
            | ErrorKind::Type => true,
            _ => false,
        }
    }

    /// How long the server asked to wait before another try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.provider().and_then(ProviderError::retry_after)
    }

    /// The id under which the provider's support finds the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.provider()
            .and_then(ProviderError::request_id)
            .or_else(|| self.meta()?.request_id.as_deref())
    }

    /// What the model had written before the failure; `None` if no request was sent.
    #[must_use]
    pub fn partial_text(&self) -> Option<&str> {
        self.0.partial_text.as_deref()
    }

    /// The words with which the model declined to answer, if it did.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.0.refusal.as_deref()
    }

    /// This error and what lies below it, a level a line: for a person.
    #[must_use]
    pub fn report(&self) -> String {
        let mut text = self.to_string();
        let mut next = StdError::source(self);
        while let Some(cause) = next {
            text.push_str("\n  because: ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }

    /// What is known about the failed call; `None` if no request was sent.
    #[must_use]
    pub fn meta(&self) -> Option<&ResultMeta> {
        self.0.meta.as_ref()
    }
}

impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Self {
        Self::build(
            ErrorKind::Provider(error.kind()),
            headline(&error),
            Some(Source::Provider(error)),
        )
    }
}

impl From<BlockingInAsync> for Error {
    fn from(error: BlockingInAsync) -> Self {
        Self::new(ErrorKind::BlockingInAsync, error.to_string())
    }
}

/// What happened, in a few words; the provider's own are one level below.
fn headline(error: &ProviderError) -> String {
    use ProviderErrorKind as Kind;
    let what = match error.kind() {
        Kind::Config => "it is not set up",
        Kind::Connect => "no connection to the server",
        Kind::Tls => "no secure connection to the server",
        Kind::Proxy => "the proxy failed",
        Kind::Redirect => "the server redirects elsewhere",
        Kind::HeadersTimeout | Kind::IdleTimeout | Kind::NoProgress => "the server fell silent",
        Kind::Deadline => "it took too long",
        Kind::Truncated => "the answer broke off",
        Kind::Protocol | Kind::ContentType | Kind::Decode => "the server's answer is unreadable",
        Kind::Limit => "the answer is too large",
        Kind::Provider => "the server answered with an error",
        Kind::RateLimited => "too many requests",
        Kind::Quota => "the quota is used up",
        Kind::Length => "the answer was cut off at a length limit",
        Kind::ContentFilter => "a content filter stopped the answer",
        Kind::Empty => "the answer is empty",
        Kind::Cancelled => "it was cancelled",
        _ => "the provider failed",
    };
    match error.status() {
        Some(status) => format!("the model request failed: {what} (HTTP status {status})"),
        None => format!("the model request failed: {what}"),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &self.0.kind)
            .field("message", &self.0.message);
        match &self.0.source {
            Some(Source::Provider(error)) => debug.field("source", error),
            Some(Source::Other(error)) => debug.field("source", error),
            None => &mut debug,
        };
        // The partial text is answer text: it stays out of logs.
        debug.finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(Source::Provider(error)) => Some(error),
            Some(Source::Other(error)) => Some(&**error),
            None => None,
        }
    }
}
