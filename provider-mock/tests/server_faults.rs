//! How the loopback server misbehaves, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "support/client.rs"]
mod client;

use std::io::{ErrorKind, Write};
use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{FinishReason, ModelEvent, RawEvent};
use agently_provider_mock::{MockServer, Reply, WireReply};
use client::{start, streaming, whole, Client, PATIENCE};
use serde_json::{json, Value};

#[test]
fn failures_are_http_errors() {
    let server = start(Reply::failure(|| {
        ProviderError::new(ProviderErrorKind::RateLimited, "slow down")
            .with_status(429)
            .with_code("rate_limit_exceeded")
            .with_error_type("requests")
            .with_request_id("q-9")
            .with_retry_after(Duration::from_millis(1500))
    }));
    let answer = Client::connect(&server).ask(&streaming());
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(answer.header("retry-after-ms"), Some("1500"));
    assert_eq!(answer.header("x-request-id"), Some("q-9"));
    assert_eq!(
        answer.json()["error"],
        json!({"message": "slow down", "type": "requests", "param": null,
            "code": "rate_limit_exceeded"})
    );
}

#[test]
fn errors_later_are_objects_in_the_stream() {
    let server = start(
        Reply::text("half").error(|| ProviderError::new(ProviderErrorKind::Provider, "overloaded")),
    );
    let answer = Client::connect(&server).ask(&streaming());
    assert_eq!(answer.status, 200);
    assert!(answer.complete);
    let last: Value = serde_json::from_str(answer.payloads().last().unwrap()).unwrap();
    assert_eq!(last["error"]["message"], "overloaded");
    assert!(!answer.text().contains("[DONE]"));
}

