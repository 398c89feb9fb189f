//! The lines of a cassette file. Everything here is the file format: change it with
//! [`VERSION`] in mind.

use std::time::Duration;

use agently_api::data::{Warning, WarningKind};
use agently_api::model::{
    Capabilities, FinishReason, ModelEvent, RawEvent, ResponseInfo, ToolCallDelta, Usage,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::stored_error::StoredError;

/// The version of the format.
pub(super) const VERSION: u64 = 1;
/// What the first line says the file is.
pub(super) const FORMAT: &str = "agently-cassette";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u64,
    /// The name of the provider that was recorded.
    pub(super) provider: String,
    #[serde(default)]
    pub(super) capabilities: StoredCapabilities,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StoredCapabilities {
    images: bool,
    tools: bool,
    json_schema: bool,
    json_object: bool,
}

/// Every further line: one call. Its events may have been changed by hand, so a recorder writes
/// them as plain JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Exchange<E = Timed> {
    pub(super) request: Value,
    /// The call itself failed; there are no events then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<StoredError>,
    pub(super) events: Vec<E>,
    pub(super) end: End,
    /// Microseconds from the call to its end.
    pub(super) end_at_us: u64,
}

/// How the recording of a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// The answer was read to its end.
    Complete,
    /// The reader dropped the answer before its end: the recording is incomplete.
    Dropped,
}

/// An item of the stream and its time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Timed {
    /// Whole microseconds from the call.
    pub(super) at_us: u64,
    #[serde(flatten)]
    pub(super) item: StoredItem,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum StoredItem {
    Started {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
    Text {
        text: String,
    },
    Reasoning {
        text: String,
    },
    Refusal {
        text: String,
    },
    ToolCall(ToolCallDelta),
    Usage(Usage),
    Finish {
        reason: String,
        /// The word is the provider's own, even if it reads like one of ours.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        other: bool,
    },
    Raw {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        data: String,
    },
    Warning {
        kind: String,
        message: String,
    },
    Error(StoredError),
}

const FINISH_REASONS: [FinishReason; 5] = [
    FinishReason::Stop,
    FinishReason::Length,
    FinishReason::ToolCalls,
    FinishReason::ContentFilter,
    FinishReason::Unknown,
];

const WARNING_KINDS: [(WarningKind, &str); 5] = [
    (WarningKind::Wire, "wire"),
    (WarningKind::InvalidText, "invalid_text"),
    (WarningKind::Format, "format"),
    (WarningKind::Repair, "repair"),
    (WarningKind::Value, "value"),
];

impl From<&ModelEvent> for StoredItem {
    fn from(event: &ModelEvent) -> Self {
        match event.clone() {
            ModelEvent::Started(info) => Self::Started {
                id: info.id,
                model: info.model,
                request_id: info.request_id,
            },
            ModelEvent::TextDelta(text) => Self::Text { text },
            ModelEvent::ReasoningDelta(text) => Self::Reasoning { text },
            ModelEvent::RefusalDelta(text) => Self::Refusal { text },
            ModelEvent::ToolCallDelta(delta) => Self::ToolCall(delta),
            ModelEvent::Usage(usage) => Self::Usage(usage),
            ModelEvent::Finish(reason) => Self::Finish {
                reason: reason.as_str().to_owned(),
                other: matches!(reason, FinishReason::Other(_)),
            },
            ModelEvent::Raw(raw) => Self::Raw {
                name: raw.name,
                data: raw.data,
            },
            ModelEvent::Warning(warning) => Self::Warning {
                kind: WARNING_KINDS
                    .iter()
                    .find(|(kind, _)| *kind == warning.kind)
                    .map_or("wire", |(_, name)| name)
                    .to_owned(),
                message: warning.message,
            },
            // A kind of event that is younger than this version of the format.
            _ => Self::Warning {
                kind: "wire".to_owned(),
                message: "an event of a kind that cassettes do not know was left out".to_owned(),
            },
        }
    }
}

impl StoredItem {
    /// What the stream has yielded.
    pub(super) fn replay(self) -> Result<ModelEvent, agently_api::error::ProviderError> {
        Ok(match self {
            Self::Started {
                id,
                model,
                request_id,
            } => {
                let mut info = ResponseInfo::default();
                info.id = id;
                info.model = model;
                info.request_id = request_id;
                ModelEvent::Started(info)
            }
            Self::Text { text } => ModelEvent::TextDelta(text),
            Self::Reasoning { text } => ModelEvent::ReasoningDelta(text),
            Self::Refusal { text } => ModelEvent::RefusalDelta(text),
            Self::ToolCall(delta) => ModelEvent::ToolCallDelta(delta),
            Self::Usage(usage) => ModelEvent::Usage(usage),
            Self::Finish { reason, other } => {
                let known = FINISH_REASONS
                    .into_iter()
                    .find(|known| !other && known.as_str() == reason);
                ModelEvent::Finish(known.unwrap_or(FinishReason::Other(reason)))
            }
            Self::Raw { name, data } => ModelEvent::Raw(RawEvent::new(name, data)),
            Self::Warning { kind, message } => {
                let known = WARNING_KINDS.iter().find(|(_, name)| *name == kind);
                let kind = known.map_or(WarningKind::Wire, |(kind, _)| *kind);
                ModelEvent::Warning(Warning::new(kind, message))
            }
            Self::Error(error) => return Err(error.replay()),
        })
    }
}

impl From<Capabilities> for StoredCapabilities {
    fn from(capabilities: Capabilities) -> Self {
        Self {
            images: capabilities.images,
            tools: capabilities.tools,
            json_schema: capabilities.json_schema,
            json_object: capabilities.json_object,
        }
    }
}

impl From<StoredCapabilities> for Capabilities {
    fn from(stored: StoredCapabilities) -> Self {
        Self::default()
            .with_images(stored.images)
            .with_tools(stored.tools)
            .with_json_schema(stored.json_schema)
            .with_json_object(stored.json_object)
    }
}

/// A duration in the format's whole microseconds.
pub(super) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
