//! Shapes of chunks: group E of the wire catalogue.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_api::data::WarningKind;
use agently_api::error::ProviderErrorKind;
use agently_api::model::{FinishReason, Usage};
use support::{delta, finish, read, sse, stream, text, Case};

#[test]
fn a_plain_stream_is_read() {
    let outcome = read(stream(&[
        &delta(r#"{"role":"assistant","content":""}"#),
        &text("Hello"),
        &text(", world"),
    ]))
    .ok();
    assert_eq!(outcome.text, "Hello, world");
    assert_eq!(outcome.text_deltas, 2);
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
    assert_eq!(outcome.id.as_deref(), Some("c1"));
    assert_eq!(outcome.model.as_deref(), Some("m1"));
    assert_eq!(outcome.warnings, []);
}

#[test]
fn e01_a_first_chunk_without_choices_is_passed_over_and_kept_raw() {
    let filter = r#"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#;
    let body = stream(&[filter, &text("Hi")]);
    assert_eq!(read(&body).ok().text, "Hi");
    let outcome = Case::with(|options| options.raw_events = true)
        .read(&body)
        .ok();
    assert_eq!(outcome.raw[0], filter);
    assert_eq!(outcome.raw.len(), 4);
}

#[test]
fn e02_a_usage_chunk_after_the_finish_counts() {
    let usage =
        r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;
    let outcome = read(sse([&*text("Hi"), &finish("stop"), usage, "[DONE]"])).ok();
    assert_eq!(outcome.usage, Usage::new(3, 2));
    let before = read(sse([&*text("Hi"), usage, &finish("stop"), "[DONE]"])).ok();
    assert_eq!(before.usage, Usage::new(3, 2));
}

#[test]
fn e03_usage_that_says_nothing_is_no_usage() {
    for usage in ["{}", "null", "[]", "\"none\"", r#"{"prompt_tokens":null}"#] {
        let chunk = format!(r#"{{"choices":[],"usage":{usage}}}"#);
        let outcome = read(stream(&[&text("Hi"), &chunk])).ok();
        assert!(outcome.usage.is_empty(), "{usage}");
    }
}

#[test]
fn e03_missing_totals_stay_unknown() {
    let outcome = read(stream(&[
        &text("Hi"),
        r#"{"choices":[],"usage":{"prompt_tokens":7,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":"2"}}}"#,
    ]))
    .ok();
    assert_eq!(outcome.usage.input_tokens, Some(7));
    assert_eq!(outcome.usage.output_tokens, None);
    assert_eq!(outcome.usage.total_tokens, None);
    assert_eq!(outcome.usage.cached_input_tokens, Some(4));
    assert_eq!(outcome.usage.reasoning_tokens, Some(2));
}

#[test]
fn e04_of_cumulative_usage_the_last_value_counts() {
    let chunk = |text: &str, tokens: u64| {
        format!(
            r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}],"usage":{{"prompt_tokens":9,"completion_tokens":{tokens}}}}}"#
        )
    };
    let outcome = read(stream(&[&chunk("a", 1), &chunk("b", 2), &chunk("c", 3)])).ok();
    assert_eq!(outcome.usage.output_tokens, Some(3));
    assert_eq!(outcome.usage.input_tokens, Some(9));
}

