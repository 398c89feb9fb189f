//! How answers end, and framing as far as payloads are concerned: groups G, A and B of the wire
//! catalogue.
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
use support::{finish, read, sse, stream, stream_ending, text, Case};

#[test]
fn g01_an_end_without_any_marker_is_a_cut() {
    let body = sse([&*text("Hello")]);
    let outcome = read(&body);
    assert_eq!(outcome.text, "Hello", "what came stays readable");
    let failure = outcome.err();
    assert_eq!(failure.kind, ProviderErrorKind::Truncated);
    assert!(failure.retryable);
    let accepted = Case::with(|options| options.accept_eof = true)
        .read(&body)
        .ok();
    assert_eq!(accepted.finish, Some(FinishReason::Unknown));
    assert_eq!(accepted.warnings, [WarningKind::Wire]);
}

#[test]
fn g01_every_cut_before_the_finish_is_noticed() {
    let body = stream(&[&text("Hello"), &text(" world"), &text("!")]);
    let end = body.find("\"finish_reason\":\"stop\"").unwrap() + "\"finish_reason\":\"stop\"".len();
    for at in 0..=end {
        let (_, error) = Case::default().run([&body.as_bytes()[..at]]);
        let kind = error.map(|error| error.kind());
        assert!(
            matches!(
                kind,
                Some(
                    ProviderErrorKind::Truncated
                        | ProviderErrorKind::Empty
                        | ProviderErrorKind::ContentType
                )
            ),
            "cut at {at}: {kind:?}"
        );
    }
}

#[test]
fn g02_the_end_marker_without_a_reason() {
    let outcome = read(sse([&*text("Hi"), "[DONE]"])).ok();
    assert_eq!(outcome.finish, Some(FinishReason::Unknown));
    assert_eq!(outcome.warnings, [WarningKind::Wire]);
}

#[test]
fn g03_a_reason_without_the_end_marker() {
    let outcome = read(sse([&*text("Hi"), &finish("stop")])).ok();
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
    assert_eq!(outcome.warnings, []);
}

#[test]
fn g04_an_empty_reason_is_none() {
    let chunk = r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":""}]}"#;
    assert_eq!(read(sse([chunk])).err().kind, ProviderErrorKind::Truncated);
    let outcome = read(stream(&[chunk, chunk])).ok();
    assert_eq!(outcome.text, "HiHi");
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
}

#[test]
fn g05_reasons() {
    for (word, reason) in [
        ("stop", FinishReason::Stop),
        ("length", FinishReason::Length),
        ("model_length", FinishReason::Length),
        ("tool_calls", FinishReason::ToolCalls),
        ("function_call", FinishReason::ToolCalls),
        ("content_filter", FinishReason::ContentFilter),
        ("eos", FinishReason::Other("eos".into())),
        ("cancel", FinishReason::Other("cancel".into())),
        (
            "content-filter",
            FinishReason::Other("content-filter".into()),
        ),
    ] {
        let outcome = read(stream_ending(&[&text("Hi")], word)).ok();
        assert_eq!(outcome.finish, Some(reason), "{word}");
    }
    let outcome = read(stream_ending(&[&text("Hi")], "error"));
    assert_eq!(outcome.text, "Hi");
    let failure = outcome.err();
    assert_eq!(failure.kind, ProviderErrorKind::Provider);
}

#[test]
fn g07_a_filter_in_the_middle_keeps_what_came() {
    let outcome = read(stream_ending(&[&text("Some")], "content_filter")).ok();
    assert_eq!(outcome.text, "Some");
    assert_eq!(outcome.finish, Some(FinishReason::ContentFilter));
}

#[test]
fn g08_the_last_reason_wins_and_later_text_counts() {
    let outcome = read(sse([
        &*text("a"),
        &finish("stop"),
        &text("b"),
        &finish("length"),
        "[DONE]",
    ]))
    .ok();
    assert_eq!(outcome.text, "ab");
    assert_eq!(outcome.finish, Some(FinishReason::Length));
}

