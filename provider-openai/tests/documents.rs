//! Bodies that are no event stream: group D of the wire catalogue.
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
use agently_api::model::FinishReason;
use support::{finish, read, sse, stream, text, Case};

const WHOLE: &str = r#"{"id":"c9","object":"chat.completion","model":"m9","choices":[{"index":0,"message":{"role":"assistant","content":"All of it","reasoning_content":"hm"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;

#[test]
fn a_list_of_messages_needs_a_reason_too() {
    let line =
        |text: &str| format!("{{\"choices\":[{{\"message\":{{\"content\":\"{text}\"}}}}]}}\n");
    let cut = read(line("Hello ") + &line("wor"));
    assert_eq!(cut.err().kind, ProviderErrorKind::Truncated);
    let whole = read(line("Hello ") + &line("world") + &finish("stop")).ok();
    assert_eq!(whole.text, "Hello world");
}

#[test]
fn d02_a_web_page_is_refused_with_its_beginning() {
    let page = format!("\n  <!DOCTYPE html><html><head><title>Welcome</title></head><body>\u{1b}[31m{}</body></html>", "x".repeat(5_000));
    for media_type in [Some("text/html"), Some("text/event-stream"), None] {
        let failure = Case::default().media_type(media_type).read(&page).err();
        assert_eq!(failure.kind, ProviderErrorKind::ContentType);
        assert!(
            failure.message.contains("<title>Welcome"),
            "{}",
            failure.message
        );
        assert!(failure.message.contains("\\u{1b}"), "{}", failure.message);
        assert!(failure.message.len() < 400);
        assert!(failure.hint.unwrap().contains("base URL"));
    }
}

#[test]
fn d02_text_that_is_no_answer() {
    let failure = Case::default()
        .media_type(Some("text/plain"))
        .read("upstream connect error")
        .err();
    assert_eq!(failure.kind, ProviderErrorKind::ContentType);
    assert!(failure.message.contains("upstream connect error"));
    let other_json = Case::default()
        .media_type(Some("application/json"))
        .read("{\n\"status\":\"ok\"}")
        .err();
    assert_eq!(other_json.kind, ProviderErrorKind::ContentType);
}

#[test]
fn d02_d03_json_that_is_no_answer_is_shown() {
    for body in [
        r#"{"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#,
        r#"{"code":40101,"msg":"login fail"}"#,
        r#"{"detail":"login fail"}"#,
        r#"{"model":"llama3","message":{"role":"assistant","content":"login fail"},"done":true}"#,
    ] {
        for body in [
            body.to_owned(),
            format!("{body}\n"),
            format!("{body}\n{body}\n"),
            format!("data: {body}\n\ndata: [DONE]\n\n"),
        ] {
            let failure = Case::default()
                .media_type(Some("application/json"))
                .read(&body)
                .err();
            assert_eq!(failure.kind, ProviderErrorKind::ContentType, "{body}");
            assert!(!failure.retryable);
            assert!(
                failure.message.contains("login fail"),
                "{}",
                failure.message
            );
            assert!(failure.message.len() < 400);
            assert!(failure.hint.unwrap().contains("base URL"));
        }
    }
    let long = format!(r#"{{"detail":"{}"}}"#, "x".repeat(1_500));
    assert!(read(long).err().message.len() < 400);
}

#[test]
fn d02_plain_text_that_begins_like_a_field() {
    for text in [
        "identity provider: please log in",
        "database is down",
        "retrying upstream",
        "events are off",
    ] {
        let failure = Case::default()
            .media_type(Some("text/plain"))
            .read(text)
            .err();
        assert_eq!(failure.kind, ProviderErrorKind::ContentType, "{text}");
        assert!(failure.message.contains(text), "{}", failure.message);
    }
    let outcome = Case::default()
        .media_type(Some("text/plain"))
        .read(format!("data\n\n{}", stream(&[&text("Hi")])))
        .ok();
    assert_eq!(outcome.text, "Hi");
}

#[test]
fn d03_an_error_document_at_200() {
    for body in [
        r#"{"error":{"message":"no such model","code":"model_not_found"}}"#,
        "{\n  \"error\": {\n    \"message\": \"no such model\",\n    \"code\": \"model_not_found\"\n  }\n}\n",
    ] {
        let failure = Case::default().media_type(Some("application/json")).read(body).err();
        assert_eq!(failure.kind, ProviderErrorKind::Provider);
        assert_eq!(failure.code.as_deref(), Some("model_not_found"));
        assert!(failure.message.contains("no such model"));
    }
}

#[test]
fn d04_a_whole_answer_although_a_stream_was_asked_for() {
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(WHOLE).unwrap())
            .unwrap();
    for body in [
        WHOLE.to_owned(),
        format!("{WHOLE}\n"),
        pretty,
        format!("data: {WHOLE}\n\ndata: [DONE]\n\n"),
    ] {
        let outcome = read(&body).ok();
        assert_eq!(outcome.text, "All of it", "{body}");
        assert_eq!(outcome.text_deltas, 1);
        assert_eq!(outcome.reasoning, "hm");
        assert_eq!(outcome.usage.total_tokens, Some(3));
        assert_eq!(outcome.finish, Some(FinishReason::Stop));
        assert_eq!(outcome.warnings, [WarningKind::Wire], "{body}");
        assert_eq!(outcome.model.as_deref(), Some("m9"));
    }
}

