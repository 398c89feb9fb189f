//! Calls over real sockets: answers, cuts, cancellation and time limits.
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
use agently_api::model::{CallContext, FinishReason, ModelEvent, ModelProvider};
use agently_provider_openai::{RetryPolicy, Timeouts};
use futures_util::StreamExt;
use support::call::{answer, everywhere, provider, refused, request, run, run_in, KEY};
use support::server::{Reply, Server};
use support::{finish, text};

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
fn c03_chunks_that_break_after_the_finish_reason_lose_nothing() {
    let broken = |payloads: &[&str]| {
        let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for payload in payloads {
            let event = format!("data: {payload}\n\n");
            bytes.extend(format!("{:x}\r\n{event}\r\n", event.len()).into_bytes());
        }
        bytes.extend(b"ZZ\r\n");
        Reply::raw(bytes)
    };
    everywhere(|runtime| {
        let server = Server::start(vec![broken(&[&text("Hi"), &finish("stop")])]);
        let (outcome, error) = run(&runtime, provider(&server), request());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(outcome.text, "Hi");
        assert_eq!(outcome.warnings.len(), 1);
        let server = Server::start(vec![broken(&[&text("Hi")])]);
        let (_, error) = run(&runtime, provider(&server), request());
        assert_eq!(error.unwrap().kind(), Kind::Protocol);
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
        assert_eq!(error.status(), Some(503));
        assert!(error.attempts().is_empty());
        assert!(error.hint().unwrap().contains("deadline"));
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
