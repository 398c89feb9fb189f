//! Tool calls: group F of the wire catalogue.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_api::error::ProviderErrorKind;
use agently_api::model::FinishReason;
use serde_json::json;
use support::{delta, read, sse, stream, stream_ending, text, Case, Outcome};

/// A chunk with these tool call pieces.
fn calls(pieces: &str) -> String {
    delta(&format!(r#"{{"tool_calls":{pieces}}}"#))
}

fn read_calls(pieces: &[&str]) -> Outcome {
    let chunks: Vec<String> = pieces.iter().map(|pieces| calls(pieces)).collect();
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    read(stream_ending(&chunks, "tool_calls"))
}

/// Id, name and arguments of each call.
fn seen(outcome: &Outcome) -> Vec<(&str, &str, &str)> {
    let calls = outcome.calls.iter();
    calls
        .map(|call| (&*call.id, &*call.name, &*call.arguments))
        .collect()
}

#[test]
fn the_usual_form() {
    let outcome = read_calls(&[
        r#"[{"index":0,"id":"call_a","type":"function","function":{"name":"weather","arguments":""}}]"#,
        r#"[{"index":0,"function":{"arguments":"{\"city\":"}}]"#,
        r#"[{"index":0,"function":{"arguments":"\"Rome\"}"}}]"#,
        r#"[{"index":1,"id":"call_b","type":"function","function":{"name":"time","arguments":"{}"}}]"#,
    ])
    .ok();
    assert_eq!(
        seen(&outcome),
        [
            ("call_a", "weather", r#"{"city":"Rome"}"#),
            ("call_b", "time", "{}")
        ]
    );
    assert_eq!(outcome.finish, Some(FinishReason::ToolCalls));
    assert!(outcome.calls.iter().all(|call| call.extra.is_empty()));
}

#[test]
fn f01_without_index_a_new_id_is_a_new_call() {
    let outcome = read_calls(&[
        r#"[{"id":"a","function":{"name":"f","arguments":"{\"x\""}}]"#,
        r#"[{"function":{"arguments":":1}"}}]"#,
        r#"[{"id":"b","function":{"name":"f","arguments":"{\"x\""}}]"#,
        r#"[{"id":"b","function":{"arguments":":2}"}}]"#,
        r#"[{"id":"a","function":{"arguments":" "}}]"#,
    ])
    .ok();
    assert_eq!(
        seen(&outcome),
        [("a", "f", r#"{"x":1} "#), ("b", "f", r#"{"x":2}"#)]
    );
}

#[test]
fn f02_every_call_at_index_0_with_ids_of_their_own() {
    let outcome = read_calls(&[
        r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]"#,
        r#"[{"index":0,"function":{"arguments":":1}"}}]"#,
        r#"[{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]"#,
    ])
    .ok();
    assert_eq!(seen(&outcome), [("a", "f", r#"{"x":1}"#), ("b", "g", "{}")]);
}

#[test]
fn f02_another_id_in_the_middle_of_the_arguments_is_the_same_call() {
    let outcome = read_calls(&[
        r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]"#,
        r#"[{"index":0,"id":"b","function":{"arguments":":1"}}]"#,
        r#"[{"index":0,"id":"c","function":{"name":null,"arguments":"}"}}]"#,
    ])
    .ok();
    assert_eq!(seen(&outcome), [("a", "f", r#"{"x":1}"#)]);
    // After the end of the arguments it is another call, whose name may come later.
    let outcome = read_calls(&[
        r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]"#,
        r#"[{"index":0,"id":"b","function":{"arguments":"{\"y\""}}]"#,
        r#"[{"index":0,"id":"b","function":{"name":"g","arguments":":2}"}}]"#,
    ])
    .ok();
    assert_eq!(seen(&outcome), [("a", "f", "{}"), ("b", "g", r#"{"y":2}"#)]);
}

#[test]
fn f03_interleaved_pieces_go_by_their_index() {
    let outcome = read_calls(&[
        r#"[{"index":0,"id":"a","function":{"name":"f"}},{"index":1,"id":"b","function":{"name":"g"}}]"#,
        r#"[{"index":1,"function":{"arguments":"[1"}},{"index":0,"function":{"arguments":"{\"x\""}}]"#,
        r#"[{"index":0,"function":{"arguments":":1}"}},{"index":1,"function":{"arguments":"]"}}]"#,
    ])
    .ok();
    assert_eq!(
        seen(&outcome),
        [("a", "f", r#"{"x":1}"#), ("b", "g", "[1]")]
    );
}

#[test]
fn f04_f05_empty_and_repeated_ids_and_names_are_continuations() {
    for later in [
        r#"{"index":0,"id":"","function":{"name":"","arguments":":1}"}}"#,
        r#"{"index":0,"id":null,"function":{"name":null,"arguments":":1}"}}"#,
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":":1}"}}"#,
        r#"{"index":"0","id":"a","type":null,"function":{"name":"f","arguments":":1}"}}"#,
        r#"{"function":{"name":"f","arguments":":1}"}}"#,
    ] {
        let later = format!("[{later}]");
        let outcome = read_calls(&[
            r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]"#,
            &later,
        ])
        .ok();
        assert_eq!(seen(&outcome), [("a", "f", r#"{"x":1}"#)], "{later}");
    }
}

#[test]
fn f06_calls_without_ids_get_ids_that_differ() {
    let pieces = r#"[{"function":{"name":"f","arguments":{"x":1}}},{"function":{"name":"f","arguments":{"x":2}}}]"#;
    let outcome = read_calls(&[pieces]).ok();
    assert_eq!(outcome.calls.len(), 2);
    assert_ne!(outcome.calls[0].id, outcome.calls[1].id);
    assert!(!outcome.calls[0].id.is_empty());
    assert_eq!(outcome.calls[1].arguments, r#"{"x":2}"#);
    let other = Case::with(|options| options.call_id_seed = 7);
    let other = other.read(stream(&[&calls(pieces)])).ok();
    assert_ne!(
        outcome.calls[0].id, other.calls[0].id,
        "another answer, other ids"
    );
}

#[test]
fn f06_calls_without_ids_one_after_the_other() {
    let outcome = read_calls(&[
        r#"[{"function":{"name":"f","arguments":"{\"x\":1}"}}]"#,
        r#"[{"function":{"name":"f","arguments":"{\"x\":2}"}}]"#,
        r#"[{"function":{"name":"g","arguments":"{\"y\""}}]"#,
        r#"[{"function":{"arguments":":3}"}}]"#,
    ])
    .ok();
    let arguments: Vec<_> = outcome.calls.iter().map(|call| &*call.arguments).collect();
    assert_eq!(arguments, [r#"{"x":1}"#, r#"{"x":2}"#, r#"{"y":3}"#]);
}

#[test]
fn f07_arguments_wait_for_the_name() {
    let outcome = read_calls(&[
        r#"[{"index":0,"function":{"arguments":"{\"x\""}}]"#,
        r#"[{"index":0,"id":"a","function":{"name":"f","arguments":":1}"}}]"#,
    ])
    .ok();
    assert_eq!(seen(&outcome), [("a", "f", r#"{"x":1}"#)]);

    let failure = read_calls(&[r#"[{"index":0,"id":"a","function":{"arguments":"{}"}}]"#]).err();
    assert_eq!(failure.kind, ProviderErrorKind::Decode);
}

#[test]
fn f08_arguments_as_a_value_or_not_at_all() {
    for (arguments, expected) in [
        (r#"{"b":1,"a":[true,null]}"#, r#"{"b":1,"a":[true,null]}"#),
        ("{}", "{}"),
        ("null", "{}"),
        (r#""""#, "{}"),
        (r#"" ""#, " {}"),
    ] {
        let piece = format!(
            r#"[{{"index":0,"id":"a","function":{{"name":"f","arguments":{arguments}}}}}]"#
        );
        assert_eq!(
            seen(&read_calls(&[&piece]).ok()),
            [("a", "f", expected)],
            "{arguments}"
        );
    }
    let absent = r#"[{"index":0,"id":"a","function":{"name":"f"}}]"#;
    assert_eq!(seen(&read_calls(&[absent]).ok()), [("a", "f", "{}")]);
    let twice = r#"[{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}]"#;
    assert_eq!(
        seen(&read_calls(&[twice, twice]).ok()),
        [("a", "f", r#"{"x":1}"#)]
    );
}

#[test]
fn f09_arguments_that_are_cut_off_are_never_reported_as_whole() {
    let open =
        calls(r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\": \"}\""}}]"#);
    let by_length = read(stream_ending(&[&open], "length")).ok();
    assert_eq!(by_length.finish, Some(FinishReason::Length));
    let by_end = read(sse([&*open]));
    assert_eq!(by_end.calls[0].arguments, r#"{"x": "}""#);
    assert_eq!(by_end.err().kind, ProviderErrorKind::Truncated);
    let without_reason = read(sse([&*open, "[DONE]"])).err();
    assert_eq!(without_reason.kind, ProviderErrorKind::Truncated);
    let accepted = Case::with(|options| options.accept_eof = true)
        .read(sse([&*open]))
        .err();
    assert_eq!(accepted.kind, ProviderErrorKind::Truncated);
}

#[test]
fn f10_call_markup_in_the_content_is_text() {
    let markup = "<tool_call>{\"name\": \"f\"}</tool_call>";
    let outcome = read(stream(&[&text(markup)])).ok();
    assert_eq!(outcome.text, markup);
    assert_eq!(outcome.calls.len(), 0);
}

#[test]
fn f11_unknown_fields_of_a_call_are_kept() {
    let outcome = read_calls(&[
        r#"[{"index":0,"id":"a","type":"function","extra_content":{"google":{"thought_signature":"c2ln"}},"function":{"name":"f","arguments":"{}","strict":true}}]"#,
    ])
    .ok();
    assert_eq!(
        serde_json::Value::Object(outcome.calls[0].extra.clone()),
        json!({
            "extra_content": {"google": {"thought_signature": "c2ln"}},
            "function": {"strict": true},
        })
    );
}

#[test]
fn f12_calls_are_reported_by_presence() {
    let piece = calls(r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]"#);
    let outcome = read(stream_ending(&[&piece], "stop")).ok();
    assert_eq!(outcome.calls.len(), 1);
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
    let none = read(stream_ending(
        &[&delta(r#"{"content":"x","tool_calls":[]}"#)],
        "stop",
    ))
    .ok();
    assert_eq!(none.calls.len(), 0);
}

#[test]
fn f13_calls_have_a_limit() {
    let many: Vec<String> = (0..200)
        .map(|at| format!(r#"{{"id":"call_{at}","function":{{"name":"f","arguments":"{{}}"}}}}"#))
        .collect();
    let one_by_one: Vec<String> = many
        .iter()
        .map(|piece| calls(&format!("[{piece}]")))
        .collect();
    let one_by_one: Vec<&str> = one_by_one.iter().map(String::as_str).collect();
    for body in [
        stream(&[&calls(&format!("[{}]", many.join(",")))]),
        stream(&one_by_one),
    ] {
        let case = Case::default();
        let (_, error) = case.run([body.as_bytes()]);
        assert_eq!(error.unwrap().kind(), ProviderErrorKind::Limit);
    }
    for index in ["128", "2147483648", "18446744073709551615"] {
        let piece = format!(r#"[{{"index":{index},"id":"a","function":{{"name":"f"}}}}]"#);
        assert_eq!(read_calls(&[&piece]).err().kind, ProviderErrorKind::Limit);
    }
    let long = calls(r#"[{"index":0,"id":"a","function":{"name":"f","arguments":"0123456789"}}]"#);
    let bounded = Case::with(|options| options.max_tool_argument_bytes = 9);
    assert_eq!(
        bounded.read(stream(&[&long])).err().kind,
        ProviderErrorKind::Limit
    );
    let unnamed = calls(r#"[{"index":0,"id":"a","function":{"arguments":"0123456789"}}]"#);
    assert_eq!(
        bounded.read(stream(&[&unnamed])).err().kind,
        ProviderErrorKind::Limit
    );
}