#[test]
fn g08_what_follows_an_early_reason_needs_an_end_of_its_own() {
    let early =
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":"stop"}]}"#;
    let call = support::delta(
        r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#,
    );
    let whole_message = r#"{"choices":[{"message":{"content":"{\"title\":\"cut he"}}]}"#;
    for later in [&*text("{\"title\":\"cut he"), &*call] {
        let cut = read(sse([early, later]));
        assert_eq!(cut.reasoning, "hm", "what came stays readable");
        assert_eq!(cut.err().kind, ProviderErrorKind::Truncated, "{later}");
        let cut = read(sse([early, later]) + "data: {\"choi");
        assert_eq!(cut.err().kind, ProviderErrorKind::Truncated, "{later}");
        let marked = read(sse([early, later, "[DONE]"])).ok();
        assert_eq!(marked.finish, Some(FinishReason::Stop), "{later}");
        let ended = read(sse([early, later, &finish("length")])).ok();
        assert_eq!(ended.finish, Some(FinishReason::Length), "{later}");
    }
    let early_message = r#"{"choices":[{"message":{"content":"{"},"finish_reason":"stop"}]}"#;
    let cut = read(sse([early_message, whole_message]));
    assert_eq!(cut.err().kind, ProviderErrorKind::Truncated);
    // Nothing new in it.
    let empty = support::delta(r#"{"content":"","tool_calls":[]}"#);
    let outcome = read(sse([&*text("Hi"), &finish("stop"), &empty])).ok();
    assert_eq!(outcome.text, "Hi");
}

#[test]
fn a15_what_breaks_off_after_the_reason_is_said() {
    let body = sse([&*text("Hi"), &finish("stop")]) + "data: {\"choi";
    let outcome = read(body).ok();
    assert_eq!(outcome.text, "Hi");
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
    assert_eq!(outcome.warnings, [WarningKind::Wire]);
}

#[test]
fn the_same_warning_is_given_once() {
    let body = format!(
        "{}{}",
        "data: : PROCESSING\n\n".repeat(100),
        stream(&[&text("Hi")])
    );
    assert_eq!(read(body).ok().warnings, [WarningKind::Wire]);
}

#[test]
fn a01_to_a05_line_ends_and_byte_order_marks() {
    let body = stream(&[&text("Hello"), &text(" world")]);
    for variant in [
        body.replace('\n', "\r\n"),
        body.replace('\n', "\r"),
        format!("\u{feff}{body}"),
        body.replace("data: ", "data:"),
        body.replace("\n\n", "\n\n\n\n: ping\n\n"),
        format!("retry: 3000\nid: 1\n\n{body}"),
        body.replace("data: ", "event: chunk\nid: 7\nunknown\ndata: "),
    ] {
        let outcome = read(&variant).ok();
        assert_eq!(outcome.text, "Hello world", "{variant:?}");
        assert_eq!(outcome.warnings, []);
    }
}

#[test]
fn a06_a07_a10_signs_of_life() {
    let body = format!(
        ": OPENROUTER PROCESSING\n\ndata: : OPENROUTER PROCESSING\n\ndata:\n\nevent: ping\ndata: pong\n\n{}",
        stream(&[&text("Hi")])
    );
    let outcome = read(body).ok();
    assert_eq!(outcome.text, "Hi");
    assert_eq!(outcome.warnings, [WarningKind::Wire]);
}

#[test]
fn a14_an_error_field() {
    let body = format!(
        "{}error: {{\"code\":500,\"message\":\"it broke\",\"type\":\"server_error\"}}\n\n",
        sse([&*text("Hi")])
    );
    let outcome = read(body);
    assert_eq!(outcome.text, "Hi");
    let failure = outcome.err();
    assert_eq!(failure.kind, ProviderErrorKind::Provider);
    assert!(failure.message.contains("it broke"));
    assert!(failure.retryable);
}

#[test]
fn a15_a_last_event_without_its_blank_line() {
    let body = stream(&[&text("Hi")]);
    assert_eq!(read(body.trim_end()).ok().finish, Some(FinishReason::Stop));
    let no_marker = sse([&*text("Hi"), &finish("stop")]);
    assert_eq!(
        read(no_marker.trim_end()).ok().finish,
        Some(FinishReason::Stop)
    );
    let cut = &no_marker.trim_end()[..no_marker.trim_end().len() - 1];
    assert_eq!(read(cut).err().kind, ProviderErrorKind::Truncated);
}

#[test]
fn a16_two_chunks_in_one_event() {
    let body = format!(
        "data: {}\ndata: {}\n\n{}",
        text("a"),
        text("b"),
        stream(&[&text("c")])
    );
    let outcome = read(body).ok();
    assert_eq!(outcome.text, "abc");
    assert_eq!(outcome.warnings, [WarningKind::Wire]);
}

#[test]
fn a17_bare_lines_of_json() {
    let body = format!("{}\n{}\n{}\n", text("a"), text("b"), finish("stop"));
    let outcome = read(body).ok();
    assert_eq!(outcome.text, "ab");
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
    assert_eq!(outcome.warnings, [WarningKind::Wire]);
}

#[test]
fn a18_an_error_in_the_middle_of_an_event() {
    let stump = r#"{"choices":[{"delta":{"content":"hal"#;
    let error = r#"{"error":{"message":"gone","code":"server_error"}}"#;
    for body in [
        format!("data: {stump}\n{error}\n\n"),
        format!("data: {stump}\ndata: {error}\n\n"),
        format!("data: {stump}{error}\n\n"),
    ] {
        let failure = read(&body).err();
        assert_eq!(failure.kind, ProviderErrorKind::Provider, "{body}");
        assert_eq!(failure.code.as_deref(), Some("server_error"));
    }
    let both_broken = format!("data: {stump}{}\n\n", &error[..30]);
    assert_eq!(read(both_broken).err().kind, ProviderErrorKind::Protocol);
}

#[test]
fn a20_only_the_exact_end_marker_ends() {
    let model_says = text("[DONE] is not the end");
    for marker in ["data:[DONE]\n\n", "data: [DONE] \n\n", "data: [DONE]\r\r"] {
        let body = format!("{}{marker}", sse([&*model_says, &finish("stop")]));
        assert_eq!(read(body).ok().text, "[DONE] is not the end");
    }
    assert_eq!(
        read(sse(["[DONE] and more"])).err().kind,
        ProviderErrorKind::Decode
    );
}

#[test]
fn a21_what_follows_the_end_marker_is_ignored() {
    let body = format!(
        "{}{}",
        stream(&[&text("Hi")]),
        sse([&*text("more"), "[DONE]", r#"{"error":"late"}"#, "garbage"])
    );
    let outcome = read(body).ok();
    assert_eq!(outcome.text, "Hi");
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
}

#[test]
fn b01_b02_b03_bytes_that_are_cut_or_wrong() {
    let outcome = read(stream(&[&text("naïve 😀 漢字")])).ok();
    assert_eq!(outcome.text, "naïve 😀 漢字");
    assert_eq!(outcome.warnings, []);
    let mut invalid = stream(&[&text("a?b")]).into_bytes();
    let at = invalid.iter().position(|byte| *byte == b'?').unwrap();
    invalid[at] = 0xFF;
    let outcome = read(invalid).ok();
    assert_eq!(outcome.text, "a\u{FFFD}b");
    assert_eq!(outcome.warnings, [WarningKind::InvalidText]);
    let cut = text("😀");
    let cut = format!("data: {cut}").into_bytes();
    let at = cut.iter().position(|byte| *byte == 0xF0).unwrap();
    assert_eq!(
        read(&cut[..at + 2]).err().kind,
        ProviderErrorKind::Truncated
    );
}

#[test]
fn b04_halves_of_surrogate_pairs() {
    let content = |content: &str| support::delta(&format!(r#"{{"content":"{content}"}}"#));
    let joined = read(stream(&[&content("a\\ud83d"), &content("\\ude00b")])).ok();
    assert_eq!(joined.text, "a😀b");
    assert_eq!(joined.warnings, []);
    let whole = read(stream(&[&content("\\ud83d\\ude00 \\u00e9 \\\\ud83d")])).ok();
    assert_eq!(whole.text, "😀 é \\ud83d");
    for (first, second, expected) in [
        ("a\\ud83d", "b", "a\u{FFFD}b"),
        ("a", "\\ude00b", "a\u{FFFD}b"),
        ("a\\ud83d\\ud83d", "\\ude00", "a\u{FFFD}😀"),
        ("\\ud83d", "", "\u{FFFD}"),
        ("\\ud83dx", "", "\u{FFFD}x"),
        ("\\uffff\\ud83d", "\\ude00", "\u{FFFF}😀"),
        ("\u{FFFF}d83d\\ud83d", "\\ude00", "\u{FFFF}d83d😀"),
    ] {
        let outcome = read(stream(&[&content(first), &content(second)])).ok();
        assert_eq!(outcome.text, expected, "{first} {second}");
        let replaced = expected.contains('\u{FFFD}');
        assert_eq!(
            outcome.warnings.contains(&WarningKind::InvalidText),
            replaced,
            "{first}"
        );
    }
    // A half in one channel does not join with one in another.
    let apart = read(stream(&[
        &content("\\ud83d"),
        &support::delta(r#"{"reasoning":"\ude00"}"#),
        &content("\\ude00"),
    ]))
    .ok();
    assert_eq!(apart.text, "😀");
    assert_eq!(apart.reasoning, "\u{FFFD}");
    let arguments = read(stream(&[
        &support::delta(r#"{"tool_calls":[{"index":0,"id":"a\ud83d","function":{"name":"f","arguments":"[\"\ud83d"}}]}"#),
        &support::delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"\ude00\"]"}}]}"#),
    ]))
    .ok();
    assert_eq!(arguments.calls[0].arguments, "[\"😀\"]");
    assert_eq!(arguments.calls[0].id, "a\u{FFFD}");
}

#[test]
fn b06_b07_events_have_a_limit() {
    let large = "x".repeat(1 << 20);
    let (events, error) = Case::default().run([stream(&[&text(&large)]).as_bytes()]);
    assert!(error.is_none());
    assert!(events.len() >= 2);
    let small = Case::with(|options| options.max_event_bytes = 1024);
    let endless = vec![b'x'; 64 * 1024];
    let (_, error) = small.run(std::iter::once(&b"data: "[..]).chain(endless.chunks(100)));
    assert_eq!(error.unwrap().kind(), ProviderErrorKind::Limit);
    let document = Case::with(|options| options.max_answer_bytes = 1024);
    let (_, error) = document.run(std::iter::once(&b"{\n\"a\":\""[..]).chain(endless.chunks(100)));
    assert_eq!(error.unwrap().kind(), ProviderErrorKind::Limit);
    let (_, error) = document.run(std::iter::once(&b"{\"a\":\""[..]).chain(endless.chunks(100)));
    assert_eq!(error.unwrap().kind(), ProviderErrorKind::Limit);
}

#[test]
fn progress_counts_events_and_no_signs_of_life() {
    let mut decoder = agently_provider_openai::wire::BodyDecoder::new(
        Default::default(),
        Default::default(),
        Some("text/event-stream"),
    );
    decoder.push(b": hello\n\n").unwrap();
    let start = decoder.progress();
    for alive in [
        ": ping\n\n",
        "data:\n\n",
        "data: : PROCESSING\n\n",
        "\n\n",
        "retry: 1\n\n",
    ] {
        decoder.push(alive.as_bytes()).unwrap();
        assert_eq!(decoder.progress(), start, "{alive:?}");
    }
    decoder.push(sse([&*text("Hi")]).as_bytes()).unwrap();
    assert!(decoder.progress() > start);
}
