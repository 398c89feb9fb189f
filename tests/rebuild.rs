//! The law of the `Instant` stream: whoever clears at a retry and keeps the last completion of
//! each path has the accepted data, however the answers were cut into pieces.

#![cfg(all(feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently::mock::{MockProvider, Reply};
use agently::prelude::*;
use agently_testkit::det::Det;
use proptest::collection::vec;
use proptest::prelude::{any, prop_oneof, Just, Strategy};
use proptest::{prop_assert_eq, proptest};
use serde_json::{Map, Value};
use support::rebuild::Shown;
use support::{agent, instant_items};

/// Asks with these replies: what a reader of the stream shows, the accepted data, and the data as
/// it is when nobody reads the stream.
fn ask(replies: &[Reply], schema: &Schema) -> (Value, Value, Value) {
    let det = Det::new(1);
    let runtime = det.runtime();
    let request = || {
        let mock = replies
            .iter()
            .cloned()
            .fold(MockProvider::new(), MockProvider::reply);
        agent(&runtime, mock).input("Hi.").output(schema.clone())
    };
    det.block_on(async {
        let result = request().get_result();
        let items = instant_items(&result).await;
        let data = result.async_get_data().await.unwrap();
        let unread = request().async_start().await.unwrap();
        (Shown::of(&items).state(), data, unread)
    })
    .unwrap()
}

fn seed_and_more() -> Schema {
    output!({
        "title": (str, "Title", true),
        "items": [str],
        "more": { "n": number, "ok": bool, "none": any, "deep": [[int]] },
    })
}

const WHOLE: &str = r#"{
  "title": "Grün \"🦀\" \ud83e\udd80 a\\b\n",
  "items": ["", "one", "two, {three}"],
  "more": {"n": -1.5e3, "ok": true, "none": null, "deep": [[1, 2], [], [3]], "extra": {}}
}"#;

/// Answers as models write them, and the same with faults that are read as meant.
const ANSWERS: [&str; 7] = [
    WHOLE,
    "Here you are:\n```json\n{\"title\": \"T\", \"items\": [\"a\"]}\n```\nIs that all right?",
    "<think>{\"title\": \"no\"}</think>\n\u{feff}{\"title\":\"T\",\"more\":{\"n\":12}}",
    "{'title': 'it\\'s', items: [ 'a', /* two */ 'b', ], // end\n more: {ok: True, none: None, n: +07.}}",
    r#"{"title":"first","items":["old","older"],"title":"T","items":["new"]}"#,
    r#"{"title":"T","items":["one","tw"#,
    r#"{"title":"T","more":{"n":NaN,"ok":FALSE,"deep":[[1],[2"#,
];

#[test]
fn every_split_of_every_answer_shows_the_accepted_data() {
    let schema = seed_and_more();
    for answer in ANSWERS {
        let (shown, expected, unread) = ask(&[Reply::text(answer)], &schema);
        assert_eq!(shown, expected, "{answer}");
        assert_eq!(unread, expected, "{answer}");
        for size in 1..answer.chars().count() {
            let (shown, data, unread) = ask(&[Reply::text(answer).chunked(size)], &schema);
            assert_eq!(data, expected, "pieces of {size}: {answer}");
            assert_eq!(shown, expected, "pieces of {size}: {answer}");
            assert_eq!(unread, expected, "pieces of {size}: {answer}");
        }
    }
}

#[test]
fn what_was_shown_before_a_retry_is_gone_after_it() {
    let schema = seed_and_more();
    let bad = [
        r#"{"items":["x","y","z"],"other":1}"#,
        "no answer at all",
        r#"{"title": "a", "items": oops}"#,
    ];
    for size in [1, 2, 3, 5, 1000] {
        let mut replies: Vec<Reply> = bad
            .iter()
            .map(|text| Reply::text(*text).chunked(size))
            .collect();
        replies.push(Reply::text(r#"{"title":"T","items":["new"]}"#).chunked(size));
        let (shown, data, unread) = ask(&replies, &schema);
        assert_eq!(data, json!({ "title": "T", "items": ["new"] }));
        assert_eq!(shown, data);
        assert_eq!(unread, data);
    }
}

#[test]
fn a_list_at_the_root_is_no_exception() {
    let schema = output!([{ "name": (str, "Name", true), "age": int }]);
    let answer = r#"[{"name":"Ada","age":36},{"name":"Grace","age":85},{"name":"Ed"}]"#;
    for size in 1..answer.len() {
        let bad = Reply::text(r#"[{"name":"A"},{"age":1}]"#).chunked(size);
        let (shown, data, unread) = ask(&[bad, Reply::text(answer).chunked(size)], &schema);
        assert_eq!(data, serde_json::from_str::<Value>(answer).unwrap());
        assert_eq!(shown, data);
        assert_eq!(unread, data);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = || vec(any::<char>(), 0..8).prop_map(String::from_iter);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 200,
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    })]

    #[test]
    fn any_json_in_any_pieces_is_shown_as_it_is(
        value in any_value(),
        pretty in any::<bool>(),
        cuts in vec(1..12_usize, 1..40),
    ) {
        let value = json!({ "it": value });
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        let mut pieces = Vec::new();
        let mut rest: Vec<char> = text.chars().collect();
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let tail = rest.split_off(cut.min(rest.len()));
            pieces.push(String::from_iter(rest));
            rest = tail;
        }
        let (shown, data, unread) = ask(&[Reply::deltas(pieces)], &output!({ "it": any }));
        prop_assert_eq!(&data, &value);
        prop_assert_eq!(&shown, &value);
        prop_assert_eq!(&unread, &value);
    }
}
