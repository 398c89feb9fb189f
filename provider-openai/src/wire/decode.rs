//! From the payloads of a stream to the events of an answer.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::Value;

use agently_api::data::{Warning, WarningKind};
use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{FinishReason, ModelEvent, RawEvent, ResponseInfo, Usage};

use super::answer::BASE_URL_HINT;
use super::channel::Channels;
use super::irregular::is_sign_of_life;
use super::lenient::Presence;
use super::redact::cut;
use super::response::{Choice, Chunk, Content, Delta, ToolCallBody, UsageBody};
use super::snapshot::Snapshot;
use super::tool_calls::{Bounds, Refused, ToolCalls};
use super::{surrogate, DecodeOptions, ErrorObject, Redactor};

/// An answer gives so many warnings at most.
const MOST_WARNINGS: usize = 32;

/// How much of a payload that is no answer is kept, in bytes.
const FOREIGN_KEPT: usize = 4 * 1024;

/// How much of it is shown, in bytes.
const FOREIGN_SHOWN: usize = 256;

/// Turns the payloads of a chat completion stream into [`ModelEvent`]s. Does no I/O.
///
/// Give it every payload with [`push`](Self::push), take events with
/// [`next_event`](Self::next_event), and [`finish`](Self::finish) it when the body has ended. Events
/// that were decoded before an error stay available.
///
/// ```
/// use agently_api::model::{FinishReason, ModelEvent};
/// use agently_provider_openai::wire::{ChunkDecoder, DecodeOptions};
///
/// let mut decoder = ChunkDecoder::new(DecodeOptions::default());
/// decoder.push(None, r#"{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#)?;
/// decoder.push(None, "[DONE]")?;
/// decoder.finish()?;
/// assert_eq!(decoder.next_event(), Some(ModelEvent::TextDelta("Hi".into())));
/// assert_eq!(decoder.next_event(), Some(ModelEvent::Finish(FinishReason::Stop)));
/// assert_eq!(decoder.next_event(), None);
/// # Ok::<(), agently_api::error::ProviderError>(())
/// ```
#[derive(Debug)]
pub struct ChunkDecoder {
    pub(super) options: DecodeOptions,
    redactor: Redactor,
    events: VecDeque<ModelEvent>,
    info: ResponseInfo,
    usage: Usage,
    channels: Channels,
    calls: ToolCalls,
    finish: Option<FinishReason>,
    /// The answer went on after its reason to stop, which was therefore none.
    content_after_finish: bool,
    /// Whole messages beside the deltas: used if there never were any of these.
    snapshot: Option<Box<Snapshot>>,
    /// A chunk of an answer came, however empty.
    seen: bool,
    /// The first payload that was JSON and nothing of an answer, up to [`FOREIGN_KEPT`].
    foreign: Option<String>,
    /// The answer was told to be complete by the form it came in.
    complete: bool,
    warnings: Vec<Warning>,
    done: bool,
    finished: bool,
}

impl ChunkDecoder {
    /// A decoder for one answer.
    #[must_use]
    pub fn new(options: DecodeOptions) -> Self {
        Self {
            options,
            redactor: Redactor::default(),
            events: VecDeque::new(),
            info: ResponseInfo::default(),
            usage: Usage::default(),
            channels: Channels::default(),
            calls: ToolCalls::default(),
            finish: None,
            content_after_finish: false,
            snapshot: None,
            seen: false,
            foreign: None,
            complete: false,
            warnings: Vec::new(),
            done: false,
            finished: false,
        }
    }

    /// Keeps keys and prompts out of the server's error messages.
    #[must_use]
    pub fn with_redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Whether the end marker came: nothing after it is read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The next event that is ready.
    pub fn next_event(&mut self) -> Option<ModelEvent> {
        self.events.pop_front()
    }

    /// Whether a reason to stop came, and nothing of the answer after it.
    pub(crate) fn has_finish(&self) -> bool {
        self.finish.is_some() && !self.content_after_finish
    }

    /// Whether a reason to stop came and there is no cause to doubt it: some servers say `stop` at
    /// the end of the reasoning, and the answer follows.
    pub(crate) fn is_settled(&self) -> bool {
        let called = !self.calls.is_empty() || self.snapshot.is_some();
        let fits = match self.finish {
            None => false,
            Some(FinishReason::Stop) => called || self.channels.any_answer(),
            Some(FinishReason::ToolCalls) => called,
            Some(_) => true,
        };
        fits && self.has_finish()
    }

