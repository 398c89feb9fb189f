//! The laws of paths, deltas and value views.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::HashSet;

use agently_api::data::{
    AttemptStatus, CompletionSource, DeltaText, EventType, Node, Path, Segment, StreamingData,
    TextView, ValueView,
};
use proptest::prelude::*;
use serde_json::{json, Value};

fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![
        "[a-c.\\[\\]é]{0,3}".prop_map(|key| Segment::Key(key.into())),
        (0_usize..3).prop_map(Segment::Index),
    ]
}

fn segments() -> impl Strategy<Value = Vec<Segment>> {
    proptest::collection::vec(segment(), 0..6)
}

fn path(segments: &[Segment]) -> Path {
    segments
        .iter()
        .fold(Path::root(), |path, segment| path.child(segment.clone()))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_path_gives_back_the_steps_it_was_made_of(steps in segments()) {
        let path = path(&steps);
        prop_assert_eq!(path.segments(), steps.iter().collect::<Vec<_>>());
        prop_assert_eq!(path.depth(), steps.len());
        prop_assert_eq!(path.is_root(), steps.is_empty());
        prop_assert_eq!(path.last(), steps.last());
        let indexes: Vec<_> = steps.iter().filter_map(|step| match step {
            Segment::Index(index) => Some(*index),
            Segment::Key(_) => None,
        }).collect();
        prop_assert_eq!(path.indexes(), indexes);
    }

    #[test]
    fn a_child_knows_its_parent(steps in segments(), step in segment()) {
        let parent = path(&steps);
        let child = parent.child(step);
        prop_assert_eq!(child.parent(), Some(&parent));
        prop_assert!(child.as_str().starts_with(parent.as_str()));
        prop_assert!(child != parent);
    }

    #[test]
    fn paths_are_equal_when_their_steps_are(left in segments(), right in segments()) {
        let same = left == right;
        let (left, right) = (path(&left), path(&right));
        prop_assert_eq!(left == right, same);
        prop_assert_eq!(right == left, same);
        let distinct: HashSet<_> = [left.clone(), right, left].into();
        prop_assert_eq!(distinct.len(), if same { 1 } else { 2 });
    }

    #[test]
    fn the_wildcard_form_differs_in_the_positions_only(keys in proptest::collection::vec("[a-z]{1,3}", 1..4), index in 0_usize..100) {
        let path = keys.iter().fold(Path::root(), |path, key| path.key(key.as_str()).index(index));
        let position = format!("[{index}]");
        prop_assert_eq!(path.as_str().replace(&position, "[*]"), path.wildcard());
        prop_assert_eq!(path.to_string(), path.as_str());
        prop_assert_eq!(path.as_str(), keys.join(&format!("{position}.")) + &position);
    }

    #[test]
    fn a_delta_is_its_text_whatever_the_length(text in "[a-zé😀]{0,30}") {
        let delta = DeltaText::from(text.as_str());
        prop_assert_eq!(delta.as_str(), &text);
        prop_assert_eq!(&delta.clone(), &delta);
        prop_assert_eq!(delta.to_string(), text.clone());
        prop_assert_eq!(format!("{delta:?}"), format!("{text:?}"));
    }

    /// Any order of appending to any of the views: none ever shows another text than its own.
    #[test]
    fn a_view_of_a_text_never_changes(steps in proptest::collection::vec((any::<prop::sample::Index>(), "[aé😀]{0,4}"), 0..30)) {
        let mut views = vec![(TextView::new(), String::new())];
        for (which, piece) in steps {
            let (mut view, mut text) = which.get(&views).clone();
            view.append(&piece);
            text.push_str(&piece);
            views.push((view, text));
            for (view, text) in &views {
                prop_assert_eq!(&view.to_string(), text);
                prop_assert_eq!(view.len(), text.len());
                prop_assert_eq!(view.is_empty(), text.is_empty());
            }
        }
    }

    #[test]
    fn a_value_survives_being_shared(value in value()) {
        let view = ValueView::new(Node::from(&value));
        prop_assert_eq!(&view.to_value(), &value);
        prop_assert_eq!(&view.clone(), &value);
        prop_assert_eq!(view.to::<Value>().unwrap(), value);
    }

    #[test]
    fn a_value_is_written_as_serde_json_writes_it(value in value()) {
        let view = ValueView::new(Node::from(&value));
        let item = StreamingData::completion(
            Path::root().key("field"), view, CompletionSource::ObservedBoundary, 1,
        );
        let written = serde_json::to_string(&item).unwrap();
        let expected = format!(r#""value":{}"#, serde_json::to_string(&value).unwrap());
        prop_assert!(written.contains(&expected), "{} has no {}", written, expected);
    }

    #[test]
    fn a_field_of_an_object_is_found_by_its_key(value in value(), key in any::<String>()) {
        let node = Node::from(&value);
        prop_assert_eq!(node.get(&key).map(Node::to_value), value.get(&key).cloned());
        if let Some((first, inner)) = value.as_object().and_then(|fields| fields.iter().next()) {
            prop_assert_eq!(&node.get(first).unwrap().to_value(), inner);
        }
    }
}

#[test]
fn paths_that_print_alike_are_not_the_same_path() {
    let dotted = Path::root().key("a.b");
    let nested = Path::root().key("a").key("b");
    assert_eq!(dotted.as_str(), nested.as_str());
    assert_ne!(dotted, nested);
}

#[test]
fn a_value_can_be_read_as_a_type_or_says_why_not() {
    let view = ValueView::new(Node::from(&json!({"items": [1, 2]})));
    let items: std::collections::BTreeMap<String, Vec<u8>> = view.to().unwrap();
    assert_eq!(items["items"], [1, 2]);
    let error = view.to::<Vec<u8>>().unwrap_err().to_string();
    assert!(error.contains("map"), "{error}");
    assert_eq!(view.with_str(str::len), None);
}

#[test]
fn cloning_a_large_value_shares_it() {
    let large = Node::from(&Value::from(vec![0; 1_000]));
    let (Node::Array(one), Node::Array(two)) = (&large.clone(), &large) else {
        panic!("a list became something else");
    };
    assert!(std::sync::Arc::ptr_eq(one, two));
}

#[test]
fn an_item_is_a_delta_a_completion_or_a_status() {
    let view = ValueView::new(Node::Bool(true));
    let delta = StreamingData::delta(
        Path::root().key("a"),
        DeltaText::from("true"),
        view.clone(),
        1,
    );
    assert_eq!(delta.event_type(), EventType::Delta);
    assert!(delta.status().is_none() && delta.completion_source.is_none());

    let done = StreamingData::completion(
        Path::root().key("a"),
        view,
        CompletionSource::FinalReconciliation,
        1,
    );
    assert_eq!(done.event_type(), EventType::Done);
    assert!(done.delta.is_none() && done.is_complete);

    let status = StreamingData::from_status(AttemptStatus::retrying(3, "no JSON"));
    assert_eq!(status.path, "$status");
    assert_eq!(status.attempt, 3);
    let told = status.status().unwrap();
    assert!(told.retry);
    assert_eq!(told.next_attempt_index, Some(4));
    assert_eq!(status.value().to_value()["reason"], "no JSON");
}

#[test]
fn a_view_can_be_read_while_it_is_read() {
    let mut text = TextView::new();
    text.append("ab");
    let twin = text.clone();
    let nested = text.with_str(|outer| {
        text.clone().append("c");
        twin.with_str(|inner| format!("{outer}{inner}{text:?}"))
    });
    assert_eq!(nested, "abab\"ab\"");
}
