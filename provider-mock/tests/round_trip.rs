//! The law of cassettes: what was recorded and what is replayed are the same, for any answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use agently_api::data::{Warning, WarningKind};
use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{
    FinishReason, ModelEvent, ModelProvider, RawEvent, ResponseInfo, ToolCallDelta, Usage,
};
use agently_provider_mock::cassette::{Cassette, Recorder, Timing};
use agently_provider_mock::{MockProvider, Reply};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{any, prop_oneof, Just, Strategy};
use proptest::{prop_assert_eq, proptest};
use serde_json::{Map, Value};
use support::{ask, drain, Item, Virtual};

const KINDS: [ProviderErrorKind; 22] = [
    ProviderErrorKind::Config,
    ProviderErrorKind::Connect,
    ProviderErrorKind::Tls,
    ProviderErrorKind::Proxy,
    ProviderErrorKind::Redirect,
    ProviderErrorKind::HeadersTimeout,
    ProviderErrorKind::IdleTimeout,
    ProviderErrorKind::NoProgress,
    ProviderErrorKind::Deadline,
    ProviderErrorKind::Truncated,
    ProviderErrorKind::Protocol,
    ProviderErrorKind::ContentType,
    ProviderErrorKind::Decode,
    ProviderErrorKind::Limit,
    ProviderErrorKind::Provider,
    ProviderErrorKind::RateLimited,
    ProviderErrorKind::Quota,
    ProviderErrorKind::Length,
    ProviderErrorKind::ContentFilter,
    ProviderErrorKind::Empty,
    ProviderErrorKind::Cancelled,
    ProviderErrorKind::Other,
];

fn text() -> impl Strategy<Value = String> {
    // Any characters, line ends and controls among them.
    vec(any::<char>(), 0..12).prop_map(String::from_iter)
}

fn finish() -> impl Strategy<Value = FinishReason> {
    prop_oneof![
        Just(FinishReason::Stop),
        Just(FinishReason::Length),
        Just(FinishReason::ToolCalls),
        Just(FinishReason::ContentFilter),
        Just(FinishReason::Unknown),
        text().prop_map(FinishReason::Other),
        Just(FinishReason::Other("stop".to_owned())),
    ]
}

