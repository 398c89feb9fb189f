//! What holds for every answer, however it is cut.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod instant_support;

use std::collections::HashMap;

use agently_api::data::{CompletionSource, StreamingData};
use agently_core::instant::{
    DocumentState, FieldParser, FieldPath, FieldScanner, FieldVisitor, ItemShape, RootShape,
    ValueRef,
};
use instant_support::{open, run, Run};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Number, Value};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        vec(
            select(vec![
                "\n", "\"", "\\", "é", "中文", "😀", "'", "\u{1}", "{", "//", "x"
            ]),
            0..8
        )
        .prop_map(|parts| parts.concat()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL
            .prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((text(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn root() -> impl Strategy<Value = Value> {
    prop_oneof![
        vec((text(), value()), 0..6)
            .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        vec(value(), 1..6).prop_map(|items| Value::from(vec![Value::from(items)])),
    ]
}

/// Text that looks like a document, to a model.
fn soup() -> impl Strategy<Value = String> {
    vec(
        select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "'",
            "\\",
            "\"a\"",
            "\"b\":",
            "a:",
            "1",
            "-",
            ".5",
            "e",
            "0",
            "true",
            "null",
            "NaN",
            "Non",
            "e",
            "/",
            "/*",
            "*/",
            "//",
            "#",
            "\n",
            " ",
            "\\u",
            "d83d",
            "\\ude00",
            "\\n",
            "é",
            "😀",
            "\u{201c}",
            "```",
            "json",
            "~~~\n",
            "```json\n",
            "x",
            "{\"a\":",
            "\u{feff}",
        ]),
        0..40,
    )
    .prop_map(|parts| parts.concat())
}

fn shape() -> impl Strategy<Value = RootShape> {
    prop_oneof![
        Just(RootShape::Open),
        Just(RootShape::object(["a", "b", "aé"])),
        Just(RootShape::list(ItemShape::ANY)),
        Just(RootShape::list(ItemShape::STRING)),
    ]
}

/// Cuts a text where the marks say.
fn cut(text: &str, marks: &[bool]) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for (index, next) in text.chars().enumerate() {
        if marks.get(index % marks.len().max(1)) == Some(&true) {
            pieces.push(String::new());
        }
        pieces.last_mut().unwrap().push(next);
    }
    pieces
}

fn run_cut(shape: &RootShape, text: &str, marks: &[bool]) -> Run {
    let pieces = cut(text, marks);
    run(
        shape,
        &pieces.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

/// The events with each string's deltas joined.
fn joined(items: &[StreamingData]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = None;
    for item in items {
        let path = format!("{:?}", item.path.segments());
        if let Some(delta) = &item.delta {
            match lines.last_mut() {
                Some(line) if open.as_ref() == Some(&path) => line.push_str(delta),
                _ => lines.push(format!("{path} + {delta}")),
            }
            open = Some(path);
        } else {
            open = None;
            let value = item.value().to_value();
            lines.push(format!("{path} {:?} {value}", item.completion_source));
        }
    }
    lines
}

fn items(shape: &RootShape, pieces: &[String]) -> Vec<StreamingData> {
    let mut parser = FieldParser::new(shape, 1);
    let mut items = Vec::new();
    for piece in pieces {
        parser.push(piece, &mut |item| items.push(item));
    }
    parser.finish(&mut |item| items.push(item));
    items
}

/// One line an event, without the content of containers.
struct Lines(Vec<String>);

impl FieldVisitor for Lines {
    fn delta(&mut self, path: &FieldPath, delta: &str, value: ValueRef<'_>) {
        assert_eq!(path.to_path().as_str(), path.as_str());
        self.0.push(format!("{path} + {delta} {}", plain(value)));
    }

    fn complete(&mut self, path: &FieldPath, value: ValueRef<'_>, source: CompletionSource) {
        self.0.push(format!("{path} {source} {}", plain(value)));
    }
}

fn plain(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Bool(flag) => flag.to_string(),
        ValueRef::Number(number) => number.to_string(),
        ValueRef::String(text) => Value::from(text).to_string(),
        ValueRef::List => "[]".to_owned(),
        ValueRef::Object => "{}".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn plain_item(item: &StreamingData) -> String {
    let path = &item.path;
    let value = match item.value().to_value() {
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    };
    match (&item.delta, item.completion_source) {
        (Some(delta), _) => format!("{path} + {delta} {value}"),
        (None, Some(source)) => format!("{path} {source} {value}"),
        (None, None) => panic!("neither a delta nor a completion"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_json_is_read_as_serde_json_reads_it(value in root(), pretty: bool, marks in vec(any::<bool>(), 1..8)) {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        let run = run_cut(&RootShape::Open, &text, &marks);
        prop_assert_eq!(run.document.state, DocumentState::Complete);
        prop_assert_eq!(run.document.range.clone(), Some(0..text.len()));
        prop_assert_eq!(run.data(), Some(value));
        prop_assert!(run.document.warnings.is_empty());
    }

    #[test]
    fn any_cut_gives_the_same_completions_and_strings(
        text in prop_oneof![soup(), root().prop_map(|value| value.to_string())],
        shape in shape(),
        marks in vec(any::<bool>(), 1..8),
    ) {
        let whole = run(&shape, &[&text]);
        let chars = run_cut(&shape, &text, &[true]);
        let events = joined(&items(&shape, std::slice::from_ref(&text)));
        prop_assert_eq!(&events, &joined(&items(&shape, &cut(&text, &marks))));
        prop_assert_eq!(&events, &joined(&items(&shape, &cut(&text, &[true]))));
        prop_assert_eq!(whole.document.state, chars.document.state);
        prop_assert_eq!(&whole.document.range, &chars.document.range);
        prop_assert_eq!(&whole.document.warnings, &chars.document.warnings);
        prop_assert_eq!(whole.data(), chars.data());
    }

    #[test]
    fn joined_deltas_are_the_value_and_every_value_is_what_came_so_far(
        value in root(),
        marks in vec(any::<bool>(), 1..8),
    ) {
        let mut texts: HashMap<String, String> = HashMap::new();
        for item in items(&RootShape::Open, &cut(&value.to_string(), &marks)) {
            let text = texts.entry(format!("{:?}", item.path.segments())).or_default();
            if let Some(delta) = &item.delta {
                text.push_str(delta);
            }
            if let Some(is_same) = item.value().with_str(|value| value == text) {
                prop_assert!(is_same, "{item:?}");
            }
        }
    }

    #[test]
    fn every_path_completes_once_and_after_its_children(
        value in root(),
        cut_off in any::<prop::sample::Index>(),
    ) {
        let text = value.to_string();
        let end = (0..=cut_off.index(text.len() + 1)).rev().find(|&end| text.is_char_boundary(end)).unwrap();
        let mut done: Vec<Vec<String>> = Vec::new();
        for item in items(&RootShape::Open, &[text[..end].to_owned()]) {
            let path: Vec<_> = item.path.segments().iter().map(|segment| format!("{segment:?}")).collect();
            prop_assert!(!path.is_empty(), "the root has no event");
            let later = done.iter().any(|other| path.starts_with(other));
            prop_assert!(!later, "{item:?} after its completion or its container's");
            if item.is_complete {
                done.push(path);
            }
        }
        if end == text.len() {
            let count = |value: &Value| -> usize {
                fn count(value: &Value) -> usize {
                    1 + match value {
                        Value::Array(items) => items.iter().map(count).sum(),
                        Value::Object(fields) => fields.values().map(count).sum::<usize>(),
                        _ => 0,
                    }
                }
                count(value) - 1
            };
            prop_assert_eq!(done.len(), count(&value));
        }
    }

    #[test]
    fn no_delta_is_late(
        parts in vec(select(vec!["a", "é", "\\n", "\\\"", "\\u00e9", "\\ud83d\\ude00", "/", "😀", " "]), 0..12),
    ) {
        let raw = parts.concat();
        let mut parser = FieldParser::new(&RootShape::Open, 1);
        let mut shown = String::new();
        parser.push("{\"a\":\"", &mut |_| {});
        let mut so_far = String::new();
        for next in raw.chars() {
            so_far.push(next);
            parser.push(next.encode_utf8(&mut [0; 4]), &mut |item| shown.push_str(item.delta.as_ref().unwrap()));
            // What serde_json can decode of it: all but the last characters of an unfinished escape.
            let decoded = (0..=so_far.len())
                .rev()
                .filter(|&end| so_far.is_char_boundary(end))
                .find_map(|end| serde_json::from_str::<String>(&format!("\"{}\"", &so_far[..end])).ok());
            prop_assert_eq!(Some(&shown), decoded.as_ref(), "after {}", so_far);
        }
    }

    #[test]
    fn a_silenced_stream_emits_nothing_after(soup in soup(), more in soup()) {
        let text = format!("{{\"a\":{soup}");
        let first = open(&[&text]);
        if let DocumentState::Silenced { offset, .. } = first.document.state {
            let end = offset + text[offset..].chars().next().unwrap().len_utf8();
            let shorter = open(&[&text[..end]]);
            prop_assert_eq!(shorter.document.state, first.document.state);
            prop_assert_eq!(&shorter.lines, &first.lines);
            let longer = open(&[&text, &more]);
            prop_assert_eq!(&longer.lines, &first.lines);
        }
    }

    #[test]
    fn the_scanner_and_the_parser_agree(text in soup(), shape in shape(), marks in vec(any::<bool>(), 1..8)) {
        let pieces = cut(&text, &marks);
        let mut lines = Lines(Vec::new());
        let mut scanner = FieldScanner::new(&shape);
        for piece in &pieces {
            scanner.push(piece, &mut lines);
        }
        scanner.finish(&mut lines);
        let expected: Vec<_> = items(&shape, &pieces).iter().map(plain_item).collect();
        prop_assert_eq!(lines.0, expected);
    }

    #[test]
    fn the_data_is_what_the_last_completions_said(text in soup()) {
        let mut last: HashMap<String, Value> = HashMap::new();
        let run = open(&[&text]);
        if matches!(run.document.state, DocumentState::Complete | DocumentState::Open) {
            for item in items(&RootShape::Open, &[text]) {
                if item.is_complete && item.path.depth() == 1 {
                    last.insert(format!("{:?}", item.path.last()), item.value().to_value());
                }
            }
            let said: HashMap<_, _> = match run.data().unwrap() {
                Value::Object(fields) => fields
                    .into_iter()
                    .map(|(key, value)| (format!("Some(Key({key:?}))"), value))
                    .collect(),
                Value::Array(items) => items
                    .into_iter()
                    .enumerate()
                    .map(|(index, value)| (format!("Some(Index({index}))"), value))
                    .collect(),
                other => panic!("{other}"),
            };
            prop_assert_eq!(last, said);
        }
    }
}
