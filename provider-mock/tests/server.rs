//! What the loopback server puts on the wire when all is well, seen by a bare socket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "support/client.rs"]
mod client;

use std::io::Write;
use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::Usage;
use agently_provider_mock::{MockServer, Reply, WireReply};
use client::{start, streaming, streaming_with_usage, whole, Client};
use serde_json::{json, Value};

fn deltas(chunks: &[Value]) -> Vec<Value> {
    chunks
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta").cloned())
        .collect()
}

#[test]
fn a_stream_is_role_content_finish_usage_done() {
    let server = start(
        Reply::deltas(["Hel", "lo"])
            .reasoning("hm")
            .usage(Usage::new(8, 2)),
    );
    let answer = Client::connect(&server).ask(&streaming_with_usage());
    assert_eq!(answer.status, 200);
    assert!(answer.complete);
    assert_eq!(
        answer.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert_eq!(answer.header("x-request-id"), Some("req-mock-1"));
    assert_eq!(answer.payloads().last(), Some(&"[DONE]"));
    let chunks = answer.chunks();
    assert_eq!(
        deltas(&chunks),
        [
            json!({"role": "assistant", "content": ""}),
            json!({"reasoning_content": "hm"}),
            json!({"content": "Hel"}),
            json!({"content": "lo"}),
            json!({}),
        ]
    );
    assert_eq!(chunks[1]["usage"], Value::Null);
    assert!(chunks[1].get("usage").is_some());
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], Value::Null);
    assert_eq!(chunks[4]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[5]["choices"], json!([]));
    assert_eq!(
        chunks[5]["usage"],
        json!({"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10})
    );
    for chunk in &chunks {
        assert_eq!(chunk["id"], "chatcmpl-mock-1");
        assert_eq!(chunk["model"], "m");
        assert_eq!(chunk["object"], "chat.completion.chunk");
    }
}

#[test]
fn usage_is_told_only_when_asked_for() {
    let server = start(Reply::text("Hello"));
    let answer = Client::connect(&server).ask(&streaming());
    assert!(answer
        .chunks()
        .iter()
        .all(|chunk| chunk.get("usage").is_none()));
    assert_eq!(answer.chunks().len(), 3);
}

#[test]
fn tool_calls_are_streamed_and_finish_as_such() {
    let server = start(Reply::empty().tool("c1", "look", "{\"a\":1}"));
    let chunks = Client::connect(&server).ask(&streaming()).chunks();
    assert_eq!(
        deltas(&chunks)[1..3],
        [
            json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function",
                "function": {"name": "look", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"a\":1}"}}]}),
        ]
    );
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn a_whole_answer_is_one_json_body() {
    let server = start(
        Reply::deltas(["Hel", "lo"])
            .reasoning("hm")
            .tool("c1", "look", "{}")
            .model("m-2")
            .id("r-2")
            .request_id("q-2"),
    );
    let answer = Client::connect(&server).ask(&whole());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-request-id"), Some("q-2"));
    assert_eq!(
        answer.json(),
        json!({
            "id": "r-2",
            "object": "chat.completion",
            "created": 1_735_689_600,
            "model": "m-2",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "reasoning_content": "hm",
                    "tool_calls": [{"id": "c1", "type": "function",
                        "function": {"name": "look", "arguments": "{}"}}],
                },
                "finish_reason": "tool_calls",
            }],
            // Four characters a token: "user" and "12345678", then "Hello", "hm" and "{}".
            "usage": {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6},
        })
    );
}

#[test]
fn without_a_script_it_answers_the_documented_program() {
    let server = MockServer::start().unwrap();
    let answer = Client::connect(&server).ask(&whole());
    let content = answer.json()["choices"][0]["message"]["content"].clone();
    let data: Value = serde_json::from_str(content.as_str().unwrap()).unwrap();
    assert!(data["title"]
        .as_str()
        .is_some_and(|title| !title.is_empty()));
    assert_eq!(data["items"].as_array().unwrap().len(), 2);
}