#[test]
fn e05_a_chunk_with_nothing_of_the_format_is_passed_over() {
    let outcome = read(stream(&[r#"{"choices":[],"cost":"0"}"#, &text("Hi"), "{}"])).ok();
    assert_eq!(outcome.text, "Hi");
    assert_eq!(outcome.warnings, []);
}

#[test]
fn e06_missing_and_null_deltas() {
    let outcome = read(stream(&[
        r#"{"choices":[{"index":0,"content_filter_results":{}}]}"#,
        r#"{"choices":[{"index":0,"delta":null}]}"#,
        &text("Hi"),
    ]))
    .ok();
    assert_eq!(outcome.text, "Hi");
}

#[test]
fn e07_content_null_beside_reasoning_and_tools() {
    let outcome = read(stream(&[
        &delta(r#"{"content":null,"reasoning_content":"hm"}"#),
        &delta(r#"{"content":null,"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{}"}}]}"#),
        &delta(r#"{"content":"x","reasoning_content":null}"#),
    ]))
    .ok();
    assert_eq!(outcome.reasoning, "hm");
    assert_eq!(outcome.calls.len(), 1);
    assert_eq!(outcome.text, "x");
}

#[test]
fn e08_roles_of_all_kinds() {
    for role in [
        r#""role":"assistant","#,
        r#""role":"","#,
        r#""role":null,"#,
        "",
    ] {
        let chunk = delta(&format!(r#"{{{role}"content":"x"}}"#));
        assert_eq!(read(stream(&[&chunk])).ok().text, "x");
    }
}

#[test]
fn e09_content_as_a_list_of_parts() {
    let outcome = read(stream(&[
        &delta(
            r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"let me see"}]}]}"#,
        ),
        &delta(r#"{"content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"},"!"]}"#),
        &delta(r#"{"content":[{"type":"reference","reference_ids":[1]}]}"#),
    ]))
    .ok();
    assert_eq!(outcome.reasoning, "let me see");
    assert_eq!(outcome.text, "Hello!");
}

#[test]
fn e10_reasoning_under_any_name_is_counted_once() {
    let cases = [
        r#"{"reasoning_content":"abc"}"#,
        r#"{"reasoning":"abc"}"#,
        r#"{"reasoning_details":[{"type":"reasoning.text","text":"abc"}]}"#,
        r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"abc"},{"type":"reasoning.encrypted","data":"zzz"}]}"#,
        r#"{"reasoning_content":"abc","reasoning":"abc"}"#,
        r#"{"reasoning":"abc","reasoning_details":[{"type":"reasoning.text","text":"abc"}]}"#,
        r#"{"reasoning_content":"","reasoning":"abc"}"#,
        r#"{"reasoning_content":null,"reasoning":"abc"}"#,
        r#"{"reasoning_content":"abc","content":[{"type":"thinking","thinking":"abc"}]}"#,
    ];
    for case in cases {
        let outcome = read(stream(&[&delta(case)])).ok();
        assert_eq!(outcome.reasoning, "abc", "{case}");
        assert_eq!(outcome.text, "", "{case}");
    }
}

#[test]
fn e11_think_tags_stay_in_the_text() {
    let outcome = read(stream(&[&text("<thi"), &text("nk>a</think>b")])).ok();
    assert_eq!(outcome.text, "<think>a</think>b");
    assert_eq!(outcome.reasoning, "");
}

#[test]
fn e12_refusals_have_their_own_channel() {
    let outcome = read(stream(&[
        &delta(r#"{"refusal":"I can"}"#),
        &delta(r#"{"content":null,"refusal":"not."}"#),
    ]))
    .ok();
    assert_eq!(outcome.refusal, "I cannot.");
    assert_eq!(outcome.text, "");
}

#[test]
fn e13_cumulative_deltas_are_cut_down_only_when_told_so() {
    let body = stream(&[&text("Go"), &text("Go on"), &text("Go on"), &text("Go on!")]);
    assert_eq!(read(&body).ok().text, "GoGo onGo onGo on!");
    let outcome = Case::with(|options| options.cumulative_deltas = true)
        .read(&body)
        .ok();
    assert_eq!(outcome.text, "Go on!");
}

#[test]
fn e14_a_snapshot_beside_deltas_is_used_only_if_nothing_else_came() {
    let last = r#"{"choices":[{"index":0,"delta":{},"message":{"role":"assistant","content":"whole"},"finish_reason":"stop"}]}"#;
    let streamed = read(sse([&*text("who"), &text("le"), last, "[DONE]"])).ok();
    assert_eq!(streamed.text, "whole");
    assert_eq!(streamed.text_deltas, 2);
    let alone = read(sse([last, "[DONE]"])).ok();
    assert_eq!(alone.text, "whole");
    assert_eq!(alone.finish, Some(FinishReason::Stop));
}

/// A chunk with a message in place of a delta.
fn message(message: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"message":{message}}}]}}"#)
}

