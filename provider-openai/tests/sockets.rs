//! Whole calls over real sockets, on every runtime.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind as Kind};
use agently_api::model::{
    CallContext, FinishReason, Message, ModelEvent, ModelProvider, ModelRequest,
};
use agently_api::rt::Runtime;
use agently_backend_smol::Smol;
use agently_backend_tokio::Tokio;
use agently_provider_openai::{OpenAi, OpenAiBuilder, ProxyConfig, RetryPolicy, Timeouts};
use futures_util::StreamExt;
use support::server::{Reply, Server};
use support::{finish, text, Outcome};

const KEY: &str = "canary-key-0123456789";
const PROMPT: &str = "canary prompt: tell me about the seven lakes";

/// Runs a test on each runtime.
fn everywhere(test: impl Fn(Runtime)) {
    let tokio = Tokio::new().unwrap();
    test(tokio.runtime());
    let smol = Smol::new().unwrap();
    test(smol.runtime());
}

/// Tries quickly, so that tests do not wait.
fn provider(server: &Server) -> OpenAiBuilder {
    OpenAi::builder()
        .base_url(server.base_url())
        .api_key(KEY)
        .model("m")
        .proxy(ProxyConfig::none())
        .retry(RetryPolicy::default().with_base(Duration::from_millis(1)))
}

fn request() -> ModelRequest {
    ModelRequest::new(vec![Message::user(PROMPT)])
}

fn run(
    runtime: &Runtime,
    provider: OpenAiBuilder,
    request: ModelRequest,
) -> (Outcome, Option<ProviderError>) {
    run_in(
        runtime,
        provider,
        request,
        CallContext::new(runtime.clone()),
    )
}