#[test]
fn a_whole_answer_that_was_asked_for() {
    let case = Case::with(|options| options.streaming = false).media_type(Some("application/json"));
    let outcome = case.read(WHOLE).ok();
    assert_eq!(outcome.text, "All of it");
    assert_eq!(outcome.warnings, []);
    // D17: blank lines while the request waits in a queue.
    let late = format!("{}{WHOLE}", "\n".repeat(500));
    assert_eq!(case.read(late).ok().text, "All of it");
    let cut = &WHOLE[..WHOLE.len() - 5];
    assert_eq!(case.read(cut).err().kind, ProviderErrorKind::Truncated);
    let broken = WHOLE.replace("\"choices\":", "\"choices\" ");
    assert_eq!(case.read(broken).err().kind, ProviderErrorKind::Decode);
}

#[test]
fn a_document_that_is_closed_needs_no_reason_but_a_stream_of_messages_does() {
    let without = WHOLE.replace(r#","finish_reason":"stop""#, "");
    for body in [without.clone(), without.replace(r#"{"id""#, "{\n\"id\"")] {
        let outcome = read(&body).ok();
        assert_eq!(outcome.text, "All of it");
        assert_eq!(outcome.finish, Some(FinishReason::Unknown));
    }
    let failure = read(sse([&*without])).err();
    assert_eq!(failure.kind, ProviderErrorKind::Truncated);
}

#[test]
fn a_whole_answer_with_tool_calls() {
    let case = Case::with(|options| options.streaming = false);
    let outcome = case.read(r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#).ok();
    assert_eq!(outcome.calls.len(), 2);
    assert_eq!(outcome.calls[0].arguments, r#"{"x":1}"#);
    assert_eq!(outcome.finish, Some(FinishReason::ToolCalls));
}

#[test]
fn a_stream_although_one_piece_was_asked_for() {
    let case = Case::with(|options| options.streaming = false);
    let outcome = case.read(stream(&[&text("Hi")])).ok();
    assert_eq!(outcome.text, "Hi");
    assert_eq!(outcome.warnings, [WarningKind::Wire]);
}

#[test]
fn d05_the_content_type_does_not_matter() {
    let body = stream(&[&text("Hi")]);
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/json"),
        Some("application/octet-stream"),
    ] {
        let outcome = Case::default().media_type(media_type).read(&body).ok();
        assert_eq!(outcome.text, "Hi", "{media_type:?}");
    }
}

#[test]
fn d16_nothing_at_all() {
    for body in [
        "",
        "\n\n",
        "data: [DONE]\n\n",
        ": keep-alive\n\n: keep-alive\n\n",
        "\u{feff}",
    ] {
        let failure = read(body).err();
        assert_eq!(failure.kind, ProviderErrorKind::Empty, "{body:?}");
        assert!(failure.retryable);
    }
}

#[test]
fn a_large_answer_in_one_line_and_small_pieces() {
    let large = WHOLE.replace("All of it", &"x".repeat(8 << 20));
    let case = Case::with(|options| options.streaming = false);
    let (events, error) = case.run(large.as_bytes().chunks(4 << 10));
    assert!(error.is_none(), "{error:?}");
    assert!(events.len() >= 3);
}

#[test]
fn one_piece_may_be_larger_than_one_event() {
    let case = Case::with(|options| {
        options.streaming = false;
        options.max_event_bytes = 64;
    });
    assert_eq!(case.read(WHOLE).ok().text, "All of it");
}
