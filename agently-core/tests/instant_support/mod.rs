//! Runs deltas through the parser and writes down what comes out, one line an event.

#![allow(dead_code, reason = "each test file uses a part of this")]

use agently_api::data::{CompletionSource, StreamingData};
use agently_core::instant::{Document, FieldParser, RootShape};
use serde_json::Value;

pub(crate) struct Run {
    /// `1 title + text` for a delta that came with delta 1, `1 title = "text"` for a completion
    /// whose end was seen, `1 title ~ "text"` for one at the end of the stream.
    pub(crate) lines: Vec<String>,
    pub(crate) document: Document,
}

impl Run {
    pub(crate) fn data(&self) -> Option<Value> {
        self.document.value.as_ref().map(|node| node.to_value())
    }

    /// The lines without the number of the delta.
    pub(crate) fn untimed(&self) -> Vec<&str> {
        self.lines
            .iter()
            .filter_map(|line| line.split_once(' ').map(|(_, rest)| rest))
            .collect()
    }
}

pub(crate) fn line(at: usize, item: &StreamingData) -> String {
    let path = &item.path;
    let mark = match item.completion_source {
        Some(CompletionSource::ObservedBoundary) => '=',
        Some(CompletionSource::SyntheticRepair) => '~',
        Some(_) => '!',
        None => '+',
    };
    match &item.delta {
        Some(delta) => format!("{at} {path} + {delta}"),
        None => format!("{at} {path} {mark} {}", item.value().to_value()),
    }
}

pub(crate) fn run(shape: &RootShape, deltas: &[&str]) -> Run {
    let mut parser = FieldParser::new(shape, 1);
    let mut lines = Vec::new();
    for (at, delta) in deltas.iter().enumerate() {
        parser.push(delta, &mut |item| lines.push(line(at, &item)));
    }
    let document = parser.finish(&mut |item| lines.push(line(deltas.len(), &item)));
    Run { lines, document }
}

/// Runs an answer to an open schema.
pub(crate) fn open(deltas: &[&str]) -> Run {
    run(&RootShape::Open, deltas)
}