/// One call to its end: what came, and the error if there was one, wherever it came from.
fn run_in(
    runtime: &Runtime,
    provider: OpenAiBuilder,
    request: ModelRequest,
    context: CallContext,
) -> (Outcome, Option<ProviderError>) {
    let provider = provider.build().unwrap();
    let (events, error) = runtime
        .block_on(async move {
            let mut stream = match provider.stream(request, context).await {
                Ok(stream) => stream,
                Err(error) => return (Vec::new(), Some(error)),
            };
            let mut events = Vec::new();
            while let Some(event) = stream.next().await {
                match event {
                    Ok(event) => events.push(event),
                    Err(error) => {
                        assert!(stream.next().await.is_none(), "nothing follows an error");
                        return (events, Some(error));
                    }
                }
            }
            (events, None)
        })
        .unwrap();
    if let Some(error) = &error {
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
    let ended = events
        .iter()
        .any(|event| matches!(event, ModelEvent::Finish(_)));
    assert!(
        ended != error.is_some(),
        "an end or an error: {events:?} {error:?}"
    );
    let outcome = match ended {
        true => Outcome::of(&events, None),
        false => Outcome::of(&events, Some(ProviderError::new(Kind::Other, ""))),
    };
    (outcome, error)
}

fn answer() -> Reply {
    Reply::events(&[&text("Hello"), &text(" world"), &finish("stop"), "[DONE]"])
}

fn refused(status: &str, body: &str) -> Reply {
    Reply::sized(
        &format!("{status}\r\ncontent-type: application/json\r\nx-request-id: req-9"),
        body,
    )
}

#[test]
fn an_answer_is_streamed() {
    everywhere(|runtime| {
        let server = Server::start(vec![answer()]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hello world");
        assert_eq!(outcome.finish, Some(FinishReason::Stop));
        assert_eq!(server.requests().len(), 1);
        assert!(server.requests()[0].contains(&format!("Bearer {KEY}")));
    });
}

#[test]
fn deltas_come_while_the_server_is_still_writing() {
    everywhere(|runtime| {
        let server = Server::start(vec![Reply::open_events(&[&text("early")]).hold()]);
        let provider = provider(&server).build().unwrap();
        runtime
            .block_on(async {
                let context = CallContext::new(runtime.clone());
                let mut stream = provider.stream(request(), context).await.unwrap();
                loop {
                    match stream.next().await.unwrap().unwrap() {
                        ModelEvent::Started(info) => {
                            assert!(info.request_id.is_none_or(|id| id == "req-77"));
                        }
                        event => {
                            assert_eq!(event, ModelEvent::TextDelta("early".into()));
                            break;
                        }
                    }
                }
                drop(stream);
            })
            .unwrap();
        server.wait_for_close();
    });
}

#[test]
fn dropping_the_call_before_its_answer_closes_the_socket() {
    everywhere(|runtime| {
        let server = Server::start(vec![Reply::raw("").hold()]);
        let provider = provider(&server).build().unwrap();
        let task = runtime.spawn({
            let runtime = runtime.clone();
            async move {
                provider
                    .stream(request(), CallContext::new(runtime))
                    .await
                    .is_ok()
            }
        });
        runtime
            .block_on(async {
                while server.requests().is_empty() {
                    runtime.sleep(Duration::from_millis(1)).await;
                }
            })
            .unwrap();
        drop(task);
        server.wait_for_close();
    });
}

#[test]
fn the_connection_is_used_again() {
    everywhere(|runtime| {
        let server = Server::start(vec![answer(), answer()]);
        let provider = provider(&server).build().unwrap();
        for _ in 0..2 {
            let events = runtime
                .block_on(async {
                    let context = CallContext::new(runtime.clone());
                    provider
                        .stream(request(), context)
                        .await
                        .unwrap()
                        .count()
                        .await
                })
                .unwrap();
            assert!(events >= 3);
        }
        assert_eq!(server.requests().len(), 2);
    });
}

#[test]
fn a22_an_open_connection_after_the_end_marker_does_not_matter() {
    everywhere(|runtime| {
        let server = Server::start(vec![Reply::open_events(&[
            &text("Hi"),
            &finish("stop"),
            "[DONE]",
        ])
        .hold()]);
        let start = runtime.now();
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hi");
        assert!(runtime.now().saturating_duration_since(start) < Duration::from_secs(5));
        server.wait_for_close();
    });
}

#[test]
fn one_piece() {
    let whole = r#"{"id":"c","model":"m1","choices":[{"message":{"role":"assistant","content":"All"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
    everywhere(|runtime| {
        let server = Server::start(vec![Reply::sized(
            "200 OK\r\ncontent-type: application/json",
            whole,
        )]);
        let (outcome, error) = run(&runtime, provider(&server), request().with_stream(false));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "All");
        assert_eq!(outcome.usage.total_tokens, Some(2));
        assert_eq!(outcome.warnings, []);
        let request = &server.requests()[0];
        assert!(
            request.contains(r#""stream":false"#) && request.contains("accept: application/json")
        );
    });
}

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
fn c02_a_cut_after_the_finish_reason_loses_nothing() {
    everywhere(|runtime| {
        let server = Server::start(vec![Reply::open_events(&[&text("Hi"), &finish("stop")])]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hi");
        assert_eq!(outcome.warnings.len(), 1);
    });
}

#[test]
fn c05_a_body_that_ends_with_its_connection() {
    let body = |payloads: &str| {
        Reply::raw(format!(
            "HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{payloads}"
        ))
    };
    everywhere(|runtime| {
        let server = Server::start(vec![body(&support::sse([&*text("Hi"), &finish("stop")]))]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hi");
        let server = Server::start(vec![body(&support::sse([&*text("Hi")]))]);
        let (_, error) = run(&runtime, provider(&server), request());
        assert_eq!(error.unwrap().kind(), Kind::Truncated);
    });
}

#[test]
fn e16_a_malformed_event() {
    everywhere(|runtime| {
        let broken = r#"{"choices":[{"delta":{"content":"canary"#;
        let server = Server::start(vec![
            Reply::events(&[&text("a"), broken, &text("b"), &finish("stop"), "[DONE]"]),
            answer(),
        ]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert_eq!(outcome.text, "a");
        assert_eq!(error.unwrap().kind(), Kind::Decode);
        assert_eq!(server.requests().len(), 1);
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
fn time_limits_name_what_was_slow() {
    everywhere(|runtime| {
        let timeouts = Timeouts::default()
            .with_headers(Duration::from_millis(80))
            .with_idle(Duration::from_millis(80));
        let once = RetryPolicy::never();
        let server = Server::start(vec![Reply::raw("").hold()]);
        let (_, error) = run(
            &runtime,
            provider(&server).timeouts(timeouts).retry(once),
            request(),
        );
        assert_eq!(error.unwrap().kind(), Kind::HeadersTimeout);
        server.wait_for_close();

        let server = Server::start(vec![Reply::open_events(&[&text("Hi")]).hold()]);
        let (outcome, error) = run(
            &runtime,
            provider(&server).timeouts(timeouts).retry(once),
            request(),
        );
        assert_eq!(outcome.text, "Hi");
        assert_eq!(error.unwrap().kind(), Kind::IdleTimeout);
        server.wait_for_close();
    });
}

#[test]
fn i02_signs_of_life_are_no_progress() {
    everywhere(|runtime| {
        let timeouts = Timeouts::default()
            .with_idle(Duration::from_secs(5))
            .with_no_progress(Duration::from_millis(150));
        let reply = Reply::open_events(&[&text("Hi")])
            .then_chunk(": keep-alive\n\n")
            .repeat(Duration::from_millis(10));
        let server = Server::start(vec![reply]);
        let (outcome, error) = run(&runtime, provider(&server).timeouts(timeouts), request());
        assert_eq!(outcome.text, "Hi");
        assert_eq!(error.unwrap().kind(), Kind::NoProgress);
        server.wait_for_close();
    });
}

#[test]
fn the_deadline_bounds_everything() {
    everywhere(|runtime| {
        let in_time = |millis| {
            let deadline = runtime.now() + Duration::from_millis(millis);
            CallContext::new(runtime.clone()).with_deadline(deadline)
        };
        // While the server is silent.
        let server = Server::start(vec![Reply::raw("").hold()]);
        let (_, error) = run_in(&runtime, provider(&server), request(), in_time(80));
        assert_eq!(error.unwrap().kind(), Kind::Deadline);
        server.wait_for_close();
        // While the answer comes.
        let server = Server::start(vec![Reply::open_events(&[&text("Hi")]).hold()]);
        let (outcome, error) = run_in(&runtime, provider(&server), request(), in_time(150));
        assert_eq!(outcome.text, "Hi");
        assert_eq!(error.unwrap().kind(), Kind::Deadline);
        server.wait_for_close();
        // Before the next try.
        let server = Server::start(vec![
            refused("503 Service Unavailable\r\nretry-after: 60", "{}"),
            answer(),
        ]);
        let start = runtime.now();
        let (_, error) = run_in(&runtime, provider(&server), request(), in_time(5_000));
        let error = error.unwrap();
        assert_eq!(error.kind(), Kind::Deadline);
        assert_eq!(error.attempts().len(), 1);
        assert_eq!(error.attempts()[0].status, Some(503));
        assert!(runtime.now().saturating_duration_since(start) < Duration::from_secs(5));
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn raw_events_are_given_on_request() {
    everywhere(|runtime| {
        let server = Server::start(vec![answer()]);
        let context = CallContext::new(runtime.clone()).with_raw_events(true);
        let (outcome, error) = run_in(&runtime, provider(&server), request(), context);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.raw.len(), 4);
        assert_eq!(outcome.raw[3], "[DONE]");
    });
}