fn usage() -> impl Strategy<Value = Usage> {
    (vec(of(any::<u64>()), 5)).prop_map(|counts| {
        let mut usage = Usage::default();
        usage.input_tokens = counts[0];
        usage.output_tokens = counts[1];
        usage.total_tokens = counts[2];
        usage.cached_input_tokens = counts[3];
        usage.reasoning_tokens = counts[4];
        usage
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((text(), inner), 0..3).prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

fn tool_call() -> impl Strategy<Value = ToolCallDelta> {
    (
        0..4_usize,
        of(text()),
        of(text()),
        text(),
        vec((text(), value()), 0..3),
    )
        .prop_map(|(index, id, name, arguments, extra)| {
            let mut delta = ToolCallDelta::arguments(index, arguments);
            delta.id = id;
            delta.name = name;
            delta.extra = Map::from_iter(extra);
            delta
        })
}

fn event() -> impl Strategy<Value = ModelEvent> {
    let kinds = [
        WarningKind::Wire,
        WarningKind::InvalidText,
        WarningKind::Format,
        WarningKind::Repair,
        WarningKind::Value,
    ];
    prop_oneof![
        (of(text()), of(text()), of(text())).prop_map(|(id, model, request_id)| {
            let mut info = ResponseInfo::default();
            info.id = id;
            info.model = model;
            info.request_id = request_id;
            ModelEvent::Started(info)
        }),
        text().prop_map(ModelEvent::TextDelta),
        text().prop_map(ModelEvent::ReasoningDelta),
        text().prop_map(ModelEvent::RefusalDelta),
        tool_call().prop_map(ModelEvent::ToolCallDelta),
        usage().prop_map(ModelEvent::Usage),
        finish().prop_map(ModelEvent::Finish),
        (of(text()), text()).prop_map(|(name, data)| ModelEvent::Raw(RawEvent::new(name, data))),
        (0..kinds.len(), text())
            .prop_map(move |(kind, text)| ModelEvent::Warning(Warning::new(kinds[kind], text))),
    ]
}

/// How to make an error: errors cannot be cloned.
#[derive(Clone, Debug)]
struct Failure {
    kind: ProviderErrorKind,
    texts: Vec<String>,
    given: Vec<bool>,
    status: u16,
    retry_after: Duration,
    bytes: u64,
    sources: Vec<String>,
}

impl Failure {
    fn make(&self) -> ProviderError {
        let mut error = ProviderError::new(self.kind, &self.texts[0])
            .with_retryable(self.given[0])
            .with_maybe_billed(self.given[1])
            .with_bytes_received(self.bytes);
        if self.given[2] {
            let earlier = ProviderError::new(self.kind, &self.texts[1]).with_status(self.status);
            let first = ProviderError::new(ProviderErrorKind::Connect, &self.texts[2]);
            error = error.with_attempts(vec![first.to_attempt(), earlier.to_attempt()]);
        }
        if self.given[3] {
            error = error.with_hint(&self.texts[3]).with_status(self.status);
        }
        if self.given[4] {
            error = error
                .with_code(&self.texts[4])
                .with_error_type(&self.texts[5]);
        }
        if self.given[5] {
            error = error
                .with_request_id(&self.texts[6])
                .with_retry_after(self.retry_after);
        }
        let mut below: Option<Box<Below>> = None;
        for text in &self.sources {
            below = Some(Box::new(Below(text.clone(), below)));
        }
        match below {
            Some(below) => error.with_source(below as Box<dyn Error + Send + Sync>),
            None => error,
        }
    }
}

#[derive(Debug)]
struct Below(String, Option<Box<Self>>);

impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Below {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|below| below as &dyn Error)
    }
}

fn failure() -> impl Strategy<Value = Failure> {
    (
        (0..KINDS.len(), vec(text(), 7), vec(any::<bool>(), 6)),
        (
            any::<u16>(),
            any::<Duration>(),
            any::<u64>(),
            vec(text(), 0..3),
        ),
    )
        .prop_map(
            |((kind, texts, given), (status, retry_after, bytes, sources))| Failure {
                kind: KINDS[kind],
                texts,
                given,
                status,
                retry_after,
                bytes,
                sources,
            },
        )
}

fn reply() -> impl Strategy<Value = Reply> {
    let events = || {
        vec((event(), 0..2_000_u64), 0..10).prop_map(|events| {
            events
                .into_iter()
                .fold(Reply::empty(), |reply, (event, pause)| {
                    reply.pause(Duration::from_millis(pause)).event(event)
                })
        })
    };
    prop_oneof![
        4 => (events(), of(usage()), of(finish())).prop_map(|(reply, usage, finish)| {
            let reply = usage.into_iter().fold(reply, Reply::usage);
            finish.into_iter().fold(reply, Reply::finish)
        }),
        2 => (events(), failure())
            .prop_map(|(reply, failure)| reply.error(move || failure.make())),
        1 => events().prop_map(Reply::cut),
        1 => (failure(), 0..2_000_u64).prop_map(|(failure, wait)| {
            Reply::failure(move || failure.make()).first_delay(Duration::from_millis(wait))
        }),
    ]
}

/// All that can be seen of an error.
fn seen(error: &ProviderError) -> String {
    let mut levels = Vec::new();
    let mut below = error.source();
    while let Some(level) = below {
        levels.push(level.to_string());
        below = level.source();
    }
    format!(
        "{error} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {levels:?}",
        error.kind(),
        error.message(),
        error.hint(),
        error.status(),
        error.code(),
        error.error_type(),
        error.is_retryable(),
        error.retry_after(),
        error.request_id(),
        error.bytes_received(),
        error.maybe_billed(),
        error.attempts(),
    )
}

/// What a reader sees of a call: an item each, errors spelt out, and when it was over.
fn call(
    provider: &dyn ModelProvider,
) -> (Result<Vec<Result<ModelEvent, String>>, String>, Duration) {
    let time = Virtual::new();
    let answer = time.run(async {
        match provider.stream(ask("x"), time.context()).await {
            Ok(stream) => Ok(drain(stream).await),
            Err(error) => Err(seen(&error)),
        }
    });
    let spelt = |item: Item| item.map_err(|error| seen(&error));
    (
        answer.map(|items| items.into_iter().map(spelt).collect()),
        time.elapsed(),
    )
}

proptest! {
    #[test]
    fn replayed_is_what_was_recorded(replies in vec(reply(), 1..4)) {
        let path = std::env::temp_dir()
            .join(format!("agently-round-trip-{}.jsonl", std::process::id()));
        let mock = MockProvider::new();
        let recorder = Recorder::new(mock.clone(), &path).unwrap();
        let recorded: Vec<_> = replies
            .iter()
            .map(|reply| {
                // The recorder changes nothing that passes through it.
                mock.push(reply.clone());
                let plain = call(&mock);
                mock.push(reply.clone());
                let passed = call(&recorder);
                assert_eq!(plain, passed);
                passed
            })
            .collect();
        let cassette = Cassette::load(&path);
        std::fs::remove_file(&path).unwrap();
        let cassette = cassette.unwrap();

        let timed = cassette.player().timing(Timing::Recorded);
        let immediate = cassette.player();
        for (items, length) in recorded {
            let (replayed, took) = call(&timed);
            prop_assert_eq!(&replayed, &items);
            prop_assert_eq!(took, length);
            let (replayed, took) = call(&immediate);
            prop_assert_eq!(replayed, items);
            prop_assert_eq!(took, Duration::ZERO);
        }
    }
}
