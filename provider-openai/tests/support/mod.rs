//! Shared by the tests over bytes: runs a body through the decoder under many cuts.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests; each binary uses a part of this"
)]

pub(crate) mod call;
pub(crate) mod script;
pub(crate) mod server;

use agently_api::data::WarningKind;
use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{FinishReason, ModelEvent, ToolCallDelta, Usage};
use agently_provider_openai::wire::{BodyDecoder, DecodeOptions, Redactor};
use serde_json::{Map, Value};

/// What an answer came to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) text_deltas: usize,
    pub(crate) reasoning: String,
    pub(crate) refusal: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) usage: Usage,
    pub(crate) finish: Option<FinishReason>,
    pub(crate) warnings: Vec<WarningKind>,
    pub(crate) raw: Vec<String>,
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) error: Option<Failure>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: String,
    pub(crate) extra: Map<String, Value>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: ProviderErrorKind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) error_type: Option<String>,
    pub(crate) retryable: bool,
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self {
            kind: error.kind(),
            message: error.message().to_owned(),
            hint: error.hint().map(str::to_owned),
            code: error.code().map(str::to_owned),
            error_type: error.error_type().map(str::to_owned),
            retryable: error.is_retryable(),
        }
    }
}

impl Outcome {
    pub(crate) fn of(events: &[ModelEvent], error: Option<ProviderError>) -> Self {
        let mut outcome = Self::default();
        for (at, event) in events.iter().enumerate() {
            match event {
                ModelEvent::Started(info) => {
                    outcome.id = info.id.clone().or(outcome.id);
                    outcome.model = info.model.clone().or(outcome.model);
                }
                ModelEvent::TextDelta(text) => {
                    assert!(!text.is_empty(), "an empty delta went out");
                    outcome.text.push_str(text);
                    outcome.text_deltas += 1;
                }
                ModelEvent::ReasoningDelta(text) => outcome.reasoning.push_str(text),
                ModelEvent::RefusalDelta(text) => outcome.refusal.push_str(text),
                ModelEvent::ToolCallDelta(delta) => outcome.call(delta),
                ModelEvent::Usage(usage) => outcome.usage.update(*usage),
                ModelEvent::Finish(reason) => {
                    assert_eq!(at + 1, events.len(), "something came after the finish");
                    outcome.finish = Some(reason.clone());
                }
                ModelEvent::Warning(warning) => outcome.warnings.push(warning.kind),
                ModelEvent::Raw(raw) => outcome.raw.push(raw.data.clone()),
                other => panic!("unknown event {other:?}"),
            }
        }
        outcome.error = error.map(Failure::from);
        assert!(
            outcome.error.is_some() != outcome.finish.is_some(),
            "an answer ends with a finish or with an error: {outcome:?}"
        );
        outcome
    }

    fn call(&mut self, delta: &ToolCallDelta) {
        if delta.index == self.calls.len() {
            self.calls.push(Call {
                id: delta.id.clone().expect("the first delta has the id"),
                name: delta.name.clone().expect("the first delta has the name"),
                ..Call::default()
            });
        } else {
            assert!(
                delta.id.is_none() && delta.name.is_none(),
                "id or name again"
            );
        }
        let call = &mut self.calls[delta.index];
        call.arguments.push_str(&delta.arguments);
        call.extra.extend(delta.extra.clone());
    }

    /// The outcome, which must have no error.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.error, None);
        self
    }

    /// The error, which there must be.
    pub(crate) fn err(self) -> Failure {
        self.error.expect("an error was expected")
    }
}

/// A body and how it is read.
pub(crate) struct Case {
    pub(crate) options: DecodeOptions,
    pub(crate) redactor: Redactor,
    pub(crate) media_type: Option<&'static str>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            options: DecodeOptions::default(),
            redactor: Redactor::default(),
            media_type: Some("text/event-stream"),
        }
    }
}

impl Case {
    pub(crate) fn with(change: impl FnOnce(&mut DecodeOptions)) -> Self {
        let mut case = Self::default();
        change(&mut case.options);
        case
    }

    pub(crate) fn media_type(mut self, media_type: Option<&'static str>) -> Self {
        self.media_type = media_type;
        self
    }

    /// One run over these pieces.
    pub(crate) fn run<'a>(
        &self,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<ModelEvent>, Option<ProviderError>) {
        let mut decoder =
            BodyDecoder::new(self.options.clone(), self.redactor.clone(), self.media_type);
        let mut events = Vec::new();
        let mut error = None;
        for piece in pieces {
            let pushed = decoder.push(piece);
            events.extend(std::iter::from_fn(|| decoder.next_event()));
            error = pushed.err();
            if error.is_some() || decoder.is_done() {
                break;
            }
        }
        if error.is_none() {
            error = decoder.finish().err();
            events.extend(std::iter::from_fn(|| decoder.next_event()));
        }
        (events, error)
    }

    /// Reads `body` whole and under every kind of cut, and proves that nothing differs.
    pub(crate) fn read(&self, body: impl AsRef<[u8]>) -> Outcome {
        let body = body.as_ref();
        let (events, error) = self.run([body]);
        let show = |error: &Option<ProviderError>| error.as_ref().map(ToString::to_string);
        let same = |pieces: Vec<&[u8]>, what: &str| {
            let (cut_events, cut_error) = self.run(pieces);
            assert_eq!(cut_events, events, "other events: {what}");
            assert_eq!(show(&cut_error), show(&error), "another error: {what}");
        };
        same(body.chunks(1).collect(), "one byte at a time");
        same(body.split_inclusive(|b| *b == b'\n').collect(), "by lines");
        let step = (body.len() / 2_000).max(1);
        for at in (1..body.len()).step_by(step) {
            let (left, right) = body.split_at(at);
            same(vec![left, right], &format!("cut at {at}"));
        }
        for seed in 0..20_u64 {
            let mut random = Random(seed + 1);
            let mut pieces = Vec::new();
            let mut rest = body;
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(1 + random.below(rest.len().min(40)));
                pieces.push(piece);
                rest = after;
            }
            same(pieces, &format!("random cuts, seed {seed}"));
        }
        Outcome::of(&events, error)
    }
}

/// A small generator, so that a seed says everything.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

/// Reads a body with the default options.
pub(crate) fn read(body: impl AsRef<[u8]>) -> Outcome {
    Case::default().read(body)
}

/// Payloads as an event stream.
pub(crate) fn sse<'a>(payloads: impl IntoIterator<Item = &'a str>) -> String {
    payloads
        .into_iter()
        .map(|payload| format!("data: {payload}\n\n"))
        .collect()
}

/// A chunk whose delta is this JSON.
pub(crate) fn delta(delta: &str) -> String {
    format!(
        r#"{{"id":"c1","object":"chat.completion.chunk","model":"m1","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#
    )
}

/// A chunk with text.
pub(crate) fn text(text: &str) -> String {
    delta(&serde_json::json!({ "content": text }).to_string())
}

/// The last chunk of a choice.
pub(crate) fn finish(reason: &str) -> String {
    format!(
        r#"{{"id":"c1","object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#
    )
}

/// A whole stream: these chunks, the finish `stop`, and the end marker.
pub(crate) fn stream(chunks: &[&str]) -> String {
    stream_ending(chunks, "stop")
}

/// A whole stream with this finish reason.
pub(crate) fn stream_ending(chunks: &[&str], reason: &str) -> String {
    let end = finish(reason);
    sse(chunks.iter().copied().chain([end.as_str(), "[DONE]"]))
}