    /// Whether anything of an answer came.
    pub(crate) fn is_answer(&self) -> bool {
        self.seen
    }

    /// Takes the answer for complete, with or without a reason to stop: its document was closed.
    pub(crate) fn set_complete(&mut self) {
        self.complete = true;
    }

    /// Whether the answer came as a whole message, without any delta.
    pub(crate) fn is_whole(&self) -> bool {
        self.snapshot.is_some() && !self.has_content()
    }

    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Gives a warning, each only once: some servers do the same odd thing in every event.
    pub(crate) fn warn(&mut self, kind: WarningKind, message: impl Into<String>) {
        let warning = Warning::new(kind, message);
        if self.warnings.len() < MOST_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning.clone());
            self.events.push_back(ModelEvent::Warning(warning));
        }
    }

    /// Takes the payload of one event. What comes after the end marker is ignored.
    ///
    /// # Errors
    ///
    /// The server's own error (kind `Provider` and its like), `Decode` for what is no JSON, or
    /// `Limit`.
    pub fn push(&mut self, name: Option<&str>, payload: &str) -> Result<(), ProviderError> {
        if self.done || self.finished {
            return Ok(());
        }
        let payload = payload.trim();
        if payload.is_empty() {
            return Ok(());
        }
        if self.options.raw_events {
            let raw = RawEvent::new(name.map(str::to_owned), payload);
            self.events.push_back(ModelEvent::Raw(raw));
        }
        if payload == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        if payload.starts_with(':') {
            self.warn(
                WarningKind::Wire,
                "a keep-alive comment came as an event; it was skipped",
            );
            return Ok(());
        }
        // A list would be taken for the fields of a chunk in their order.
        if payload.starts_with('{') {
            if let Ok(chunk) = serde_json::from_str::<Chunk<'_>>(payload) {
                return self.chunk(name, chunk, payload, false);
            }
        }
        self.irregular(name, payload)
    }

    /// Ends the answer: the last events, and the verdict on it. Later calls do nothing.
    ///
    /// # Errors
    ///
    /// `Truncated` if the answer was cut off, `Empty` if there was none, `Decode` for a tool call
    /// without a name, `Provider` if the server gave an error as its reason to stop.
    pub fn finish(&mut self) -> Result<(), ProviderError> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        if let Some(snapshot) = self.snapshot.take() {
            self.read_snapshot(*snapshot)?;
        }
        let ended = !self.content_after_finish || self.done || self.complete;
        let reason = match self.finish.take() {
            Some(reason) if ended => reason,
            _ => self.unmarked_end()?,
        };
        let events = &mut self.events;
        let mut replaced = self.channels.finish(events);
        let all_named = self.calls.finish(&mut replaced, &mut |delta| {
            events.push_back(ModelEvent::ToolCallDelta(delta));
        });
        self.note_replaced(replaced);
        if !all_named {
            return Err(ProviderError::new(
                ProviderErrorKind::Decode,
                "the answer holds a tool call without a name",
            )
            .with_hint("try another model or server version; this one writes tool calls that nobody can run"));
        }
        self.events.push_back(ModelEvent::Finish(reason));
        Ok(())
    }

    /// What the end means when no reason was given for it.
    fn unmarked_end(&mut self) -> Result<FinishReason, ProviderError> {
        if !self.seen {
            if let Some(foreign) = self.foreign.take() {
                let shown = self.redactor.clean_to(&foreign, FOREIGN_SHOWN);
                return Err(ProviderError::new(
                    ProviderErrorKind::ContentType,
                    format!("the server answered with JSON that is no chat completion: {shown}"),
                )
                .with_hint(BASE_URL_HINT));
            }
            return Err(ProviderError::new(
                ProviderErrorKind::Empty,
                "the server sent no answer at all",
            ));
        }
        let truncated = |message: &str| ProviderError::new(ProviderErrorKind::Truncated, message);
        if self.calls.any_open() {
            return Err(truncated("the answer broke off inside a tool call"));
        }
        if !self.done && !self.complete && !self.options.accept_eof {
            return Err(truncated(
                "the answer broke off: the stream ended without a finish reason or an end marker",
            )
            .with_hint(
                "if this server always ends its streams like that, switch on `accept_eof`",
            ));
        }
        self.warn(
            WarningKind::Wire,
            "the answer ended without a finish reason; it was taken as complete",
        );
        Ok(FinishReason::Unknown)
    }

    pub(super) fn chunk(
        &mut self,
        name: Option<&str>,
        chunk: Chunk<'_>,
        payload: &str,
        marked: bool,
    ) -> Result<(), ProviderError> {
        let named_error = name == Some("error") && chunk.choices.is_empty();
        if chunk.error == Presence::Filled
            || chunk.error == Presence::Empty && chunk.choices.is_empty()
            || chunk.object.as_str() == "error"
            || chunk.kind.as_str() == "error"
            || named_error
        {
            return Err(self.server_error(payload));
        }
        if !self.seen && self.foreign.is_none() && is_foreign(name, &chunk, payload) {
            self.foreign = Some(cut(payload, FOREIGN_KEPT).to_owned());
        }
        self.note_info(chunk.id.0, chunk.model.0, marked);
        for choice in chunk.choices {
            self.choice(choice, payload, marked)?;
        }
        let groq = chunk.x_groq.0.and_then(|groq| groq.usage.0);
        for usage in [groq, chunk.usage.0].into_iter().flatten() {
            self.note_usage(usage);
        }
        Ok(())
    }

    fn server_error(&self, payload: &str) -> ProviderError {
        let value = serde_json::from_str::<Value>(payload).unwrap_or_default();
        ErrorObject::find(&value)
            .unwrap_or_else(|| ErrorObject::from_body(payload))
            .into_stream_error(&self.redactor)
    }

    fn choice(
        &mut self,
        choice: Choice<'_>,
        payload: &str,
        marked: bool,
    ) -> Result<(), ProviderError> {
        let index = choice.index.0.unwrap_or(0);
        if index >= self.options.max_choices {
            return Err(limit(format!(
                "the answer names choice {index}, above the limit of {}",
                self.options.max_choices
            )));
        }
        if index != 0 {
            self.warn(
                WarningKind::Wire,
                "the answer holds several choices; the first is read, the others are not",
            );
            return Ok(());
        }
        self.seen = true;
        if choice.error == Presence::Filled {
            let value = serde_json::from_str::<Value>(payload).unwrap_or_default();
            let error = value
                .get("choices")
                .and_then(|choices| choices.get(0))
                .and_then(ErrorObject::find)
                .unwrap_or_default();
            return Err(error.into_stream_error(&self.redactor));
        }
        let mut grew = false;
        if let Some(delta) = choice.delta.0 {
            grew |= self.delta(delta, marked)?;
        }
        if self.has_content() {
            self.snapshot = None;
        } else if let Some(message) = choice.message.0 {
            grew |= self.message(message, marked)?;
        }
        self.content_after_finish |= grew && self.finish.is_some();
        if let Some(usage) = choice.usage.0 {
            self.note_usage(usage);
        }
        if let Some(reason) = choice.finish_reason.filled() {
            self.finish = Some(self.reason(reason, marked)?);
            self.content_after_finish = false;
        }
        Ok(())
    }

    fn reason(&self, word: Cow<'_, str>, marked: bool) -> Result<FinishReason, ProviderError> {
        Ok(match &*word {
            "stop" => FinishReason::Stop,
            "length" | "max_tokens" | "MAX_TOKENS" | "model_length" => FinishReason::Length,
            "tool_calls" | "function_call" => FinishReason::ToolCalls,
            "content_filter" => FinishReason::ContentFilter,
            "error" => {
                return Err(ProviderError::new(
                    ProviderErrorKind::Provider,
                    "the server stopped its answer because of an error, and said no more about it",
                )
                .with_code("error")
                .with_retryable(true));
            }
            "insufficient_system_resource" => {
                return Err(ProviderError::new(
                    ProviderErrorKind::Provider,
                    "the server ran out of resources and broke its answer off",
                )
                .with_code("insufficient_system_resource")
                .with_retryable(true));
            }
            _ => {
                let word = surrogate::plain(word, marked);
                FinishReason::Other(self.redactor.clean_id(&word, 64))
            }
        })
    }

    fn has_content(&self) -> bool {
        self.channels.any() || !self.calls.is_empty()
    }

    /// Reads a delta; `true` if the answer grew by it.
    fn delta(&mut self, mut delta: Delta<'_>, marked: bool) -> Result<bool, ProviderError> {
        let before = self.events.len();
        let reasoning = delta.take_reasoning();
        let replaced = self.channels.push_delta(
            delta.content,
            reasoning,
            delta.refusal.0.map_or(Content::Absent, Content::Text),
            marked,
            self.options.cumulative_deltas,
            &mut self.events,
        );
        if !delta.tool_calls.is_empty() {
            self.tool_calls(delta.tool_calls, marked)?;
        }
        let grew = self.events.len() > before;
        self.note_replaced(replaced);
        Ok(grew)
    }

    fn tool_calls(
        &mut self,
        pieces: impl IntoIterator<Item = ToolCallBody>,
        marked: bool,
    ) -> Result<(), ProviderError> {
        let bounds = Bounds {
            calls: self.options.max_tool_calls,
            argument_bytes: self.options.max_tool_argument_bytes,
            id_seed: self.options.call_id_seed,
        };
        let events = &mut self.events;
        let mut replaced = false;
        let taken = self
            .calls
            .push(pieces, marked, bounds, &mut replaced, &mut |delta| {
                events.push_back(ModelEvent::ToolCallDelta(delta));
            });
        self.note_replaced(replaced);
        taken.map_err(|refused| match refused {
            Refused::TooManyCalls => limit(format!(
                "the answer holds more tool calls than the limit of {}",
                bounds.calls
            )),
            Refused::ArgumentsTooLong => arguments_too_long(bounds.argument_bytes),
        })
    }

    /// Keeps a message for the case that no delta comes; `true` if the answer grew by it.
    fn message(&mut self, message: Delta<'_>, marked: bool) -> Result<bool, ProviderError> {
        let snapshot = self.snapshot.get_or_insert_default();
        let grew = snapshot.take(message, marked);
        if snapshot.text_bytes() > self.options.max_answer_bytes {
            return Err(limit(format!(
                "the answer is larger than {} bytes",
                self.options.max_answer_bytes
            )));
        }
        if snapshot.call_bytes() > self.options.max_tool_argument_bytes {
            return Err(arguments_too_long(self.options.max_tool_argument_bytes));
        }
        Ok(grew)
    }

    /// Reads the messages that were kept, now that no delta came.
    fn read_snapshot(&mut self, snapshot: Snapshot) -> Result<(), ProviderError> {
        let (replaced, calls) = snapshot.read_out(&mut self.channels, &mut self.events);
        self.note_replaced(replaced);
        for group in calls {
            self.tool_calls(group.pieces, group.marked)?;
        }
        Ok(())
    }

    fn note_replaced(&mut self, replaced: bool) {
        if replaced {
            self.warn(
                WarningKind::InvalidText,
                "half of a surrogate pair had no partner and was replaced by U+FFFD",
            );
        }
    }

    fn note_info(&mut self, id: Option<Cow<'_, str>>, model: Option<Cow<'_, str>>, marked: bool) {
        let new = |known: &Option<String>, said: Option<Cow<'_, str>>| {
            said.filter(|said| !said.is_empty() && known.is_none())
                .map(|said| surrogate::plain(said, marked))
        };
        let id = new(&self.info.id, id);
        let model = new(&self.info.model, model);
        if id.is_none() && model.is_none() {
            return;
        }
        let mut news = ResponseInfo::default();
        if let Some(id) = id {
            self.info.id = Some(id.clone());
            news = news.with_id(id);
        }
        if let Some(model) = model {
            self.info.model = Some(model.clone());
            news = news.with_model(model);
        }
        self.events.push_back(ModelEvent::Started(news));
    }

    fn note_usage(&mut self, usage: UsageBody) {
        let usage = usage.to_usage();
        let mut updated = self.usage;
        updated.update(usage);
        if updated != self.usage {
            self.usage = updated;
            self.events.push_back(ModelEvent::Usage(usage));
        }
    }
}

/// Whether a chunk of no answer is something else altogether, and no sign of life either.
fn is_foreign(name: Option<&str>, chunk: &Chunk<'_>, payload: &str) -> bool {
    let alive = [name, Some(chunk.kind.as_str())]
        .into_iter()
        .flatten()
        .any(is_sign_of_life);
    !alive
        && chunk.choices.is_empty()
        && chunk.usage.0.is_none()
        && payload.contains('"')
        && !payload.contains("\"choices\"")
}

fn arguments_too_long(most: usize) -> ProviderError {
    limit(format!(
        "the arguments of the answer's tool calls are longer than the limit of {most} bytes"
    ))
}

pub(crate) fn limit(message: String) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Limit, message)
        .with_hint("if this is no mistake of the server, raise the limit")
}
