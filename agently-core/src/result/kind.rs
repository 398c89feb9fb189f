//! The ways to read a result as a stream.

use agently_api::data::{AttemptStatus, DeltaText, ResultMeta, StreamingData};
use agently_api::model::{ModelEvent, RawEvent, ToolCall, ToolCallDelta};

use super::log::{Accepted, Log, Record};

/// A way to read a result as a stream: [`Instant`], [`Delta`], [`Specific`], [`Original`], [`All`].
///
/// Sealed: the kinds are those.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of stream",
    note = "the kinds are `Instant`, `Delta`, `Specific`, `Original` and `All`"
)]
pub trait GeneratorKind: Send + 'static {
    /// What the stream yields.
    type Item: Send + 'static;

    #[doc(hidden)]
    type Reader: Read<Item = Self::Item> + Send + Unpin + 'static;

    #[doc(hidden)]
    const WANTS_FIELDS: bool;

    #[doc(hidden)]
    const WANTS_RAW: bool;

    #[doc(hidden)]
    fn reader(self) -> Self::Reader;
}

/// Reads a log from its beginning, item by item. Nobody outside can name it: it seals the kinds.
pub trait Read {
    type Item;

    /// The next item that is there.
    fn next(&mut self, log: &Log) -> Option<Self::Item>;

    /// What follows when the answer has been accepted and everything has been read.
    fn last(&mut self, _accepted: &Accepted) -> Option<Self::Item> {
        None
    }
}

/// Field by field: path, delta, value and completion of each, while the model is still writing.
///
/// The items are provisional; a `$status` item tells when an attempt is given up and another
/// follows, and is the last one. See [`StreamingData`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Instant;

/// The answer's text as it comes.
///
/// Between two attempts stands the marker `<$retry>reason</$retry>` (XML-escaped): what came before
/// it is withdrawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delta;

/// The provider's own events, as they came.
///
/// They are kept only if this stream, or [`Request::raw_events`](crate::Request::raw_events),
/// asked for them before the request started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Original;

/// Everything: the provider's events, the field events they caused, and the attempts' ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct All;

/// Named events: text and reasoning as they come, tool calls, and the whole texts at the end.
///
/// [`only`](Self::only) chooses others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Specific(u16);

/// The names of [`SpecificEvent`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventName {
    /// A piece of the answer's text.
    Delta,
    /// A piece of the reasoning.
    ReasoningDelta,
    /// A piece of a tool call.
    ToolCallDelta,
    /// The end of an attempt that was given up.
    Status,
    /// The whole accepted text.
    Done,
    /// The whole reasoning.
    ReasoningDone,
    /// All tool calls, put together.
    ToolCalls,
    /// What is known about the call.
    Meta,
}

impl EventName {
    /// The name in snake case, as in `reasoning_delta`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::ReasoningDelta => "reasoning_delta",
            Self::ToolCallDelta => "tool_call_delta",
            Self::Status => "status",
            Self::Done => "done",
            Self::ReasoningDone => "reasoning_done",
            Self::ToolCalls => "tool_calls",
            Self::Meta => "meta",
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl Default for Specific {
    fn default() -> Self {
        Self::only(&[
            EventName::Delta,
            EventName::ReasoningDelta,
            EventName::Status,
            EventName::Done,
            EventName::ReasoningDone,
            EventName::ToolCalls,
        ])
    }
}

impl Specific {
    /// Only these events.
    #[must_use]
    pub fn only(events: &[EventName]) -> Self {
        Self(events.iter().fold(0, |set, event| set | event.bit()))
    }

    fn wants(self, event: EventName) -> bool {
        self.0 & event.bit() != 0
    }
}

/// An item of the [`Specific`] stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SpecificEvent {
    /// A piece of the answer's text.
    Delta(DeltaText),
    /// A piece of the reasoning.
    ReasoningDelta(DeltaText),
    /// A piece of a tool call.
    ToolCallDelta(ToolCallDelta),
    /// An attempt was given up: what came before is withdrawn.
    Status(AttemptStatus),
    /// The whole accepted text.
    Done(String),
    /// The whole reasoning; empty if there was none.
    ReasoningDone(String),
    /// All tool calls, put together. Absent if there were none.
    ToolCalls(Vec<ToolCall>),
    /// What is known about the call.
    Meta(Box<ResultMeta>),
}

impl SpecificEvent {
    /// The event's name.
    #[must_use]
    pub fn name(&self) -> EventName {
        match self {
            Self::Delta(_) => EventName::Delta,
            Self::ReasoningDelta(_) => EventName::ReasoningDelta,
            Self::ToolCallDelta(_) => EventName::ToolCallDelta,
            Self::Status(_) => EventName::Status,
            Self::Done(_) => EventName::Done,
            Self::ReasoningDone(_) => EventName::ReasoningDone,
            Self::ToolCalls(_) => EventName::ToolCalls,
            Self::Meta(_) => EventName::Meta,
        }
    }
}

/// An item of the [`All`] stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnyEvent {
    /// An event of the provider.
    Model(ModelEvent),
    /// A step of a field, or the `$status` item that ends an attempt.
    Field(StreamingData),
}

macro_rules! kind {
    ($kind:ty, $item:ty, $reader:ident { fields: $fields:literal, raw: $raw:literal }) => {
        impl GeneratorKind for $kind {
            type Item = $item;
            type Reader = $reader;

            const WANTS_FIELDS: bool = $fields;
            const WANTS_RAW: bool = $raw;

            fn reader(self) -> $reader {
                $reader::new(self)
            }
        }
    };
}

