//! From what was sent to what was accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod instant_support;

use std::collections::HashMap;

use agently_api::data::{CompletionSource, Node};
use agently_core::instant::reconcile;
use instant_support::{line, open};
use proptest::prelude::*;
use serde_json::{json, Value};

fn changes(sent: Option<&Value>, accepted: &Value) -> Vec<String> {
    let sent = sent.map(Node::from);
    let mut lines = Vec::new();
    reconcile(sent.as_ref(), &Node::from(accepted), 1, &mut |item| {
        assert_eq!(
            item.completion_source,
            Some(CompletionSource::FinalReconciliation)
        );
        lines.push(line(0, &item));
    });
    lines
}

#[test]
fn only_what_was_added_or_changed_is_completed() {
    let sent = json!({"a": 1, "b": {"c": "x", "d": [1, 2]}, "e": [true]});
    let accepted = json!({"a": 1, "b": {"c": "xy", "d": [1, 2]}, "e": [true, null], "f": "new"});
    assert_eq!(
        changes(Some(&sent), &accepted),
        [
            "0 b.c ! \"xy\"",
            "0 b ! {\"c\":\"xy\",\"d\":[1,2]}",
            "0 e[1] ! null",
            "0 e ! [true,null]",
            "0 f ! \"new\"",
        ]
    );
}

#[test]
fn nothing_changed_is_nothing_to_say() {
    let value = json!({"a": [1, {"b": null}], "c": "x", "d": 1.5});
    assert!(changes(Some(&value), &value).is_empty());
}

#[test]
fn what_was_taken_away_shows_in_its_container() {
    let sent = json!({"a": {"b": 1, "c": 2}, "d": [1, 2]});
    let accepted = json!({"a": {"c": 2}, "d": [1]});
    assert_eq!(
        changes(Some(&sent), &accepted),
        ["0 a ! {\"c\":2}", "0 d ! [1]"]
    );
}

#[test]
fn another_kind_of_value_is_new() {
    assert_eq!(
        changes(
            Some(&json!({"a": [1], "b": 1})),
            &json!({"a": {"0": 1}, "b": "1"})
        ),
        ["0 a.0 ! 1", "0 a ! {\"0\":1}", "0 b ! \"1\""]
    );
}

#[test]
fn nothing_sent_is_all_new() {
    assert_eq!(
        changes(None, &json!({"a": [[]]})),
        ["0 a[0] ! []", "0 a ! [[]]"]
    );
}

#[test]
fn views_of_one_text_are_compared_without_waiting_for_each_other() {
    let node = Node::from(&json!({"a": "x"}));
    let Node::Object(fields) = &node else {
        panic!("an object");
    };
    let other = Node::Object(fields.to_vec().into());
    reconcile(Some(&node), &other, 1, &mut |item| panic!("{item:?}"));
}

#[test]
fn a_container_whose_end_was_never_sent_is_completed_though_unchanged() {
    let run = open(&["{\"a\":{\"x\":1},\"b\":[{\"c\":1,\"d\":[2]} oops"]);
    assert_eq!(
        run.data(),
        Some(json!({"a": {"x": 1}, "b": [{"c": 1, "d": [2]}]}))
    );
    let accepted = Node::from(&run.data().unwrap());
    let mut lines = Vec::new();
    run.document
        .reconcile(&accepted, 1, &mut |item| lines.push(line(0, &item)));
    assert_eq!(lines, ["0 b ! [{\"c\":1,\"d\":[2]}]"]);
}

#[test]
fn a_repaired_answer_completes_what_the_silence_cut_off() {
    let run = open(&["{\"a\":{\"b\":[\"he said \"no\"\"],\"c\":1}}"]);
    let accepted = json!({"a": {"b": ["he said \"no\""], "c": 1}});
    let mut lines = Vec::new();
    run.document
        .reconcile(&Node::from(&accepted), 1, &mut |item| {
            lines.push(line(0, &item));
        });
    assert_eq!(
        lines,
        [
            "0 a.b[0] ! \"he said \\\"no\\\"\"",
            "0 a.b ! [\"he said \\\"no\\\"\"]",
            "0 a.c ! 1",
            "0 a ! {\"b\":[\"he said \\\"no\\\"\"],\"c\":1}",
        ]
    );
}

#[test]
fn a_repeated_key_that_was_open_is_found_at_its_place() {
    let run = open(&["{\"a\":1,\"b\":2,\"a\":[3 oops"]);
    let accepted = Node::from(&json!({"a": [3], "b": 2}));
    let mut lines = Vec::new();
    run.document
        .reconcile(&accepted, 1, &mut |item| lines.push(line(0, &item)));
    assert_eq!(lines, ["0 a ! [3]"]);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..3).prop_map(Value::from),
        "[xy]?".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[ab]", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Every value below the root, by its path.
fn below(path: &str, value: &Value, all: &mut HashMap<String, Value>) {
    let mut put = |path: String, value: &Value| {
        below(&path, value, all);
        all.insert(path, value.clone());
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                put(format!("{path}/{index}"), item);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                put(format!("{path}/.{key}"), field);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn the_completions_lead_from_any_value_to_any_other(sent in value(), accepted in value()) {
        let (mut old, mut new, mut told) = (HashMap::new(), HashMap::new(), HashMap::new());
        below("", &sent, &mut old);
        below("", &accepted, &mut new);
        reconcile(Some(&Node::from(&sent)), &Node::from(&accepted), 1, &mut |item| {
            let path = item.path.segments().into_iter().fold(String::new(), |path, segment| match segment {
                agently_api::data::Segment::Key(key) => format!("{path}/.{key}"),
                agently_api::data::Segment::Index(index) => format!("{path}/{index}"),
            });
            told.insert(path, item.value().to_value());
        });
        for (path, value) in &new {
            if old.get(path) == Some(value) {
                prop_assert!(!told.contains_key(path), "{} is told again", path);
            } else {
                prop_assert_eq!(told.get(path), Some(value));
            }
        }
        prop_assert!(told.keys().all(|path| new.contains_key(path)));
    }
}
