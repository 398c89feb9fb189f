use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Usage;
use crate::data::Warning;

/// One event of a model's answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ModelEvent {
    /// Facts about the answer, as soon as they are known; later ones add to earlier ones.
    Started(ResponseInfo),
    /// The answer's text grew.
    TextDelta(String),
    /// The model's reasoning grew. It is never part of the answer.
    ReasoningDelta(String),
    /// The model declines, in these words.
    RefusalDelta(String),
    /// A tool call grew.
    ToolCallDelta(ToolCallDelta),
    /// Tokens used so far: replaces what was said before, field by field.
    Usage(Usage),
    /// The model stopped writing. The last one counts.
    Finish(FinishReason),
    /// The provider's own event, if [`raw_events`](super::CallContext::raw_events) were asked for.
    Raw(RawEvent),
    /// Something unusual that does not keep the answer from being used.
    Warning(Warning),
}

/// Facts about an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseInfo {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model that answers, as the provider names it.
    pub model: Option<String>,
    /// The id under which the provider's support finds the request.
    pub request_id: Option<String>,
}

impl ResponseInfo {
    /// Sets the [`id`](Self::id).
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the [`model`](Self::model).
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets the [`request_id`](Self::request_id).
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

/// What a tool call grew by.
///
/// The first delta of an index carries its id and name; arguments are joined in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCallDelta {
    /// Which call of the answer, from 0.
    pub index: usize,
    /// The call's id, on its first delta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The tool's name, on the first delta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// JSON text to append to the arguments.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arguments: String,
    /// Unknown fields of the call, kept to be sent back as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl ToolCallDelta {
    /// The beginning of a call.
    #[must_use]
    pub fn start(index: usize, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            index,
            id: Some(id.into()),
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// More arguments of a call.
    #[must_use]
    pub fn arguments(index: usize, arguments: impl Into<String>) -> Self {
        Self {
            index,
            arguments: arguments.into(),
            ..Self::default()
        }
    }
}

/// Why a model stopped writing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// It had said everything.
    Stop,
    /// It ran into a length limit: the answer is cut off.
    Length,
    /// It wants tools to be called.
    ToolCalls,
    /// A filter stopped it: the answer is cut off.
    ContentFilter,
    /// The answer was marked as ended, but no reason was given.
    Unknown,
    /// Another reason, in the provider's word.
    Other(String),
}

impl FinishReason {
    /// The reason in the field's usual word, as in `tool_calls`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Unknown => "unknown",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An event as the provider sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawEvent {
    /// The event's name on the wire, where it has one.
    pub name: Option<String>,
    /// Its payload.
    pub data: String,
}

impl RawEvent {
    /// An event.
    #[must_use]
    pub fn new(name: Option<String>, data: impl Into<String>) -> Self {
        Self {
            name,
            data: data.into(),
        }
    }
}
