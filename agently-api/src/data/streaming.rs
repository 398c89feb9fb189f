use std::fmt;
use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::{AttemptStatus, DeltaText, Node, Path, ValueView};

/// One step of one field while the model is still writing: an item of the `Instant` stream.
///
/// A **delta** item brings text that a string grew by (or the whole text of a number or boolean,
/// once); a **completion** says that a field is finished, exactly once per path and attempt, children before
/// their container. The items are provisional: what is accepted is read from the result at the
/// end. An item whose [`status`](Self::status) is set has the path `$status` and says how an
/// attempt ended; after a failed one with `retry`, clear what you show.
///
/// It serialises as one flat object, `$status` items in the same shape. The value of a delta is the
/// whole string so far, so a stream of them grows with the square of the string's length; for the
/// wire, wrap items in [`Compact`](crate::sink::Compact), which leaves that out.
///
/// ```
/// use agently_api::data::{DeltaText, Node, Path, StreamingData, TextView, ValueView};
///
/// let value = ValueView::new(Node::String(TextView::from("Async First".to_owned())));
/// let item = StreamingData::delta(Path::root().key("title"), DeltaText::from(" First"), value, 1);
/// assert_eq!(
///     serde_json::to_string(&item)?,
///     r#"{"path":"title","wildcard_path":"title","delta":" First","value":"Async First","is_complete":false,"completion_source":null,"event_type":"delta","attempt":1}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct StreamingData {
    /// Which field.
    pub path: Path,
    /// What it grew by; `None` on a completion.
    pub delta: Option<DeltaText>,
    /// Whether this is the completion of the field.
    pub is_complete: bool,
    /// How the completion was found; `None` on a delta.
    pub completion_source: Option<CompletionSource>,
    /// Which model attempt this belongs to, from 1.
    pub attempt: u32,
    value: ValueView,
    status: Option<Arc<AttemptStatus>>,
}

/// How a completion was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CompletionSource {
    /// The closing quote, bracket or next delimiter was in the stream.
    ObservedBoundary,
    /// The final parse added or changed the value.
    FinalReconciliation,
    /// The stream ended while the value was open.
    SyntheticRepair,
}

impl CompletionSource {
    /// The name in snake case, as in `observed_boundary`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ObservedBoundary => "observed_boundary",
            Self::FinalReconciliation => "final_reconciliation",
            Self::SyntheticRepair => "synthetic_repair",
        }
    }
}

impl fmt::Display for CompletionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether an item is a delta or a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventType {
    /// The field grew.
    Delta,
    /// The field is finished.
    Done,
}

impl StreamingData {
    /// A field grew by `delta`, to `value`.
    #[must_use]
    pub fn delta(path: Path, delta: DeltaText, value: ValueView, attempt: u32) -> Self {
        Self {
            path,
            delta: Some(delta),
            is_complete: false,
            completion_source: None,
            attempt,
            value,
            status: None,
        }
    }

    /// A field is finished with `value`.
    #[must_use]
    pub fn completion(
        path: Path,
        value: ValueView,
        source: CompletionSource,
        attempt: u32,
    ) -> Self {
        Self {
            path,
            delta: None,
            is_complete: true,
            completion_source: Some(source),
            attempt,
            value,
            status: None,
        }
    }

    /// An attempt ended: the `$status` item.
    #[must_use]
    pub fn from_status(status: AttemptStatus) -> Self {
        // Built by hand: serialising a struct of plain fields cannot fail, but would say it may.
        let mut value = json!({
            "status": status.status,
            "retry": status.retry,
            "attempt_index": status.attempt_index,
        });
        if let Some(fields) = value.as_object_mut() {
            if let Some(reason) = &status.reason {
                fields.insert("reason".into(), reason.as_str().into());
            }
            if let Some(next) = status.next_attempt_index {
                fields.insert("next_attempt_index".into(), next.into());
            }
        }
        Self {
            path: Path::root().key("$status"),
            delta: None,
            is_complete: false,
            completion_source: None,
            attempt: status.attempt_index,
            value: ValueView::new(Node::from(&value)),
            status: Some(Arc::new(status)),
        }
    }

    /// The value so far on a delta, the finished value on a completion.
    ///
    /// A view: handing it out costs nothing, and it does not change when the field grows on.
    #[must_use]
    pub fn value(&self) -> &ValueView {
        &self.value
    }

    /// The path with every list position as `[*]`.
    #[must_use]
    pub fn wildcard_path(&self) -> &str {
        self.path.wildcard()
    }

    /// How an attempt ended, if this is a `$status` item.
    #[must_use]
    pub fn status(&self) -> Option<&AttemptStatus> {
        self.status.as_deref()
    }

    /// [`EventType::Done`] on a completion, else [`EventType::Delta`].
    #[must_use]
    pub fn event_type(&self) -> EventType {
        if self.is_complete {
            EventType::Done
        } else {
            EventType::Delta
        }
    }

    /// Writes the item's fields; without `value` for [`Compact`](crate::sink::Compact) deltas.
    pub(crate) fn serialize_fields<S: Serializer>(
        &self,
        serializer: S,
        with_value: bool,
    ) -> Result<S::Ok, S::Error> {
        let mut item = serializer.serialize_struct("StreamingData", 7 + usize::from(with_value))?;
        item.serialize_field("path", self.path.as_str())?;
        item.serialize_field("wildcard_path", self.wildcard_path())?;
        item.serialize_field("delta", &self.delta.as_deref())?;
        if with_value {
            item.serialize_field("value", &Json(self.value.node()))?;
        } else {
            item.skip_field("value")?;
        }
        item.serialize_field("is_complete", &self.is_complete)?;
        item.serialize_field("completion_source", &self.completion_source)?;
        item.serialize_field("event_type", &self.event_type())?;
        item.serialize_field("attempt", &self.attempt)?;
        item.end()
    }
}

impl Serialize for StreamingData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_fields(serializer, true)
    }
}

/// Writes a value from where it is, without making an owned copy first.
struct Json<'a>(&'a Node);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Node::Null => serializer.serialize_unit(),
            Node::Bool(flag) => serializer.serialize_bool(*flag),
            Node::Number(number) => number.serialize(serializer),
            Node::String(text) => text.with_str(|text| serializer.serialize_str(text)),
            Node::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    list.serialize_element(&Json(item))?;
                }
                list.end()
            }
            Node::Object(fields) => {
                let mut object = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields.iter() {
                    object.serialize_entry(&**key, &Json(value))?;
                }
                object.end()
            }
        }
    }
}

impl fmt::Debug for StreamingData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingData")
            .field("path", &self.path)
            .field("delta", &self.delta)
            .field("value", &self.value)
            .field("is_complete", &self.is_complete)
            .field("completion_source", &self.completion_source)
            .field("attempt", &self.attempt)
            .finish()
    }
}
