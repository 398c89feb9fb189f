//! The table of broken answers: each is read as expected, or refused, however it is streamed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_api::data::{CompletionSource, Node, Path, Segment, StreamingData};
use agently_api::model::FinishReason;
use agently_core::instant::{Document, DocumentState, FieldParser, ItemShape, RootShape};
use agently_core::repair::{repair, RepairError, Repaired};
use agently_core::schema::{Schema, Shape};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Case {
    id: String,
    schema: Value,
    text: String,
    finish: Option<String>,
    data: Option<Value>,
    #[serde(default)]
    refused: bool,
}

impl Case {
    fn schema(&self) -> Schema {
        Schema::from_value(&self.schema).unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }

    fn finish(&self) -> Option<FinishReason> {
        match self.finish.as_deref()? {
            "stop" => Some(FinishReason::Stop),
            "length" => Some(FinishReason::Length),
            _ => Some(FinishReason::Unknown),
        }
    }
}

fn cases() -> Vec<Case> {
    let table = include_str!("repair/cases.jsonl");
    table
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

fn shape(schema: &Schema) -> RootShape {
    match schema.shape() {
        Shape::List(_) => RootShape::list(ItemShape::ANY),
        _ => RootShape::object(schema.fields().iter().map(|field| field.name())),
    }
}

/// Streams the text in pieces of so many characters.
fn stream(case: &Case, size: usize) -> (Vec<StreamingData>, Document) {
    let mut items = Vec::new();
    let mut parser = FieldParser::new(&shape(&case.schema()), 1);
    let letters: Vec<char> = case.text.chars().collect();
    for piece in letters.chunks(size) {
        let piece: String = piece.iter().collect();
        parser.push(&piece, &mut |item| items.push(item));
    }
    let document = parser.finish(&mut |item| items.push(item));
    (items, document)
}

/// The final parse, as the pipeline does it.
fn judge(case: &Case, document: &Document) -> Result<Repaired, RepairError> {
    repair(
        &case.text,
        document.range.clone(),
        &case.schema(),
        case.finish().as_ref(),
    )
}

/// What a consumer has who puts every completion where it says.
fn fold(items: &[StreamingData], root: &Value) -> Value {
    let mut whole = match root {
        Value::Array(_) => Value::Array(Vec::new()),
        _ => Value::Object(Map::new()),
    };
    for item in items.iter().filter(|item| item.is_complete) {
        put(&mut whole, &item.path, item.value().to_value());
    }
    whole
}

fn put(whole: &mut Value, path: &Path, value: Value) {
    let mut at = whole;
    let segments = path.segments();
    for (index, segment) in segments.iter().enumerate() {
        let next = match segments.get(index + 1) {
            Some(Segment::Index(_)) => Value::Array(Vec::new()),
            Some(Segment::Key(_)) => Value::Object(Map::new()),
            None => Value::Null,
        };
        at = match segment {
            Segment::Key(key) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at.as_object_mut().unwrap().entry(&**key).or_insert(next)
            }
            Segment::Index(index) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let list = at.as_array_mut().unwrap();
                while list.len() <= *index {
                    list.push(next.clone());
                }
                &mut list[*index]
            }
        };
    }
    *at = value;
}

#[test]
fn every_case_is_read_as_expected_or_refused() {
    let cases = cases();
    assert!(cases.len() >= 120, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (_, document) = stream(case, usize::MAX);
        let found = judge(case, &document).map(|repaired| repaired.value.to_value());
        let right = match (&found, &case.data) {
            (Ok(found), Some(data)) => found == data,
            (Err(_), None) => case.refused,
            _ => false,
        };
        if !right {
            wrong.push(format!("{}: {found:?}\n    {}", case.id, case.text));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_case_ends_the_same_however_it_is_streamed() {
    for case in &cases() {
        let (_, whole) = stream(case, usize::MAX);
        for size in [1, 3, 7, usize::MAX] {
            let (mut items, document) = stream(case, size);
            assert_eq!(document.state, whole.state, "{} by {size}", case.id);
            assert_eq!(document.range, whole.range, "{} by {size}", case.id);
            let Some(data) = &case.data else { continue };
            let accepted = judge(case, &document)
                .unwrap_or_else(|error| panic!("{} by {size}: {error}", case.id))
                .value;
            document.reconcile(&accepted, 1, &mut |item| items.push(item));
            assert_eq!(&fold(&items, data), data, "{} by {size}", case.id);
        }
    }
}

#[test]
fn what_was_sent_otherwise_gets_a_completion_that_replaces_it() {
    let mut corrected = 0;
    for case in cases().iter().filter(|case| case.data.is_some()) {
        let (_, document) = stream(case, 3);
        let accepted = judge(case, &document).unwrap().value;
        let sent = document.value.as_ref().map(Node::to_value);
        let mut completions = Vec::new();
        document.reconcile(&accepted, 1, &mut |item| completions.push(item));
        if document.state == DocumentState::Complete {
            assert!(completions.is_empty(), "{}", case.id);
        } else if sent.as_ref() != case.data.as_ref() {
            corrected += 1;
            assert!(!completions.is_empty(), "{}", case.id);
        }
        for item in completions {
            assert_eq!(
                item.completion_source,
                Some(CompletionSource::FinalReconciliation)
            );
            assert!(item.is_complete);
        }
    }
    assert!(corrected > 50, "{corrected}");
}

#[test]
fn a_whole_document_is_read_as_the_stream_parser_read_it() {
    for case in &cases() {
        let (_, document) = stream(case, 7);
        if document.state == DocumentState::Complete {
            let repaired = judge(case, &document).unwrap();
            assert_eq!(
                Some(repaired.value.to_value()),
                document.value.map(|node| node.to_value())
            );
            assert!(
                repaired.fixes.is_empty(),
                "{}: {:?}",
                case.id,
                repaired.fixes
            );
        }
    }
}
