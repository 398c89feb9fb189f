use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::model::{FinishReason, Usage};

/// What is known about a model call besides its answer.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ResultMeta {
    /// The provider's name, as in `openai`.
    pub provider: String,
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub response_id: Option<String>,
    /// The id under which the provider's support finds the request.
    pub request_id: Option<String>,
    /// Why the model stopped writing.
    pub finish_reason: Option<FinishReason>,
    /// Tokens used by the accepted attempt.
    pub usage: Option<Usage>,
    /// How long things took, on the runtime's clock.
    pub timings: Timings,
    /// Every attempt, the last one being the one that counts.
    pub attempts: Vec<AttemptMeta>,
    /// Things a careful caller may want to know.
    pub warnings: Vec<Warning>,
}

impl ResultMeta {
    /// What is known before anything has come: the provider's name.
    #[must_use]
    pub fn new(provider: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            ..Self::default()
        }
    }
}

/// Durations since the request was started, that is since the first read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Until the first piece of text, reasoning or tool call.
    pub to_first_token: Option<Duration>,
    /// Until the first event of a field.
    pub to_first_field: Option<Duration>,
    /// Until the end.
    pub total: Option<Duration>,
}

/// One attempt of a call.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct AttemptMeta {
    /// From 1.
    pub index: u32,
    /// Why it failed; `None` for the accepted one.
    pub failure: Option<String>,
    /// Tokens it used, where the provider said so.
    pub usage: Option<Usage>,
    /// How long it took.
    pub duration: Duration,
    /// The validator that refused it, if one did.
    pub validator: Option<String>,
    /// Whether it was given up while the model was still writing, which saved the rest.
    pub stopped_early: bool,
    /// What that validator gave along.
    pub payload: Option<Value>,
    /// What the model had written, for a failed attempt.
    pub text: Option<String>,
}

impl AttemptMeta {
    /// An attempt that has ended.
    #[must_use]
    pub fn new(
        index: u32,
        failure: Option<String>,
        usage: Option<Usage>,
        duration: Duration,
    ) -> Self {
        Self {
            index,
            failure,
            usage,
            duration,
            ..Self::default()
        }
    }
}

impl fmt::Debug for AttemptMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Answer text and payload stay out of logs.
        f.debug_struct("AttemptMeta")
            .field("index", &self.index)
            .field("failure", &self.failure)
            .field("validator", &self.validator)
            .field("stopped_early", &self.stopped_early)
            .field("usage", &self.usage)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

/// Something unusual that did not keep the call from succeeding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Which kind.
    pub kind: WarningKind,
    /// What happened, in words; without keys, prompts and answer text.
    pub message: String,
}

/// Kinds of [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningKind {
    /// The server's framing or chunks departed from the wire format and were read as meant.
    Wire,
    /// Bytes that are not UTF-8, or unpaired surrogates, were replaced by U+FFFD.
    InvalidText,
    /// The answer's format departed from what was asked and was read as meant.
    Format,
    /// The answer was repaired.
    Repair,
    /// A number or literal of the answer could not be kept as written.
    Value,
}

impl Warning {
    /// A warning.
    #[must_use]
    pub fn new(kind: WarningKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.message)
    }
}
