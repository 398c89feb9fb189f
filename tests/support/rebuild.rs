//! A reader that knows only the `Instant` stream, and builds the answer from it.

use agently::types::data::{CompletionSource, Path, Segment};
use agently::StreamingData;
use serde_json::{Map, Value};

/// What such a reader shows.
#[derive(Debug, Default)]
pub struct Shown {
    state: Option<Value>,
    /// The string that grows now, and what has come of it.
    growing: Vec<(Path, String)>,
    attempt: u32,
    ended: bool,
}

impl Shown {
    /// Takes every item of a whole stream.
    pub fn of(items: &[StreamingData]) -> Self {
        let mut shown = Self::default();
        for item in items {
            shown.take(item);
        }
        assert!(shown.ended, "the stream had no last `$status` item");
        shown
    }

    /// The answer as the completions of the last attempt say.
    pub fn state(&self) -> Value {
        self.state.clone().unwrap_or_default()
    }

    fn take(&mut self, item: &StreamingData) {
        assert!(!self.ended, "an item after the last `$status`: {item:?}");
        if let Some(status) = item.status() {
            self.ended = !status.retry;
            if status.retry {
                *self = Self::default();
                self.attempt = status.attempt_index;
            }
            return;
        }
        assert_eq!(item.attempt, self.attempt + 1, "{item:?}");
        let at = self.growing.iter().position(|(path, _)| *path == item.path);
        match (&item.delta, at) {
            (Some(delta), Some(at)) => self.growing[at].1.push_str(delta),
            (Some(delta), None) => self.growing.push((item.path.clone(), delta.to_string())),
            (None, at) => {
                let joined = at.map(|at| self.growing.remove(at).1);
                self.complete(item, joined.as_deref());
            }
        }
    }

    fn complete(&mut self, item: &StreamingData, joined: Option<&str>) {
        assert!(item.is_complete, "{item:?}");
        let value = item.value().to_value();
        match &value {
            // The final parse replaces what was sent.
            _ if item.completion_source == Some(CompletionSource::FinalReconciliation) => {}
            Value::String(text) => assert_eq!(joined.unwrap_or_default(), text, "{}", item.path),
            Value::Bool(_) | Value::Number(_) => assert!(joined.is_some(), "{}", item.path),
            _ => assert_eq!(joined, None, "{}", item.path),
        }
        put(
            self.state.get_or_insert_default(),
            &item.path.segments(),
            value,
        );
    }
}

/// Puts `value` where the segments lead, making what is missing on the way.
fn put(state: &mut Value, segments: &[&Segment], value: Value) {
    match segments {
        [] => *state = value,
        [Segment::Key(key), rest @ ..] => {
            if !state.is_object() {
                *state = Value::Object(Map::new());
            }
            put(&mut state[&**key], rest, value);
        }
        [Segment::Index(index), rest @ ..] => {
            if !state.is_array() {
                *state = Value::Array(Vec::new());
            }
            let items = state.as_array_mut().unwrap();
            // Items come in order: one more at most.
            assert!(*index <= items.len(), "item {index} of {}", items.len());
            if *index == items.len() {
                items.push(Value::Null);
            }
            put(&mut items[*index], rest, value);
        }
    }
}
