//! Reading an answer the way a result does, and what holds for every answer.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;

use agently_api::data::{CompletionSource, WarningKind};
use agently_core::format::{AnswerParser, Format, Layout};
use agently_core::instant::DocumentState;
use agently_core::Schema;
use serde_json::{json, Value};

/// One event, in short.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) at: usize,
    pub(crate) path: String,
    pub(crate) delta: Option<String>,
    pub(crate) value: Value,
    pub(crate) source: Option<CompletionSource>,
}

/// What came of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) events: Vec<Event>,
    pub(crate) state: DocumentState,
    pub(crate) data: Option<Value>,
    pub(crate) warnings: Vec<WarningKind>,
    pub(crate) format: Format,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "so that the cases read as literals"
)]
pub(crate) fn schema(value: Value) -> Schema {
    Schema::from_value(&value).unwrap()
}

/// Reads an answer that comes in these pieces.
pub(crate) fn read<S: AsRef<str>>(format: Format, schema: &Schema, deltas: &[S]) -> Read {
    let layout = Layout::new(format, schema).unwrap();
    let mut parser = AnswerParser::new(&layout, 1);
    let mut events = Vec::new();
    let mut note = |at: usize, item: agently_api::data::StreamingData| {
        events.push(Event {
            at,
            path: item.path.to_string(),
            delta: item.delta.as_ref().map(ToString::to_string),
            value: item.value().to_value(),
            source: item.completion_source,
        });
    };
    for (at, delta) in deltas.iter().enumerate() {
        parser.push(delta.as_ref(), &mut |item| note(at, item));
    }
    let document = parser.finish(&mut |item| note(deltas.len(), item));
    Read {
        events,
        state: document.state,
        data: document.value.map(|node| node.to_value()),
        warnings: document
            .warnings
            .iter()
            .map(|warning| warning.kind)
            .collect(),
        format: document.format,
    }
}

impl Read {
    /// The completions: path, value, how each was found.
    pub(crate) fn completions(&self) -> Vec<(String, Value, CompletionSource)> {
        self.events
            .iter()
            .filter_map(|event| Some((event.path.clone(), event.value.clone(), event.source?)))
            .collect()
    }

    /// The deltas of each path, joined.
    pub(crate) fn joined(&self) -> BTreeMap<String, String> {
        let mut joined = BTreeMap::<String, String>::new();
        for event in &self.events {
            if let Some(delta) = &event.delta {
                joined
                    .entry(event.path.clone())
                    .or_default()
                    .push_str(delta);
            }
        }
        joined
    }

    /// The deltas as `(at, path, delta)`.
    pub(crate) fn deltas(&self) -> Vec<(usize, &str, &str)> {
        self.events
            .iter()
            .filter_map(|event| Some((event.at, event.path.as_str(), event.delta.as_deref()?)))
            .collect()
    }
}

/// Every character alone.
pub(crate) fn letters(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

/// Asserts what holds for every answer, however it is cut; gives what came of it as one piece.
pub(crate) fn lawful(format: Format, schema: &Schema, text: &str) -> Read {
    let whole = read(format, schema, &[text]);
    check(&whole, text);
    let mut cuts: Vec<Vec<String>> = vec![letters(text)];
    for size in [2, 3, 7] {
        let letters: Vec<char> = text.chars().collect();
        cuts.push(
            letters
                .chunks(size)
                .map(|piece| piece.iter().collect())
                .collect(),
        );
    }
    if text.len() < 400 {
        for (at, _) in text.char_indices().skip(1) {
            cuts.push(vec![text[..at].to_owned(), text[at..].to_owned()]);
        }
    }
    for cut in cuts {
        let other = read(format, schema, &cut);
        check(&other, text);
        assert_eq!(other.completions(), whole.completions(), "{format} {cut:?}");
        assert_eq!(other.joined(), whole.joined(), "{format} {cut:?}");
        assert_eq!(other.state, whole.state, "{format} {cut:?}");
        assert_eq!(other.data, whole.data, "{format} {cut:?}");
        assert_eq!(other.warnings, whole.warnings, "{format} {cut:?}");
    }
    whole
}

fn check(read: &Read, text: &str) {
    let mut sent = BTreeMap::<String, String>::new();
    let mut done = BTreeMap::<String, &Event>::new();
    let mut last: Option<(usize, &str)> = None;
    for event in &read.events {
        match &event.delta {
            Some(delta) => {
                assert!(!delta.is_empty(), "an empty delta in {text:?}");
                assert!(
                    !done.contains_key(&event.path),
                    "late: {event:?} in {text:?}"
                );
                assert_ne!(
                    last,
                    Some((event.at, event.path.as_str())),
                    "two deltas in {text:?}"
                );
                last = Some((event.at, &event.path));
                let sent = sent.entry(event.path.clone()).or_default();
                sent.push_str(delta);
                if let Value::String(value) = &event.value {
                    assert_eq!(value, sent, "{text:?}");
                }
            }
            None => {
                let before = done.insert(event.path.clone(), event);
                assert!(before.is_none(), "twice done: {event:?} in {text:?}");
                if event.source != Some(CompletionSource::FinalReconciliation) {
                    if let Value::String(value) = &event.value {
                        let sent = sent.get(&event.path).map_or("", |sent| sent);
                        assert_eq!(value, sent, "{text:?}");
                    }
                }
            }
        }
    }
    if matches!(read.state, DocumentState::Complete | DocumentState::Open) {
        let Some(Value::Object(fields)) = &read.data else {
            return;
        };
        for (name, value) in fields {
            assert_eq!(&done[name].value, value, "{text:?}");
        }
    }
}

/// Reads an answer letter by letter, without keeping the events: gives the data.
pub(crate) fn skim(format: Format, schema: &Schema, text: &str) -> Option<Value> {
    let layout = Layout::new(format, schema).unwrap();
    let mut parser = AnswerParser::new(&layout, 1);
    let mut letter = [0; 4];
    for next in text.chars() {
        parser.push(next.encode_utf8(&mut letter), &mut |_| {});
    }
    parser.finish(&mut |_| {}).value.map(|node| node.to_value())
}

/// Two texts and three values of other kinds.
pub(crate) fn mixed() -> Schema {
    schema(json!({
        "title": ["str", "Title", true],
        "body": ["str", "Body"],
        "tags": [["str", "Tag"]],
        "n": ["int", "Number"],
        "meta": { "score": ["float", "Score"], "note": ["str", "Note"] },
    }))
}

pub(crate) fn texts() -> Schema {
    schema(json!({ "title": ["str", "Title"], "body": ["str", "Body"] }))
}

/// Reads each answer under every cut, and compares the data.
pub(crate) fn table(format: Format, schema: &Schema, cases: &[(&str, &str, Value)]) {
    for (what, text, data) in cases {
        let read = lawful(format, schema, text);
        assert!(
            matches!(read.state, DocumentState::Complete | DocumentState::Open),
            "{what}: {:?}",
            read.state
        );
        assert_eq!(read.data.as_ref(), Some(data), "{what}");
        assert_eq!(read.warnings, [], "{what}");
    }
}