#[test]
fn status_html_and_content_type_are_as_scripted() {
    let server = MockServer::builder()
        .reply(WireReply::status(429, [("Retry-After", "7")], "busy"))
        .reply(WireReply::html(200, "<html>log in</html>"))
        .reply(WireReply::from(Reply::text("x")).header("Content-Type", "text/plain"))
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    let busy = client.ask(&streaming());
    assert_eq!((busy.status, busy.text()), (429, "busy"));
    assert_eq!(busy.header("retry-after"), Some("7"));
    assert_eq!(
        busy.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let page = client.ask(&streaming());
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let wrong = client.ask(&streaming());
    assert_eq!(wrong.header("content-type"), Some("text/plain"));
    assert!(wrong.text().contains("[DONE]"));
}

#[test]
fn cut_answers_end_in_the_middle() {
    let server = MockServer::builder()
        .reply(Reply::text("half").cut())
        .reply(WireReply::from(Reply::text("Hello")).fin_after(40))
        .reply(Reply::text("Hello").cut())
        .reply(
            WireReply::from(Reply::text("Hello"))
                .close_delimited()
                .fin_after(40),
        )
        .start()
        .unwrap();
    let cut = Client::connect(&server).ask(&streaming());
    assert_eq!(cut.error, Some(ErrorKind::UnexpectedEof));
    assert!(cut.text().contains("half"));
    assert!(!cut.text().contains("finish_reason\":\"stop"));

    let cut = Client::connect(&server).ask(&streaming());
    assert_eq!(cut.error, Some(ErrorKind::UnexpectedEof));
    // 40 bytes with the first chunk's size line: two or three digits and a line end.
    assert!((35..37).contains(&cut.body.len()), "{}", cut.body.len());

    let cut = Client::connect(&server).ask(&whole());
    assert_eq!(cut.error, Some(ErrorKind::UnexpectedEof));
    assert!(!cut.body.is_empty());

    // Without framing nothing tells that this is not the end.
    let cut = Client::connect(&server).ask(&streaming());
    assert_eq!((cut.error, cut.body.len()), (None, 40));
}

#[cfg(target_os = "linux")]
#[test]
fn a_reset_is_a_reset() {
    let server = MockServer::builder()
        .reply(WireReply::from(Reply::text("Hello")).rst_after(64))
        .reply(WireReply::raw().rst())
        .start()
        .unwrap();
    let torn = Client::connect(&server).ask(&streaming());
    assert_eq!(torn.error, Some(ErrorKind::ConnectionReset));
    assert_eq!(torn.status, 200);
    let torn = Client::connect(&server).ask(&streaming());
    assert_eq!(
        (torn.status, torn.error),
        (0, Some(ErrorKind::ConnectionReset))
    );
}

#[test]
fn raw_bytes_go_out_as_they_are() {
    let server = start(
        WireReply::raw()
            .send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\n")
            .sleep(Duration::from_millis(1))
            .send("data: {not json\n\n")
            .fin(),
    );
    let answer = Client::connect(&server).ask(&streaming());
    assert_eq!(answer.text(), ": hello\n\ndata: {not json\n\n");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn scripted_streams_are_framed_as_chunks() {
    let server = MockServer::builder()
        .reply(WireReply::events(["{}", "two\nlines", "[DONE]"]))
        .reply(
            WireReply::stream()
                .send("data: {not json\n\n")
                .send("")
                .send(": end\n\n"),
        )
        .reply(Reply::events([
            ModelEvent::Raw(RawEvent::new(Some("ping".into()), "1")),
            ModelEvent::Finish(FinishReason::Unknown),
        ]))
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    let events = client.ask(&streaming());
    assert_eq!(
        events.text(),
        "data: {}\n\ndata: two\ndata: lines\n\ndata: [DONE]\n\n"
    );
    let odd = client.ask(&streaming());
    assert_eq!(odd.text(), "data: {not json\n\n: end\n\n");
    assert!(odd.complete);
    let raw = client.ask(&streaming());
    assert!(raw.text().contains("event: ping\ndata: 1\n\n"));
}

#[test]
fn fragments_join_to_the_same_bytes() {
    let reply = || WireReply::from(Reply::text("Grüße").id("same").request_id("same"));
    let server = MockServer::builder()
        .reply(reply())
        .reply(reply().fragmented(1))
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    let plain = client.ask(&streaming());
    let fragmented = client.ask(&streaming());
    assert!(fragmented.complete);
    assert_eq!(plain.text(), fragmented.text());
}

#[test]
fn a_client_that_leaves_a_stalled_answer_is_noticed() {
    let server = MockServer::builder()
        .reply(Reply::text("Hello").hang())
        .reply(WireReply::from(Reply::text("Hello")).stall_after(3))
        .reply(Reply::text("late").first_delay(Duration::from_secs(3600)))
        .reply(Reply::text("whole").hang())
        .reply(WireReply::from(Reply::text("x")).head_delay(Duration::from_secs(3600)))
        .start()
        .unwrap();
    let bodies = [streaming(), streaming(), streaming(), whole(), streaming()];
    for (left, body) in bodies.iter().enumerate() {
        let mut client = Client::connect(&server);
        client.send(body);
        assert!(server.wait_for_requests(left + 1, PATIENCE));
        assert_eq!(server.disconnects(), left);
        drop(client);
        assert!(server.wait_for_disconnects(left + 1, PATIENCE));
    }
    assert!(!server.wait_for_disconnects(6, Duration::from_millis(1)));
}

#[test]
fn the_server_stops_while_answers_hang() {
    let server = MockServer::builder()
        .reply(Reply::text("Hello").hang())
        .repeat_last()
        .start()
        .unwrap();
    let mut clients: Vec<_> = (0..3).map(|_| Client::connect(&server)).collect();
    for client in &mut clients {
        client.send(&streaming());
    }
    assert!(server.wait_for_requests(3, PATIENCE));
    // Returns when all of its threads have ended.
    drop(server);
    for client in &mut clients {
        let answer = client.receive();
        assert!(!answer.complete);
        assert_ne!(answer.error, Some(ErrorKind::WouldBlock), "still open");
    }
}

#[test]
fn a_connection_ends_when_its_time_is_over() {
    let server = MockServer::builder()
        .reply(Reply::text("Hello").hang())
        .connection_time(Duration::from_millis(500))
        .start()
        .unwrap();
    let mut idle = Client::connect(&server);
    let mut stalled = Client::connect(&server);
    let answer = stalled.ask(&streaming());
    assert_eq!(answer.error, Some(ErrorKind::UnexpectedEof));
    assert!(idle.is_closed());
    assert_eq!(server.disconnects(), 0);
}

#[test]
fn too_many_connections_are_refused() {
    let server = MockServer::builder()
        .reply(Reply::text("Hello").hang())
        .max_connections(1)
        .start()
        .unwrap();
    let mut first = Client::connect(&server);
    first.send(&streaming());
    assert!(server.wait_for_requests(1, PATIENCE));
    assert_eq!(server.open_connections(), 1);
    let second = Client::connect(&server).receive();
    assert_eq!(second.status, 503);
}

#[test]
fn requests_it_cannot_take_are_refused() {
    let server = MockServer::start().unwrap();
    let head = "POST /v1/chat/completions HTTP/1.1\r\n";
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("{head}content-length: many\r\n\r\n"), 400),
        (format!("{head}content-length: 99999999999\r\n\r\n"), 413),
        (format!("{head}transfer-encoding: chunked\r\n\r\n"), 411),
        (format!("{head}x: {}\r\n\r\n", "y".repeat(80_000)), 431),
    ] {
        let mut client = Client::connect(&server);
        client.0.write_all(request.as_bytes()).unwrap();
        assert_eq!(client.receive().status, status);
    }
    assert_eq!(server.requests().len(), 0);
}
