//! Errors in a cassette.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use agently_api::error::{FailedAttempt, ProviderError, ProviderErrorKind};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StoredError {
    kind: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<String>,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    bytes_received: u64,
    #[serde(skip_serializing_if = "is_default")]
    maybe_billed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<StoredAttempt>,
    /// What the levels below said, from the top.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredAttempt {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    message: String,
}

const KINDS: [(ProviderErrorKind, &str); 22] = [
    (ProviderErrorKind::Config, "config"),
    (ProviderErrorKind::Connect, "connect"),
    (ProviderErrorKind::Tls, "tls"),
    (ProviderErrorKind::Proxy, "proxy"),
    (ProviderErrorKind::Redirect, "redirect"),
    (ProviderErrorKind::HeadersTimeout, "headers_timeout"),
    (ProviderErrorKind::IdleTimeout, "idle_timeout"),
    (ProviderErrorKind::NoProgress, "no_progress"),
    (ProviderErrorKind::Deadline, "deadline"),
    (ProviderErrorKind::Truncated, "truncated"),
    (ProviderErrorKind::Protocol, "protocol"),
    (ProviderErrorKind::ContentType, "content_type"),
    (ProviderErrorKind::Decode, "decode"),
    (ProviderErrorKind::Limit, "limit"),
    (ProviderErrorKind::Provider, "provider"),
    (ProviderErrorKind::RateLimited, "rate_limited"),
    (ProviderErrorKind::Quota, "quota"),
    (ProviderErrorKind::Length, "length"),
    (ProviderErrorKind::ContentFilter, "content_filter"),
    (ProviderErrorKind::Empty, "empty"),
    (ProviderErrorKind::Cancelled, "cancelled"),
    (ProviderErrorKind::Other, "other"),
];

fn kind_name(kind: ProviderErrorKind) -> String {
    let known = KINDS.iter().find(|(known, _)| *known == kind);
    known.map_or("other", |(_, name)| name).to_owned()
}

fn kind_of(name: &str) -> ProviderErrorKind {
    let known = KINDS.iter().find(|(_, known)| *known == name);
    known.map_or(ProviderErrorKind::Other, |(kind, _)| *kind)
}

impl From<&ProviderError> for StoredError {
    fn from(error: &ProviderError) -> Self {
        let mut sources = Vec::new();
        let mut below = error.source();
        while let Some(level) = below {
            sources.push(level.to_string());
            below = level.source();
        }
        Self {
            kind: kind_name(error.kind()),
            message: error.message().to_owned(),
            hint: error.hint().map(str::to_owned),
            status: error.status(),
            code: error.code().map(str::to_owned),
            error_type: error.error_type().map(str::to_owned),
            retryable: error.is_retryable(),
            retry_after: error.retry_after(),
            request_id: error.request_id().map(str::to_owned),
            bytes_received: error.bytes_received(),
            maybe_billed: error.maybe_billed(),
            attempts: error.attempts().iter().map(StoredAttempt::from).collect(),
            sources,
        }
    }
}

impl From<&FailedAttempt> for StoredAttempt {
    fn from(attempt: &FailedAttempt) -> Self {
        Self {
            kind: kind_name(attempt.kind),
            status: attempt.status,
            message: attempt.message.clone(),
        }
    }
}

impl StoredAttempt {
    fn replay(self) -> FailedAttempt {
        let error = ProviderError::new(kind_of(&self.kind), self.message);
        match self.status {
            Some(status) => error.with_status(status).to_attempt(),
            None => error.to_attempt(),
        }
    }
}

impl StoredError {
    pub(super) fn replay(self) -> ProviderError {
        let attempts = self.attempts.into_iter().map(StoredAttempt::replay);
        let mut error = ProviderError::new(kind_of(&self.kind), self.message)
            .with_retryable(self.retryable)
            .with_bytes_received(self.bytes_received)
            .with_maybe_billed(self.maybe_billed)
            .with_attempts(attempts.collect());
        if let Some(hint) = self.hint {
            error = error.with_hint(hint);
        }
        if let Some(status) = self.status {
            error = error.with_status(status);
        }
        if let Some(code) = self.code {
            error = error.with_code(code);
        }
        if let Some(error_type) = self.error_type {
            error = error.with_error_type(error_type);
        }
        if let Some(retry_after) = self.retry_after {
            error = error.with_retry_after(retry_after);
        }
        if let Some(request_id) = self.request_id {
            error = error.with_request_id(request_id);
        }
        let below = self.sources.into_iter().rev().fold(None, |below, message| {
            Some(Box::new(Level { message, below }))
        });
        match below {
            Some(below) => error.with_source(below as Box<dyn Error + Send + Sync>),
            None => error,
        }
    }
}

/// A level below a replayed error: its words are all that was recorded.
#[derive(Debug)]
struct Level {
    message: String,
    below: Option<Box<Self>>,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Level {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.below {
            Some(below) => Some(below),
            None => None,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
