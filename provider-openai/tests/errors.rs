//! What servers' errors mean: groups H and D of the wire catalogue.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_api::error::{ProviderError, ProviderErrorKind as Kind};
use agently_api::secret::Secret;
use agently_provider_openai::wire::{Redactor, StatusReply};
use http::StatusCode;
use support::{read, sse, text, Case, Failure};

fn in_stream(payload: &str) -> Failure {
    let first = read(sse([payload])).err();
    let outcome = read(sse([&*text("Hi"), payload, "[DONE]"]));
    assert_eq!(outcome.text, "Hi", "H01: what came before stays");
    assert_eq!(outcome.finish, None, "H04: still the error");
    assert_eq!(outcome.err(), first);
    first
}

#[test]
fn h01_h02_all_forms_of_error_objects() {
    for payload in [
        r#"{"error":{"message":"it broke","code":"bad_thing","type":"server_kind"}}"#,
        r#"{"error":{"message":"it broke","code":"bad_thing","type":"server_kind"},"choices":[]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"message":"it broke","code":"bad_thing","type":"server_kind"}}"#,
        r#"{"error":{"error":{"message":"it broke","code":"bad_thing","type":"server_kind"}}}"#,
        r#"{"object":"error","message":"it broke","code":"bad_thing","type":"server_kind"}"#,
        r#"{"type":"error","error":{"message":"it broke","code":"bad_thing","type":"server_kind"}}"#,
        r#"[{"error":{"message":"it broke","code":"bad_thing","status":"server_kind"}}]"#,
        r#"{"error":"it broke","code":"bad_thing","type":"server_kind"}"#,
    ] {
        let failure = in_stream(payload);
        assert_eq!(failure.kind, Kind::Provider, "{payload}");
        assert!(
            failure.message.ends_with("it broke"),
            "{payload}: {}",
            failure.message
        );
        assert_eq!(failure.code.as_deref(), Some("bad_thing"), "{payload}");
        assert_eq!(
            failure.error_type.as_deref(),
            Some("server_kind"),
            "{payload}"
        );
        assert!(!failure.retryable, "{payload}");
    }
}

