use std::error::Error;
use std::fmt;

use agently_api::error::{ProviderError, ProviderErrorKind};

type Source = Box<dyn Error + Send + Sync>;

/// An HTTP call failed.
///
/// `Display` says what happened, where, and what to do, without keys, bodies or URL queries;
/// [`source`](Error::source) has the levels below.
pub struct HttpError(Box<Inner>);

struct Inner {
    kind: HttpErrorKind,
    message: String,
    hint: Option<String>,
    retryable: bool,
    bytes_received: u64,
    maybe_billed: bool,
    status: Option<u16>,
    source: Option<Source>,
}

/// Kinds of [`HttpError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// A setting is missing or wrong; nothing was sent. Not retried.
    Config,
    /// No connection: resolution, refusal or the connect time limit. Retried.
    Connect,
    /// TLS failed: the certificate, the name or the handshake. Not retried.
    Tls,
    /// A proxy refused or failed. Not retried.
    Proxy,
    /// The response headers did not come in time. Retried.
    HeadersTimeout,
    /// The response body fell silent for too long. Retried.
    IdleTimeout,
    /// Keep-alives came, but no progress for too long. Retried.
    NoProgress,
    /// The call's own deadline was reached. Not retried.
    Deadline,
    /// The connection was lost before the end of the response. Retried.
    Truncated,
    /// The server broke the HTTP protocol. Not retried.
    Protocol,
    /// The response is in a coding that was not asked for. Not retried.
    ContentType,
    /// Something was larger than its limit. Not retried.
    Limit,
    /// The call was cancelled, or its runtime was shut down. Not retried.
    Cancelled,
}

impl HttpErrorKind {
    fn retryable_by_default(self) -> bool {
        matches!(
            self,
            Self::Connect
                | Self::HeadersTimeout
                | Self::IdleTimeout
                | Self::NoProgress
                | Self::Truncated
        )
    }
}

impl HttpError {
    pub(crate) fn new(kind: HttpErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            retryable: kind.retryable_by_default(),
            bytes_received: 0,
            maybe_billed: false,
            status: None,
            source: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(HttpErrorKind::Config, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_bytes_received(mut self, bytes: u64) -> Self {
        self.0.bytes_received = bytes;
        self
    }

    pub(crate) fn with_maybe_billed(mut self, maybe_billed: bool) -> Self {
        self.0.maybe_billed = maybe_billed;
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> HttpErrorKind {
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

    /// Whether the same request may succeed if it is sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// How many bytes of the response body had come.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.0.bytes_received
    }

    /// Whether the failed request may have cost money all the same: all of it had gone out, so
    /// the server may have worked on it.
    #[must_use]
    pub fn maybe_billed(&self) -> bool {
        self.0.maybe_billed
    }

    /// The HTTP status, where one is the cause: a proxy's refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(hint) = &self.0.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("hint", &self.0.hint)
            .field("bytes_received", &self.0.bytes_received)
            .field("maybe_billed", &self.0.maybe_billed)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

impl From<HttpErrorKind> for ProviderErrorKind {
    fn from(kind: HttpErrorKind) -> Self {
        match kind {
            HttpErrorKind::Config => Self::Config,
            HttpErrorKind::Connect => Self::Connect,
            HttpErrorKind::Tls => Self::Tls,
            HttpErrorKind::Proxy => Self::Proxy,
            HttpErrorKind::HeadersTimeout => Self::HeadersTimeout,
            HttpErrorKind::IdleTimeout => Self::IdleTimeout,
            HttpErrorKind::NoProgress => Self::NoProgress,
            HttpErrorKind::Deadline => Self::Deadline,
            HttpErrorKind::Truncated => Self::Truncated,
            HttpErrorKind::Protocol => Self::Protocol,
            HttpErrorKind::ContentType => Self::ContentType,
            HttpErrorKind::Limit => Self::Limit,
            HttpErrorKind::Cancelled => Self::Cancelled,
        }
    }
}

impl From<HttpError> for ProviderError {
    /// Keeps the kind, the words, the byte count, the doubt about the bill and everything below.
    fn from(error: HttpError) -> Self {
        let Inner {
            kind,
            message,
            hint,
            retryable,
            bytes_received,
            maybe_billed,
            status,
            source,
        } = *error.0;
        let mut provider = Self::new(kind.into(), message)
            .with_retryable(retryable)
            .with_bytes_received(bytes_received)
            .with_maybe_billed(maybe_billed);
        if let Some(hint) = hint {
            provider = provider.with_hint(hint);
        }
        if let Some(status) = status {
            provider = provider.with_status(status);
        }
        if let Some(source) = source {
            provider = provider.with_source(source);
        }
        provider
    }
}