kind!(
    Instant,
    StreamingData,
    InstantReader {
        fields: true,
        raw: false
    }
);
kind!(
    Delta,
    DeltaText,
    DeltaReader {
        fields: false,
        raw: false
    }
);
kind!(
    Specific,
    SpecificEvent,
    SpecificReader {
        fields: false,
        raw: false
    }
);
kind!(
    Original,
    RawEvent,
    OriginalReader {
        fields: false,
        raw: true
    }
);
kind!(
    All,
    AnyEvent,
    AllReader {
        fields: true,
        raw: false
    }
);

#[derive(Debug)]
pub struct InstantReader(usize);

impl InstantReader {
    fn new(_: Instant) -> Self {
        Self(0)
    }
}

impl Read for InstantReader {
    type Item = StreamingData;

    fn next(&mut self, log: &Log) -> Option<StreamingData> {
        let item = log.field(self.0)?;
        self.0 += 1;
        Some(item)
    }
}

/// Reads records one by one and keeps what `pick` makes of them.
fn scan<T>(at: &mut usize, log: &Log, mut pick: impl FnMut(Record) -> Option<T>) -> Option<T> {
    loop {
        let record = log.record(*at)?;
        *at += 1;
        if let Some(item) = pick(record) {
            return Some(item);
        }
    }
}

#[derive(Debug)]
pub struct DeltaReader(usize);

impl DeltaReader {
    fn new(_: Delta) -> Self {
        Self(0)
    }
}

impl Read for DeltaReader {
    type Item = DeltaText;

    fn next(&mut self, log: &Log) -> Option<DeltaText> {
        scan(&mut self.0, log, |record| match record {
            Record::Text(text) => Some(text),
            Record::Status(status) if status.retry => {
                let reason = escape(status.reason.as_deref().unwrap_or_default());
                Some(format!("<$retry>{reason}</$retry>").as_str().into())
            }
            _ => None,
        })
    }
}

/// Escapes text for XML content.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[derive(Debug)]
pub struct OriginalReader(usize);

impl OriginalReader {
    fn new(_: Original) -> Self {
        Self(0)
    }
}

impl Read for OriginalReader {
    type Item = RawEvent;

    fn next(&mut self, log: &Log) -> Option<RawEvent> {
        scan(&mut self.0, log, |record| match record {
            Record::Event(event) => match &*event {
                ModelEvent::Raw(raw) => Some(raw.clone()),
                _ => None,
            },
            _ => None,
        })
    }
}

#[derive(Debug)]
pub struct SpecificReader {
    wanted: Specific,
    at: usize,
    last: usize,
}

impl SpecificReader {
    fn new(wanted: Specific) -> Self {
        Self {
            wanted,
            at: 0,
            last: 0,
        }
    }
}

impl Read for SpecificReader {
    type Item = SpecificEvent;

    fn next(&mut self, log: &Log) -> Option<SpecificEvent> {
        let wanted = self.wanted;
        scan(&mut self.at, log, |record| {
            let event = match record {
                Record::Text(text) => SpecificEvent::Delta(text),
                Record::Reasoning(text) => SpecificEvent::ReasoningDelta(text),
                Record::ToolCall(delta) => SpecificEvent::ToolCallDelta((*delta).clone()),
                Record::Status(status) if status.retry => SpecificEvent::Status((*status).clone()),
                Record::Event(_) | Record::End | Record::Status(_) => return None,
            };
            wanted.wants(event.name()).then_some(event)
        })
    }

    fn last(&mut self, accepted: &Accepted) -> Option<SpecificEvent> {
        loop {
            let event = match self.last {
                0 => SpecificEvent::Done(accepted.text.clone()),
                1 => SpecificEvent::ReasoningDone(accepted.reasoning.clone()),
                2 => SpecificEvent::ToolCalls(accepted.tool_calls.clone()),
                3 => SpecificEvent::Meta(Box::new(accepted.meta.clone())),
                _ => return None,
            };
            self.last += 1;
            let empty = matches!(&event, SpecificEvent::ToolCalls(calls) if calls.is_empty());
            if self.wanted.wants(event.name()) && !empty {
                return Some(event);
            }
        }
    }
}

#[derive(Debug)]
pub struct AllReader {
    record: usize,
    field: usize,
}

impl AllReader {
    fn new(_: All) -> Self {
        Self {
            record: 0,
            field: 0,
        }
    }
}

impl Read for AllReader {
    type Item = AnyEvent;

    fn next(&mut self, log: &Log) -> Option<AnyEvent> {
        loop {
            // The field events that a record caused follow it.
            if let Some(item) = log.field_within(self.field, self.record) {
                self.field += 1;
                return Some(AnyEvent::Field(item));
            }
            let record = log.record(self.record)?;
            self.record += 1;
            let event = match record {
                Record::Text(text) => ModelEvent::TextDelta(text.as_str().to_owned()),
                Record::Reasoning(text) => ModelEvent::ReasoningDelta(text.as_str().to_owned()),
                Record::ToolCall(delta) => ModelEvent::ToolCallDelta((*delta).clone()),
                Record::Event(event) => (*event).clone(),
                Record::End | Record::Status(_) => continue,
            };
            return Some(AnyEvent::Model(event));
        }
    }
}