#[test]
fn h02_codes_that_are_numbers() {
    for (code, kind, retryable) in [
        ("429", Kind::RateLimited, true),
        ("\"429\"", Kind::RateLimited, true),
        ("502", Kind::Provider, true),
        ("503", Kind::Provider, true),
        ("408", Kind::Provider, true),
        ("400", Kind::Provider, false),
        ("401", Kind::Provider, false),
    ] {
        let failure = in_stream(&format!(r#"{{"error":{{"code":{code},"message":"m"}}}}"#));
        assert_eq!(
            (failure.kind, failure.retryable),
            (kind, retryable),
            "{code}"
        );
        assert_eq!(failure.code.as_deref(), Some(code.trim_matches('"')));
    }
}

#[test]
fn h03_errors_by_name() {
    for (code, kind, retryable) in [
        ("overloaded_error", Kind::Provider, true),
        ("server_error", Kind::Provider, true),
        ("rate_limit_exceeded", Kind::RateLimited, true),
        ("insufficient_quota", Kind::Quota, false),
        ("content_filter", Kind::ContentFilter, false),
        ("invalid_request_error", Kind::Provider, false),
        ("unheard_of", Kind::Provider, false),
    ] {
        for field in ["code", "type"] {
            let failure = in_stream(&format!(
                r#"{{"error":{{"{field}":"{code}","message":"m"}}}}"#
            ));
            assert_eq!(
                (failure.kind, failure.retryable),
                (kind, retryable),
                "{field} {code}"
            );
        }
    }
    let named = "event: error\ndata: {\"message\":\"busy\",\"code\":\"overloaded\"}\n\n";
    let failure = read(named).err();
    assert_eq!(failure.kind, Kind::Provider);
    assert!(failure.retryable && failure.message.ends_with("busy"));
    let words = read("event: error\ndata: it broke\n\n").err();
    assert_eq!(words.kind, Kind::Provider);
    assert!(words.message.ends_with("it broke"));
}

#[test]
fn h05_an_error_line_of_ndjson() {
    let body = format!(
        "{}\n{{\"error\":\"model runner has stopped\"}}\n",
        text("Hi")
    );
    let outcome = read(body);
    assert_eq!(outcome.text, "Hi");
    let failure = outcome.err();
    assert_eq!(failure.kind, Kind::Provider);
    assert!(failure.message.contains("model runner has stopped"));
}

#[test]
fn an_error_in_a_choice() {
    let failure = in_stream(
        r#"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":502,"message":"upstream died"}}]}"#,
    );
    assert!(failure.message.contains("upstream died"));
    assert!(failure.retryable);
}

#[test]
fn fields_that_only_look_like_errors() {
    for error in ["null", "false", "\"\"", "{}", "0"] {
        let chunk = format!(
            r#"{{"error":{error},"choices":[{{"delta":{{"content":"x"}},"error":null}}]}}"#
        );
        assert_eq!(read(support::stream(&[&chunk])).ok().text, "x", "{error}");
    }
}

#[test]
fn d14_the_context_length() {
    for payload in [
        r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
        r#"{"error":{"code":400,"message":"the request exceeds the available context size. try increasing it","type":"exceed_context_size_error"}}"#,
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","code":400}"#,
    ] {
        let failure = in_stream(payload);
        assert_eq!(failure.kind, Kind::Provider);
        assert_eq!(
            failure.code.as_deref(),
            Some("context_length_exceeded"),
            "{payload}"
        );
        assert!(!failure.retryable);
        assert!(failure.hint.unwrap().contains("shorten"));
    }
}

fn status(status: u16, body: &str) -> ProviderError {
    StatusReply::new(StatusCode::from_u16(status).unwrap(), body.as_bytes())
        .into_error(&Redactor::default())
}

#[test]
fn d01_d11_statuses() {
    for (code, kind, retryable, billed) in [
        (400, Kind::Provider, false, false),
        (401, Kind::Provider, false, false),
        (403, Kind::Provider, false, false),
        (404, Kind::Provider, false, false),
        (407, Kind::Proxy, false, false),
        (408, Kind::Provider, true, false),
        (409, Kind::Provider, true, false),
        (413, Kind::Provider, false, false),
        (422, Kind::Provider, false, false),
        (429, Kind::RateLimited, true, false),
        (500, Kind::Provider, true, false),
        (501, Kind::Provider, false, false),
        (502, Kind::Provider, true, true),
        (503, Kind::Provider, true, false),
        (504, Kind::Provider, true, true),
        (505, Kind::Provider, false, false),
        (524, Kind::Provider, true, true),
        (529, Kind::Provider, true, false),
        (301, Kind::Redirect, false, false),
        (307, Kind::Redirect, false, false),
    ] {
        let error = status(code, r#"{"error":{"message":"words","code":"a_code"}}"#);
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.is_retryable(), retryable, "{code}");
        assert_eq!(error.maybe_billed(), billed, "{code}");
        assert_eq!(error.status(), Some(code));
        assert!(
            error.message().contains(&code.to_string()),
            "{}",
            error.message()
        );
        if code >= 400 {
            assert_eq!(error.code(), Some("a_code"));
            assert!(error.message().contains("words"));
        }
    }
}

#[test]
fn d01_hints_say_what_to_do() {
    assert!(status(401, "{}").hint().unwrap().contains("API key"));
    assert!(status(404, "{}").hint().unwrap().contains("base URL"));
    assert!(status(404, "{}").hint().unwrap().contains("model"));
}

#[test]
fn d08_d09_quota_and_rate_limits_are_told_apart_by_the_code() {
    let quota = status(
        429,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
    );
    assert_eq!(quota.kind(), Kind::Quota);
    assert!(!quota.is_retryable());
    let rate = status(
        429,
        r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan","status":"RESOURCE_EXHAUSTED"}}]"#,
    );
    assert_eq!(rate.kind(), Kind::RateLimited);
    assert!(rate.is_retryable());
    assert_eq!(rate.error_type(), Some("RESOURCE_EXHAUSTED"));
}

#[test]
fn d12_of_a_web_page_only_the_title_is_shown() {
    let page = "<html>\n<head><TITLE>example.com |\n 522: Connection timed out</TITLE></head><body>lots of words</body></html>";
    let error = status(522, page);
    assert!(error.is_retryable());
    assert!(
        error.message().contains("522: Connection timed out"),
        "{}",
        error.message()
    );
    assert!(!error.message().contains("lots of words"));
    assert!(!status(520, "<html><body>secret")
        .message()
        .contains("secret"));
}

#[test]
fn d13_the_servers_word_on_retries_goes_before_the_table() {
    for (code, word) in [(500, false), (400, true)] {
        let mut reply = StatusReply::new(StatusCode::from_u16(code).unwrap(), b"{}");
        reply.should_retry = Some(word);
        assert_eq!(reply.into_error(&Redactor::default()).is_retryable(), word);
    }
}

#[test]
fn error_bodies_of_frameworks() {
    for (body, words) in [
        (r#"{"detail":"Not authenticated"}"#, "Not authenticated"),
        (
            r#"{"detail":[{"loc":["body","model"],"msg":"field required","type":"missing"}]}"#,
            "body.model: field required",
        ),
        (r#"{"message":"no Route matched"}"#, "no Route matched"),
        (
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"bad image","provider_name":"X"}}}"#,
            "Provider returned error: bad image",
        ),
        ("plain words\n", "plain words"),
    ] {
        let error = status(400, body);
        assert!(error.message().ends_with(words), "{}", error.message());
    }
    assert_eq!(
        status(503, "").message(),
        "the server answered 503 Service Unavailable"
    );
}

#[test]
fn h07_keys_and_prompts_are_kept_out() {
    let key = "my-own-key-1234";
    let prompt = "The patient Jane Roe was born on the third of May and takes nine pills.";
    let request = serde_json::json!({"model": "m", "messages": [
        {"role": "user", "content": prompt},
        {"role": "user", "content": [{"type": "text", "text": "short one"}]},
    ]});
    let redactor = Redactor::new(vec![Secret::new(key)], request.to_string().into());
    let echo = format!(
        "bad key {key} or sk-proj-abcdefghijklmnop1234 for: {} (short one), try again",
        &prompt[12..60]
    );
    let body = serde_json::json!({"error": {"message": echo, "code": key}}).to_string();
    let error = StatusReply::new(StatusCode::UNAUTHORIZED, body.as_bytes()).into_error(&redactor);
    let shown = format!("{error} {error:?} {:?}", error.code());
    for secret in [key, "sk-proj", "Jane Roe", "third of May", "short one"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(
        error
            .message()
            .contains("bad key [key] or [key] for:[prompt] ([prompt]), try again"),
        "{}",
        error.message()
    );

    let case = Case {
        redactor,
        ..Case::default()
    };
    let failure = case.read(sse([&*body])).err();
    assert!(!format!("{failure:?}").contains(key));
}

#[test]
fn h07_prompts_are_recognised_in_every_spelling() {
    let prompt = "请把这份合同的机密内容总结成三点";
    let lines = "Dear \"Ms Roe\",\nyour file is in C:\\new\\files.\n\tYours";
    let request = serde_json::json!({"messages": [
        {"role": "system", "content": prompt},
        {"role": "user", "content": lines},
        {"role": "user", "content": "n\u{e3}o dig"},
    ]});
    let redactor = Redactor::new(vec![], request.to_string().into());
    let escaped: String = prompt
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let json = serde_json::Value::from(lines).to_string();
    let twice = serde_json::Value::from(json.as_str()).to_string();
    let python = lines
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t");
    for echo in [
        &escaped,
        &escaped.to_uppercase().replace("\\U", "\\u"),
        &json,
        &twice,
        &python,
    ] {
        let shown = redactor.clean(&format!("bad input: {{{echo}}} is too odd"));
        assert!(shown.starts_with("bad input: {"), "{shown}");
        assert!(shown.ends_with("} is too odd"), "{shown}");
        assert!(shown.contains("[prompt]"), "{shown}");
        for part in ["\\u", "Roe", "files", "Yours"] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
    }
    assert_eq!(redactor.clean("(n\\u00e3o dig)"), "([prompt])");
    assert_eq!(
        redactor.clean("see C:\\temp\\log for \\u0041, ok"),
        "see C:\\temp\\log for \\u0041, ok",
        "what is no prompt stays as it is"
    );
}

#[test]
fn h07_tools_and_schemas_are_part_of_the_prompt() {
    let secret = "The internal margin of product Zeta in percent";
    for request in [
        serde_json::json!({"tools": [{"function": {"name": "f", "description": secret, "parameters": {}}}]}),
        serde_json::json!({"tools": [{"function": {"name": "f", "parameters": {"type": "object", "properties": {"x": {"description": secret}}}}}]}),
        serde_json::json!({"response_format": {"json_schema": {"schema": {"properties": {"x": {"anyOf": [{"description": secret}]}}}}}}),
        serde_json::json!({"response_format": {"json_schema": {"schema": {"enum": ["a", secret]}}}}),
    ] {
        let redactor = Redactor::new(vec![], request.to_string().into());
        let shown = redactor.clean(&format!("Invalid schema: '{secret}' is too long"));
        assert_eq!(shown, "Invalid schema: '[prompt]' is too long", "{request}");
    }
}

#[test]
fn h07_a_long_prompt_is_looked_through_to_its_end() {
    let long = "lorem ipsum dolor sit amet ".repeat(100_000);
    let request = serde_json::json!({"messages": [{"content": format!("{long} and the code is 7-1-9-secret")}]});
    let redactor = Redactor::new(vec![], request.to_string().into());
    let shown = redactor.clean("no: and the code is 7-1-9-secret");
    assert_eq!(shown, "no:[prompt]");
}

#[test]
fn error_bodies_that_are_framed_or_broken_keep_their_code() {
    let error = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    for body in [
        format!("data: {error}\n\ndata: [DONE]\n\n"),
        format!("event: error\r\ndata: {error}\r\n\r\n"),
        format!(": hello\n\nid: 1\ndata:{error}"),
        error[..error.len() - 2].to_owned(),
        error.replace(r#"","type"#, r#" "quoted"","type"#),
        format!("{}…{}", &error[..30], &error[error.len() - 40..]),
    ] {
        let error = status(429, &body);
        assert_eq!(error.kind(), Kind::Quota, "{body}");
        assert!(!error.is_retryable());
    }
    let framed = status(400, &format!("data: {error}\n\n"));
    assert!(
        framed
            .message()
            .ends_with("You exceeded your current quota"),
        "{}",
        framed.message()
    );
}

#[test]
fn h07_s18_long_and_wild_messages_are_cut_and_escaped() {
    let wild = format!("first\nsecond\u{1b}[31m\u{2028}{}", "é".repeat(50_000));
    let body = serde_json::json!({"error": {"message": wild}}).to_string();
    let error =
        StatusReply::new(StatusCode::BAD_REQUEST, body.as_bytes()).into_error(&Redactor::default());
    assert!(error.message().len() <= 2 * 1024 + 100);
    assert!(error
        .message()
        .contains("first\\nsecond\\u{1b}[31m\\u{2028}é"));
    assert!(!error.message().chars().any(char::is_control));
}

#[test]
fn placeholder_keys_are_ordinary_words() {
    let redactor = Redactor::new(
        vec![Secret::new("x"), Secret::new("EMPTY")],
        Default::default(),
    );
    assert_eq!(redactor.clean("an EMPTY box, next"), "an EMPTY box, next");
}