fn says(text: &str) -> String {
    message(&serde_json::json!({ "role": "assistant", "content": text }).to_string())
}

#[test]
fn e14_messages_in_place_of_deltas_are_put_together() {
    for (said, whole) in [
        (vec!["Hello ", "world", ""], "Hello world"),
        (vec!["", "Hello", "", "Hello world"], "Hello world"),
        (vec!["H", "Hello", "Hello", "Hello world"], "Hello world"),
        (vec!["All of it", ""], "All of it"),
        (vec!["Hello world", "!"], "Hello world!"),
    ] {
        let chunks: Vec<String> = said.iter().map(|text| says(text)).collect();
        let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
        let outcome = read(stream(&chunks)).ok();
        assert_eq!(outcome.text, whole, "{said:?}");
        assert_eq!(outcome.finish, Some(FinishReason::Stop));
    }
}

#[test]
fn e14_a_message_takes_nothing_away_from_an_earlier_one() {
    let call = r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}"#;
    let with_call = message(&format!(
        r#"{{"content":"Let me see","tool_calls":[{call}]}}"#
    ));
    for later in [
        r#"{"content":""}"#,
        r#"{"content":null}"#,
        r#"{"content":"Let me see"}"#,
        r#"{"content":"Let me see","tool_calls":[]}"#,
        &format!(r#"{{"content":"Let me see","tool_calls":[{call}]}}"#),
    ] {
        let outcome = read(stream(&[&with_call, &message(later)])).ok();
        assert_eq!(outcome.text, "Let me see", "{later}");
        assert_eq!(outcome.calls.len(), 1, "{later}");
        assert_eq!(outcome.calls[0].arguments, r#"{"x":1}"#, "{later}");
    }
    let pieces = read(stream(&[
        &message(r#"{"reasoning":"h","tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}"#),
        &message(r#"{"reasoning":"hm","tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}"#),
    ]))
    .ok();
    assert_eq!(pieces.reasoning, "hm");
    assert_eq!(pieces.calls[0].arguments, r#"{"x":1}"#);
    let halves = read(stream(&[
        &message(r#"{"content":"a\uffff\ud83d"}"#),
        &message(r#"{"content":"\ude00b"}"#),
        &message(r#"{"content":"\uffffc"}"#),
    ]))
    .ok();
    assert_eq!(halves.text, "a\u{FFFF}😀b\u{FFFF}c");
}

#[test]
fn e14_deltas_after_a_message_are_the_answer() {
    let outcome = read(stream(&[&says("whole"), &text("who"), &text("le")])).ok();
    assert_eq!(outcome.text, "whole");
    assert_eq!(outcome.text_deltas, 2);
}

#[test]
fn e15_of_several_choices_the_first_is_the_answer() {
    let chunk = |index: u64, text: &str| {
        format!(r#"{{"choices":[{{"index":{index},"delta":{{"content":"{text}"}}}}]}}"#)
    };
    let outcome = read(stream(&[
        &chunk(0, "a"),
        &chunk(1, "x"),
        &chunk(0, "b"),
        &chunk(1, "y"),
    ]))
    .ok();
    assert_eq!(outcome.text, "ab");
    assert_eq!(outcome.warnings, [WarningKind::Wire]);
    for index in [128, 1 << 31, u64::MAX] {
        let failure = read(stream(&[&chunk(index, "a")])).err();
        assert_eq!(failure.kind, ProviderErrorKind::Limit, "{index}");
        assert!(!failure.retryable);
    }
}

#[test]
fn e16_a_malformed_event_is_an_error_or_skipped_on_request() {
    let secret = r#"{"choices":[{"delta":{"content":"confidential"#;
    let body = stream(&[&text("a"), secret, &text("b")]);
    let outcome = read(&body);
    assert_eq!(outcome.text, "a");
    let failure = outcome.err();
    assert_eq!(failure.kind, ProviderErrorKind::Decode);
    assert!(
        !failure.message.contains("confidential"),
        "{}",
        failure.message
    );
    let skipped = Case::with(|options| options.skip_malformed_events = true)
        .read(&body)
        .ok();
    assert_eq!(skipped.text, "ab");
    assert_eq!(skipped.warnings, [WarningKind::Wire]);
}

#[test]
fn b08_deep_json_is_no_danger() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let unused = format!(
        r#"{{"x":{},"choices":[{{"delta":{{"content":"a"}}}}]}}"#,
        deep("[", "]")
    );
    let used = delta(&format!(r#"{{"content":{}}}"#, deep("[", "]")));
    for payload in [unused, used] {
        let mut decoder = agently_provider_openai::wire::ChunkDecoder::new(Default::default());
        if let Err(error) = decoder.push(None, &payload) {
            assert_eq!(error.kind(), ProviderErrorKind::Decode);
        }
    }
}

#[test]
fn b09_numbers_of_any_kind() {
    for created in [
        "1.7e9",
        "\"1\"",
        "99999999999999999999999",
        "-1",
        "null",
        "[]",
    ] {
        let chunk = format!(
            r#"{{"created":{created},"id":7,"choices":[{{"index":0.0,"delta":{{"content":"a"}}}}],"usage":{{"prompt_tokens":3.0,"completion_tokens":"4","total_tokens":-1}}}}"#
        );
        let outcome = read(stream(&[&chunk])).ok();
        assert_eq!(outcome.text, "a", "{created}");
        assert_eq!(outcome.usage.input_tokens, Some(3));
        assert_eq!(outcome.usage.output_tokens, Some(4));
        assert_eq!(outcome.usage.total_tokens, None);
    }
    let failure = read(stream(&[r#"{"created":NaN,"choices":[]}"#])).err();
    assert_eq!(failure.kind, ProviderErrorKind::Decode);
}

#[test]
fn fields_given_twice_are_read() {
    let outcome = read(stream(&[
        r#"{"id":"a","id":"b","choices":[{"delta":{"content":"x","content":"y"}}]}"#,
    ]))
    .ok();
    assert_eq!(outcome.text, "y");
    assert_eq!(outcome.warnings, []);
}

#[test]
fn fields_of_the_wrong_type_count_as_absent() {
    let wrong = [
        "null",
        "true",
        "1",
        "-1",
        "1.5",
        "\"x\"",
        "[]",
        "[1]",
        "{}",
        "{\"a\":[1]}",
    ];
    let fields = [
        "id",
        "model",
        "object",
        "type",
        "usage",
        "x_groq",
        "created",
        "system_fingerprint",
    ];
    for field in fields {
        for value in wrong {
            let chunk =
                format!(r#"{{"{field}":{value},"choices":[{{"delta":{{"content":"a"}}}}]}}"#);
            assert_eq!(read(stream(&[&chunk])).ok().text, "a", "{chunk}");
        }
    }
    for field in [
        "index",
        "delta",
        "message",
        "finish_reason",
        "usage",
        "logprobs",
    ] {
        for value in wrong
            .iter()
            .filter(|value| !(field == "index" && **value == "1"))
        {
            let chunk = format!(r#"{{"choices":[{{"{field}":{value}}},5,null,"x"]}}"#);
            assert_eq!(
                read(stream(&[&text("a"), &chunk])).ok().text,
                "a",
                "{chunk}"
            );
        }
    }
    for field in [
        "role",
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "refusal",
        "tool_calls",
    ] {
        for value in ["null", "true", "1.5", "[]", "{}", "\"\""] {
            let chunk = delta(&format!(r#"{{"{field}":{value},"content":"a"}}"#));
            let outcome = read(stream(&[&chunk])).ok();
            assert_eq!(outcome.text, "a", "{chunk}");
            assert_eq!(outcome.reasoning, "", "{chunk}");
            assert_eq!(outcome.calls.len(), 0, "{chunk}");
        }
    }
}
