//! What can go wrong between us and a model.

use std::error::Error;
use std::fmt;
use std::time::Duration;

type Source = Box<dyn Error + Send + Sync>;

/// A model call failed.
///
/// `Display` says what happened and what to do, without keys, prompts or URL queries;
/// [`source`](Error::source) has the levels below. What the model had said before is still
/// readable from the result.
#[derive(Debug)]
pub struct ProviderError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ProviderErrorKind,
    message: String,
    hint: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    error_type: Option<String>,
    retryable: bool,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    bytes_received: u64,
    maybe_billed: bool,
    attempts: Vec<FailedAttempt>,
    source: Option<Source>,
}

/// Kinds of [`ProviderError`]. Each says whether it is retried by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProviderErrorKind {
    /// A setting is missing or wrong; no request was sent. Not retried.
    Config,
    /// No connection: resolution, refusal or the connect time limit. Retried.
    Connect,
    /// TLS failed: the certificate, the name or the handshake. Not retried.
    Tls,
    /// A proxy refused or failed. Not retried.
    Proxy,
    /// The server answered with a redirect, which is not followed. Not retried.
    Redirect,
    /// The response headers did not come in time. Retried.
    HeadersTimeout,
    /// The response body fell silent for too long. Retried.
    IdleTimeout,
    /// Keep-alives came, but no progress for too long. Retried.
    NoProgress,
    /// The call's own deadline was reached. Not retried.
    Deadline,
    /// The answer broke off before its end. Retried.
    Truncated,
    /// The server broke the HTTP protocol. Not retried.
    Protocol,
    /// The response is of a kind that cannot be read, as a web page. Not retried.
    ContentType,
    /// A piece of the response could not be decoded. Not retried.
    Decode,
    /// Something was larger than its limit. Not retried.
    Limit,
    /// The server answered with an error of its own. Retried by its status.
    Provider,
    /// Too many requests. Retried when the server says so.
    RateLimited,
    /// The account has no quota left. Not retried.
    Quota,
    /// The answer was cut off at a length limit. Not retried.
    Length,
    /// A content filter stopped the answer. Not retried.
    ContentFilter,
    /// The response was empty. Retried.
    Empty,
    /// The call was cancelled, or its runtime was shut down. Not retried.
    Cancelled,
    /// Anything else, in custom providers. Not retried.
    Other,
}

impl ProviderErrorKind {
    fn retryable_by_default(self) -> bool {
        matches!(
            self,
            Self::Connect
                | Self::HeadersTimeout
                | Self::IdleTimeout
                | Self::NoProgress
                | Self::Truncated
                | Self::RateLimited
                | Self::Empty
        )
    }
}

/// An earlier try of a call that then failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// The kind of its failure.
    pub kind: ProviderErrorKind,
    /// Its HTTP status, if it got that far.
    pub status: Option<u16>,
    /// What happened.
    pub message: String,
}

impl ProviderError {
    /// An error of this kind. `message` says what happened and where, for a person.
    #[must_use]
    pub fn new(kind: ProviderErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            status: None,
            code: None,
            error_type: None,
            retryable: kind.retryable_by_default(),
            retry_after: None,
            request_id: None,
            bytes_received: 0,
            maybe_billed: false,
            attempts: Vec::new(),
            source: None,
        }))
    }

    /// Adds what the person can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds the provider's error code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Adds the provider's error type.
    #[must_use]
    pub fn with_error_type(mut self, error_type: impl Into<String>) -> Self {
        self.0.error_type = Some(error_type.into());
        self
    }

    /// Overrides whether trying again makes sense.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Adds how long the server asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// Adds the provider's request id.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(request_id.into());
        self
    }

    /// Adds how many bytes of the response body had come.
    #[must_use]
    pub fn with_bytes_received(mut self, bytes_received: u64) -> Self {
        self.0.bytes_received = bytes_received;
        self
    }

    /// Says that the failed request may have cost money all the same.
    #[must_use]
    pub fn with_maybe_billed(mut self, maybe_billed: bool) -> Self {
        self.0.maybe_billed = maybe_billed;
        self
    }

    /// Adds the tries that had failed before this one.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Vec<FailedAttempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Adds the level below.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ProviderErrorKind {
        self.0.kind
    }

    /// What happened, without the hint.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The HTTP status, if a response came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The provider's error code, as in `insufficient_quota`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The provider's error type, as in `invalid_request_error`.
    #[must_use]
    pub fn error_type(&self) -> Option<&str> {
        self.0.error_type.as_deref()
    }

    /// Whether the same request may succeed if it is sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// How long the server asked to wait before that.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The id under which the provider's support finds the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How many bytes of the response body had come.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.0.bytes_received
    }

    /// Whether the failed request may have cost money all the same.
    #[must_use]
    pub fn maybe_billed(&self) -> bool {
        self.0.maybe_billed
    }

    /// The tries that had failed before this one, oldest first.
    #[must_use]
    pub fn attempts(&self) -> &[FailedAttempt] {
        &self.0.attempts
    }

    /// This failure as an entry for [`with_attempts`](Self::with_attempts) of a later one.
    #[must_use]
    pub fn to_attempt(&self) -> FailedAttempt {
        FailedAttempt {
            kind: self.0.kind,
            status: self.0.status,
            message: self.0.message.clone(),
        }
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if !self.0.attempts.is_empty() {
            write!(f, " (after {} tries)", self.0.attempts.len() + 1)?;
        }
        if let Some(request_id) = &self.0.request_id {
            write!(f, " [request id {request_id}]")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