#[test]
fn models_are_listed_and_other_paths_are_not_there() {
    let server = MockServer::start().unwrap();
    let mut client = Client::connect(&server);
    write!(client.0, "GET /v1/models HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(client.receive().json()["data"][0]["id"], "mock-model");
    write!(client.0, "GET /v1/other?x=1 HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(client.receive().status, 404);
    let requests = server.requests();
    assert_eq!(requests[1].path, "/v1/other");
    assert_eq!(requests[1].query.as_deref(), Some("x=1"));
}

#[test]
fn a_connection_is_kept_alive() {
    let server = MockServer::builder()
        .reply(Reply::text("one"))
        .reply(Reply::text("two"))
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    assert!(client.ask(&streaming()).text().contains("\"one\""));
    assert!(client.ask(&whole()).text().contains("\"two\""));
    let numbers: Vec<_> = server.requests().iter().map(|r| r.connection).collect();
    assert_eq!(numbers, [1, 1]);
    assert_eq!(server.connections(), 1);
}

#[test]
fn requests_are_recorded_without_the_key() {
    let server = start(Reply::text("x"));
    Client::connect(&server).ask(&streaming());
    let request = &server.requests()[0];
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/v1/chat/completions");
    assert_eq!(request.header("AUTHORIZATION"), Some("[redacted]"));
    assert_eq!(request.header("x-api-key"), None);
    assert_eq!(request.body, Some(streaming()));
    assert_eq!(request.field("/messages/0/role"), Some(&json!("user")));
    assert!(!format!("{server:?}").contains("sk-very-secret"));
}

#[test]
fn requests_are_recorded_without_what_is_secret_in_their_query_and_headers() {
    let server = MockServer::start().unwrap();
    let mut client = Client::connect(&server);
    write!(
        client.0,
        "GET /v1/models?api-version=2&api-key=topsecret&key=topsecret&x=1&sig=topsecret\
         &access_token=topsecret&subscription-key=topsecret&flag HTTP/1.1\r\n\
         Ocp-Apim-Subscription-Key: topsecret\r\n\
         X-Auth-Token: topsecret\r\n\
         Set-Cookie: topsecret\r\n\
         Idempotency-Key: i-1\r\n\r\n"
    )
    .unwrap();
    assert_eq!(client.receive().status, 200);
    let request = &server.requests()[0];
    assert_eq!(
        request.query.as_deref(),
        Some(
            "api-version=2&api-key=[redacted]&key=[redacted]&x=1&sig=[redacted]\
             &access_token=[redacted]&subscription-key=[redacted]&flag"
        )
    );
    assert_eq!(request.header("idempotency-key"), Some("i-1"));
    assert!(!format!("{request:?}").contains("topsecret"));
}

#[test]
fn errors_have_the_types_that_openai_gives_them() {
    for (status, code, message, kind) in [
        (
            401,
            "invalid_api_key",
            "Incorrect API key provided.",
            "invalid_request_error",
        ),
        (
            404,
            "model_not_found",
            "No such model.",
            "invalid_request_error",
        ),
        (429, "rate_limit_exceeded", "Limit 3 per min.", "requests"),
        (
            429,
            "rate_limit_exceeded",
            "Limit 3 tokens per min.",
            "tokens",
        ),
        (
            429,
            "insufficient_quota",
            "You exceeded your current quota.",
            "insufficient_quota",
        ),
        (500, "internal", "It fell over.", "server_error"),
    ] {
        let reply = WireReply::api_error(status, code, message);
        let scripted = Reply::failure(move || {
            ProviderError::new(ProviderErrorKind::Provider, message)
                .with_status(status)
                .with_code(code)
        });
        for reply in [reply, scripted.into()] {
            let answer = Client::connect(&start(reply)).ask(&whole());
            assert_eq!(answer.status, status);
            assert_eq!(
                answer.json(),
                json!({"error":
                    {"message": message, "type": kind, "param": null, "code": code}})
            );
        }
    }
}

#[test]
fn a_required_key_is_checked() {
    let server = MockServer::builder().require_key("other").start().unwrap();
    let refused = Client::connect(&server).ask(&whole());
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["error"]["code"], "invalid_api_key");
    let server = MockServer::builder()
        .require_key("sk-very-secret")
        .start()
        .unwrap();
    assert_eq!(Client::connect(&server).ask(&whole()).status, 200);
}

#[test]
fn scripts_run_out_or_repeat_or_follow_the_request() {
    let server = start(Reply::text("one"));
    let mut client = Client::connect(&server);
    client.ask(&whole());
    let exhausted = client.ask(&whole());
    assert_eq!(exhausted.status, 400);
    assert_eq!(exhausted.json()["error"]["code"], "mock_exhausted");

    let server = MockServer::builder()
        .reply(Reply::text("again"))
        .repeat_last()
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    client.ask(&whole());
    assert!(client.ask(&whole()).text().contains("again"));

    let server = MockServer::builder()
        .respond_with(|request| Reply::text(format!("to {}", request.field("/model").unwrap())))
        .start()
        .unwrap();
    let answer = Client::connect(&server).ask(&whole());
    assert_eq!(
        answer.json()["choices"][0]["message"]["content"],
        "to \"m\""
    );
    server.push(Reply::text("pushed"));
    assert!(Client::connect(&server)
        .ask(&whole())
        .text()
        .contains("pushed"));
}

#[test]
fn a_request_may_come_byte_by_byte_and_expect_a_go_ahead() {
    let server = start(Reply::text("x"));
    let mut client = Client::connect(&server);
    let body = whole().to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    client.0.set_nodelay(true).unwrap();
    for byte in head.bytes() {
        client.0.write_all(&[byte]).unwrap();
    }
    assert_eq!(client.line().unwrap(), "HTTP/1.1 100 Continue");
    assert_eq!(client.line().unwrap(), "");
    for byte in body.bytes() {
        client.0.write_all(&[byte]).unwrap();
    }
    assert_eq!(client.receive().status, 200);
    assert_eq!(server.requests()[0].body, Some(whole()));
}

#[test]
fn a_client_that_closes_after_each_request_is_obeyed() {
    let server = start(Reply::text("x"));
    let mut client = Client::connect(&server);
    let body = whole().to_string();
    write!(
        client.0,
        "POST /v1/chat/completions HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let answer = client.receive();
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(client.is_closed());
    assert_eq!(server.disconnects(), 0);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the server's time is real")]
fn answers_are_paced_in_real_time() {
    let pace = Duration::from_millis(20);
    let server = MockServer::builder()
        .reply(Reply::deltas(["a", "b", "c"]).first_delay(pace).delay(pace))
        .repeat_last()
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    for body in [streaming(), whole()] {
        let started = std::time::Instant::now();
        assert!(client.ask(&body).complete);
        // Never early; how late depends on the machine.
        assert!(started.elapsed() >= 4 * pace);
    }
}
