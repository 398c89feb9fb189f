//! Calls that fail, over real sockets: what is tried again, what is not, and what is said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently_api::error::ProviderErrorKind as Kind;
use agently_api::model::{CallContext, Message, ModelRequest};
use support::call::{answer, everywhere, provider, refused, request, run, run_in, KEY, PROMPT};
use support::server::{Reply, Server};
use support::text;

#[test]
fn a_wrong_key_is_said_at_once_and_without_the_key() {
    everywhere(|runtime| {
        let body = format!(
            r#"{{"error":{{"message":"Incorrect API key provided: {KEY}. {PROMPT}","code":"invalid_api_key"}}}}"#
        );
        let server = Server::start(vec![refused("401 Unauthorized", &body), answer()]);
        let (_, error) = run(&runtime, provider(&server), request());
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::Provider);
        assert_eq!(error.status(), Some(401));
        assert_eq!(error.code(), Some("invalid_api_key"));
        assert_eq!(error.request_id(), Some("req-9"));
        assert!(error.hint().unwrap().contains("API key"));
        assert!(error.message().contains("Incorrect API key provided"));
        assert!(error.attempts().is_empty());
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn a_missing_key_is_named() {
    everywhere(|runtime| {
        let server = Server::start(vec![refused("401 Unauthorized", "{}")]);
        let (_, error) = run(&runtime, provider(&server).api_key(""), request());
        assert!(error.unwrap().hint().unwrap().contains("OPENAI_API_KEY"));
    });
}

#[test]
fn d06_a_rate_limit_is_waited_for() {
    everywhere(|runtime| {
        let busy = |wait: &str| {
            refused(
                &format!("429 Too Many Requests\r\n{wait}"),
                r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#,
            )
        };
        let server = Server::start(vec![
            busy("retry-after-ms: 60"),
            busy("retry-after: 0.05"),
            answer(),
        ]);
        let start = runtime.now();
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hello world");
        assert!(runtime.now().saturating_duration_since(start) >= Duration::from_millis(110));
        assert_eq!(server.requests().len(), 3);
    });
}

#[test]
fn d07_a_wait_that_is_too_long_is_not_waited_for() {
    everywhere(|runtime| {
        let busy = refused(
            "429 Too Many Requests\r\nretry-after: 9999999",
            r#"{"error":"slow down"}"#,
        );
        let server = Server::start(vec![busy, answer()]);
        let (_, error) = run(&runtime, provider(&server), request());
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::RateLimited);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(9_999_999)));
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn d06_a_rate_limit_without_a_wait_uses_our_own() {
    everywhere(|runtime| {
        let busy = || {
            refused(
                "429 Too Many Requests\r\nretry-after: soon",
                r#"{"error":"slow down"}"#,
            )
        };
        let server = Server::start(vec![busy(), busy(), busy(), answer()]);
        let (_, error) = run(&runtime, provider(&server), request());
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::RateLimited);
        assert_eq!(error.attempts().len(), 2);
        assert_eq!(error.attempts()[0].status, Some(429));
        assert!(error.to_string().contains("after 3 tries"), "{error}");
        assert_eq!(server.requests().len(), 3);
    });
}

#[test]
fn d08_no_quota_is_final() {
    everywhere(|runtime| {
        let body = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
        let server = Server::start(vec![refused("429 Too Many Requests", body), answer()]);
        let (_, error) = run(&runtime, provider(&server), request());
        assert_eq!(error.unwrap().kind(), Kind::Quota);
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn d11_a_server_failure_is_tried_again_with_the_same_key_of_the_step() {
    everywhere(|runtime| {
        let server = Server::start(vec![
            refused("500 Internal Server Error", "{}"),
            refused("502 Bad Gateway", "<html><title>502</title>"),
            answer(),
        ]);
        let context = CallContext::new(runtime.clone()).with_idempotency_key("step-1");
        let (outcome, error) = run_in(&runtime, provider(&server), request(), context);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hello world");
        let requests = server.requests();
        assert_eq!(requests.len(), 3);
        assert!(requests
            .iter()
            .all(|request| request.contains("idempotency-key: step-1")));
        assert_eq!(requests[0], requests[2]);
    });
}

#[test]
fn d13_the_servers_word_on_retries_is_obeyed() {
    everywhere(|runtime| {
        let server = Server::start(vec![
            refused("500 Internal Server Error\r\nx-should-retry: false", "{}"),
            answer(),
        ]);
        let (_, error) = run(&runtime, provider(&server), request());
        assert_eq!(error.unwrap().status(), Some(500));
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn d02_a_web_page_is_no_answer() {
    everywhere(|runtime| {
        let server = Server::start(vec![
            Reply::sized(
                "200 OK\r\ncontent-type: text/html",
                "<!doctype html><title>Sign in</title>",
            ),
            answer(),
        ]);
        let (_, error) = run(&runtime, provider(&server), request());
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::ContentType);
        assert_eq!(error.status(), Some(200));
        assert!(error.message().contains("Sign in") && error.hint().unwrap().contains("base URL"));
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn d16_an_empty_answer_is_tried_again() {
    everywhere(|runtime| {
        let server = Server::start(vec![
            Reply::sized("200 OK", ""),
            Reply::events(&["[DONE]"]),
            answer(),
        ]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hello world");
        assert_eq!(server.requests().len(), 3);
    });
}

#[test]
fn a_redirect_is_not_followed() {
    everywhere(|runtime| {
        let server = Server::start(vec![
            Reply::sized(
                "307 Temporary Redirect\r\nlocation: https://elsewhere.example/v2?token=canary",
                "",
            ),
            answer(),
        ]);
        let (_, error) = run(&runtime, provider(&server), request());
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::Redirect);
        assert!(
            error
                .hint()
                .unwrap()
                .contains("https://elsewhere.example/v2"),
            "{error}"
        );
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn h01_an_error_in_the_stream_is_tried_again_only_before_the_first_delta() {
    let busy = r#"{"error":{"message":"overloaded","type":"overloaded_error"}}"#;
    everywhere(|runtime| {
        let server = Server::start(vec![Reply::events(&[busy, "[DONE]"]), answer()]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hello world");

        let server = Server::start(vec![
            Reply::events(&[&text("Some"), busy, "[DONE]"]),
            answer(),
        ]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert_eq!(
            outcome.text, "Some",
            "what came stays readable, and nothing else came"
        );
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::Provider);
        assert!(error.is_retryable());
        assert_eq!(error.request_id(), Some("req-77"));
        assert!(error.bytes_received() > 0);
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn c02_a_cut_stream_is_never_a_whole_answer() {
    everywhere(|runtime| {
        let server = Server::start(vec![Reply::open_events(&[&text("Hel")]), answer()]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert_eq!(outcome.text, "Hel");
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::Truncated);
        assert!(error.is_retryable());
        assert_eq!(server.requests().len(), 1);

        let role = r#"{"choices":[{"delta":{"role":"assistant"}}]}"#;
        let server = Server::start(vec![Reply::open_events(&[role]), answer()]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "nothing had come: {error:?}");
        assert_eq!(outcome.text, "Hello world");
    });
}

#[test]
fn nobody_listens() {
    everywhere(|runtime| {
        let server = Server::start(vec![]);
        let nobody = provider(&server).base_url("http://127.0.0.1:9/v1");
        let (_, error) = run(&runtime, nobody, request());
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::Connect);
        assert_eq!(error.attempts().len(), 2);
    });
}

#[test]
fn a_large_request_is_not_sent_again_into_a_closing_door() {
    everywhere(|runtime| {
        let large = |bytes: usize| ModelRequest::new(vec![Message::user("y".repeat(bytes))]);
        let server = Server::start(vec![Reply::raw(""), answer()]);
        let (_, error) = run(&runtime, provider(&server), large(2 << 20));
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::Truncated);
        assert!(error.hint().unwrap().contains("too large"), "{error}");
        assert!(error.maybe_billed(), "the request had been sent");
        assert_eq!(server.requests().len(), 1);

        let server = Server::start(vec![Reply::raw(""), answer()]);
        let (outcome, error) = run(&runtime, provider(&server), large(2 << 10));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hello world");
    });
}

#[test]
fn d11_what_may_have_cost_money_is_said_for_every_try() {
    everywhere(|runtime| {
        let server = Server::start(vec![
            Reply::raw(""),
            refused("503 Service Unavailable", "{}"),
            refused("503 Service Unavailable", "{}"),
        ]);
        let (_, error) = run(&runtime, provider(&server), request());
        let error = error.unwrap();
        assert_eq!(error.status(), Some(503));
        assert_eq!(error.attempts()[0].kind, Kind::Truncated);
        assert!(error.maybe_billed());

        let server = Server::start(vec![refused("400 Bad Request", "{}")]);
        let (_, error) = run(&runtime, provider(&server), request());
        assert!(!error.unwrap().maybe_billed());

        let server = Server::start(vec![Reply::open_events(&[&text("Hel")])]);
        let (_, error) = run(&runtime, provider(&server), request());
        assert!(error.unwrap().maybe_billed());
    });
}

#[test]
fn d08_the_code_of_a_very_long_error_is_found() {
    everywhere(|runtime| {
        let body = format!(
            r#"{{"error":{{"message":"{}","code":"insufficient_quota"}}}}"#,
            "x".repeat(70_000)
        );
        let server = Server::start(vec![refused("429 Too Many Requests", &body), answer()]);
        let (_, error) = run(&runtime, provider(&server), request());
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::Quota);
        assert!(error.message().len() < 3_000);
        assert_eq!(server.requests().len(), 1);
    });
}
