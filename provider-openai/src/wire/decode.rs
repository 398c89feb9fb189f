//! From the payloads of a stream to the events of an answer.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::Value;

use agently_api::data::{Warning, WarningKind};
use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{FinishReason, ModelEvent, RawEvent, ResponseInfo, Usage};

use super::channel::Channels;
use super::lenient::Presence;
use super::response::{Choice, Chunk, Content, Delta, UsageBody};
use super::tool_calls::{Bounds, Refused, ToolCalls};
use super::{surrogate, DecodeOptions, ErrorObject, Redactor};

/// An answer gives so many warnings at most.
const MOST_WARNINGS: usize = 32;

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
    /// A whole message beside the deltas: used if there never were any.
    snapshot: Option<String>,
    /// A chunk of an answer came, however empty.
    seen: bool,
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
            snapshot: None,
            seen: false,
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

    /// Whether a reason to stop came.
    pub(crate) fn has_finish(&self) -> bool {
        self.finish.is_some()
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
        if let Some(payload) = self.snapshot.take() {
            self.read_snapshot(&payload)?;
        }
        let reason = match self.finish.take() {
            Some(reason) => reason,
            None => self.unmarked_end()?,
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
        self.note_info(chunk.id.0, chunk.model.0, marked);
        let mut snapshot = false;
        for choice in chunk.choices {
            snapshot |= self.choice(choice, payload, marked)?;
        }
        if snapshot {
            self.snapshot = Some(payload.to_owned());
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

    /// Reads one choice; `true` if it holds a whole message that may be needed at the end.
    fn choice(
        &mut self,
        choice: Choice<'_>,
        payload: &str,
        marked: bool,
    ) -> Result<bool, ProviderError> {
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
            return Ok(false);
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
        let snapshot = choice.message.0.is_some();
        if let Some(delta) = choice.delta.0 {
            self.delta(delta, marked)?;
        }
        if let Some(usage) = choice.usage.0 {
            self.note_usage(usage);
        }
        if let Some(reason) = choice.finish_reason.filled() {
            self.finish = Some(self.reason(reason, marked)?);
        }
        Ok(snapshot && !self.has_content())
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
                FinishReason::Other(self.redactor.clean_to(&word, 64))
            }
        })
    }

    fn has_content(&self) -> bool {
        self.channels.any() || !self.calls.is_empty()
    }

    fn delta(&mut self, delta: Delta<'_>, marked: bool) -> Result<(), ProviderError> {
        let Delta {
            content,
            reasoning_content,
            reasoning,
            reasoning_details,
            refusal,
            tool_calls,
        } = delta;
        let events = &mut self.events;
        let cumulative = self.options.cumulative_deltas;
        // Servers that changed the field's name send both for a while: the first that says
        // something counts.
        let reasoning = [reasoning_content, reasoning, reasoning_details]
            .into_iter()
            .find(|reasoning| !reasoning.is_empty())
            .unwrap_or_default();
        let mut replaced = self.channels.push_delta(
            content,
            reasoning,
            refusal.0.map_or(Content::Absent, Content::Text),
            marked,
            cumulative,
            events,
        );
        if !tool_calls.is_empty() {
            let bounds = Bounds {
                calls: self.options.max_tool_calls,
                argument_bytes: self.options.max_tool_argument_bytes,
                id_seed: self.options.call_id_seed,
            };
            self.calls
                .push(tool_calls, marked, bounds, &mut replaced, &mut |delta| {
                    events.push_back(ModelEvent::ToolCallDelta(delta));
                })
                .map_err(|refused| match refused {
                    Refused::TooManyCalls => limit(format!(
                        "the answer holds more tool calls than the limit of {}",
                        bounds.calls
                    )),
                    Refused::ArgumentsTooLong => limit(format!(
                        "the arguments of the answer's tool calls are longer than the limit of {} bytes",
                        bounds.argument_bytes
                    )),
                })?;
        }
        self.note_replaced(replaced);
        Ok(())
    }

    /// Reads the message that was kept, now that no delta came.
    fn read_snapshot(&mut self, payload: &str) -> Result<(), ProviderError> {
        if self.has_content() {
            return Ok(());
        }
        let mut read = |chunk: Chunk<'_>, marked: bool| {
            let first = chunk
                .choices
                .into_iter()
                .find(|choice| choice.index.0.unwrap_or(0) == 0);
            match first.and_then(|choice| choice.message.0) {
                Some(message) => self.delta(message, marked),
                None => Ok(()),
            }
        };
        if let Ok(chunk) = serde_json::from_str(payload) {
            return read(chunk, false);
        }
        // A payload that needed marking was kept marked.
        match serde_json::from_str::<Value>(payload) {
            Ok(value) => match serde::Deserialize::deserialize(&value) {
                Ok(chunk) => read(chunk, true),
                Err(_) => Ok(()),
            },
            Err(_) => Ok(()),
        }
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

pub(crate) fn limit(message: String) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Limit, message)
        .with_hint("if this is no mistake of the server, raise the limit")
}
