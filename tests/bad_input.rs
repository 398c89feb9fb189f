//! What a server can do wrong: each time a typed error that says what happened and what to do, with
//! what came before it still readable.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use agently::mock::{MockServer, Reply, WireReply};
use agently::openai::OpenAiBuilder;
use agently::prelude::*;
use agently::types::error::ProviderErrorKind as Kind;
use agently::types::rt::Runtime;
use agently::Error;
use support::tls::TlsServer;
use support::{
    agent, assert_says, chain, line, on_each_runtime, open_ai, seed, seed_data, SEED_ANSWER,
};

on_each_runtime! {
    a_refused_connection,
    a_bad_certificate,
    a_certificate_for_another_name,
    a_certificate_of_an_own_authority,
    https_to_a_plain_server,
    a_wrong_path,
    a_redirect,
    a_wrong_key,
    a_missing_key,
    too_many_requests,
    too_many_requests_with_a_time_to_wait,
    an_empty_account,
    a_broken_server,
    a_web_page_instead_of_an_answer,
    a_web_page_as_an_error,
    an_error_inside_of_a_stream,
    an_error_as_the_first_event_of_a_stream,
    a_cut_stream,
    a_reset_stream,
    a_stream_without_a_finish,
    a_broken_event,
    an_empty_response,
    no_http_at_all,
    no_json_at_all,
    a_whole_answer_that_is_cut,
    an_answer_beyond_the_limit,
}

/// Asks once. The error must be of this kind and say these words; every reader sees it after the
/// same partial text.
async fn fails(
    runtime: &Runtime,
    provider: OpenAiBuilder,
    kind: Kind,
    words: &[&str],
    partial: &str,
) -> Error {
    let agent = agent(runtime, provider.build().unwrap());
    let result = seed(&agent).get_result();
    let items: Vec<_> = result.get_async_generator(Instant).collect().await;
    let (last, before) = items.split_last().unwrap();
    let error = last.as_ref().expect_err("it must not succeed");
    assert_eq!(error.kind(), ErrorKind::Provider(kind), "{}", chain(error));
    assert_says(error, words);
    let status = before.last().unwrap().as_ref().unwrap();
    assert_eq!(line(status), r#"$status "failed" retry=false"#);

    for getter in [
        result.async_get_data().await.unwrap_err(),
        result.async_get_meta().await.unwrap_err(),
        result.async_get_text().await.unwrap_err(),
    ] {
        assert_eq!(getter.kind(), error.kind());
    }
    assert_eq!(result.partial_text(), partial);
    assert_eq!(error.partial_text(), Some(partial));
    assert_eq!(error.provider().unwrap().kind(), kind);
    error.clone()
}

/// As [`fails`], with a server that answers so.
async fn served_fails(
    runtime: &Runtime,
    reply: impl Into<WireReply>,
    kind: Kind,
    words: &[&str],
    partial: &str,
) -> Error {
    let server = MockServer::builder().reply(reply).start().unwrap();
    let error = fails(runtime, open_ai(server.base_url()), kind, words, partial).await;
    assert_eq!(server.requests().len(), 1);
    error
}

async fn a_refused_connection(runtime: Runtime) {
    // The port of the other end of a connection: taken, so that nobody else can come to listen at
    // it, and listened at by nobody.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = taken.local_addr().unwrap();
    let provider = open_ai(format!("http://{address}/v1?token=hush"));
    let words = [&*format!("127.0.0.1:{}", address.port()), "refused"];
    let error = fails(&runtime, provider, Kind::Connect, &words, "").await;
    assert!(error.is_retryable());
    assert!(!chain(&error).contains("hush"), "{}", chain(&error));
    assert!(error.provider().unwrap().hint().is_some());
}

async fn a_bad_certificate(runtime: Runtime) {
    let server = TlsServer::start("localhost");
    let provider = open_ai(server.base_url("localhost"));
    let error = fails(
        &runtime,
        provider,
        Kind::Tls,
        &["certificate", "localhost"],
        "",
    )
    .await;
    assert!(!error.is_retryable());
    assert!(error.provider().unwrap().hint().is_some());
}

async fn a_certificate_for_another_name(runtime: Runtime) {
    let server = TlsServer::start("elsewhere.test");
    let provider = open_ai(server.base_url("localhost"))
        .add_root_certificate_pem(server.authority_pem().as_bytes());
    fails(
        &runtime,
        provider,
        Kind::Tls,
        &["certificate", "localhost"],
        "",
    )
    .await;
}

async fn a_certificate_of_an_own_authority(runtime: Runtime) {
    let server = TlsServer::start("localhost");
    let provider = open_ai(server.base_url("localhost"))
        .add_root_certificate_pem(server.authority_pem().as_bytes());
    let agent = agent(&runtime, provider.build().unwrap());
    assert_eq!(seed(&agent).await.unwrap(), seed_data());
}

async fn https_to_a_plain_server(runtime: Runtime) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/v1", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 16];
        stream.read_exact(&mut hello).unwrap();
        // What a plain server makes of a TLS hello.
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    let words = ["127.0.0.1", "http"];
    fails(&runtime, open_ai(url), Kind::Tls, &words, "").await;
    server.join().unwrap();
}

async fn a_wrong_path(runtime: Runtime) {
    let reply = WireReply::api_error(404, "unknown_url", "Unknown request URL");
    let words = ["404", "Unknown request URL"];
    let error = served_fails(&runtime, reply, Kind::Provider, &words, "").await;
    let provider = error.provider().unwrap();
    assert_eq!(provider.status(), Some(404));
    assert!(provider.hint().is_some(), "{}", chain(&error));
    assert!(!error.is_retryable());
}

async fn a_redirect(runtime: Runtime) {
    let reply = WireReply::status(
        307,
        [("location", "https://elsewhere.test/v1/chat/completions")],
        "",
    );
    let words = ["elsewhere.test", "base URL"];
    served_fails(&runtime, reply, Kind::Redirect, &words, "").await;
}

async fn a_wrong_key(runtime: Runtime) {
    let server = MockServer::builder().require_key("right").start().unwrap();
    let provider = open_ai(server.base_url()).api_key("sk-wrong-1234567890");
    let words = ["401", "Incorrect API key provided", "key"];
    let error = fails(&runtime, provider, Kind::Provider, &words, "").await;
    assert_eq!(error.provider().unwrap().code(), Some("invalid_api_key"));
    assert!(!error.is_retryable());
    assert!(error.provider().unwrap().hint().is_some());
    assert!(!format!("{error:?} {}", chain(&error)).contains("sk-wrong"));
}

async fn a_missing_key(runtime: Runtime) {
    let server = MockServer::builder().require_key("right").start().unwrap();
    let words = ["401", "no API key is set", "OPENAI_API_KEY"];
    fails(
        &runtime,
        open_ai(server.base_url()),
        Kind::Provider,
        &words,
        "",
    )
    .await;
}

async fn too_many_requests(runtime: Runtime) {
    let reply = WireReply::api_error(429, "rate_limit_exceeded", "slow down");
    let words = ["429", "slow down"];
    let error = served_fails(&runtime, reply, Kind::RateLimited, &words, "").await;
    assert!(error.is_retryable());
    assert_eq!(error.retry_after(), None);
}

async fn too_many_requests_with_a_time_to_wait(runtime: Runtime) {
    let reply = WireReply::api_error(429, "rate_limit_exceeded", "slow down")
        .header("retry-after", "17")
        .header("x-request-id", "req-429");
    let words = ["429", "req-429"];
    let error = served_fails(&runtime, reply, Kind::RateLimited, &words, "").await;
    assert!(error.is_retryable());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
    assert_eq!(error.request_id(), Some("req-429"));
}

async fn an_empty_account(runtime: Runtime) {
    let reply = WireReply::api_error(429, "insufficient_quota", "You exceeded your current quota");
    let error = served_fails(&runtime, reply, Kind::Quota, &["quota"], "").await;
    assert!(!error.is_retryable());
}

async fn a_broken_server(runtime: Runtime) {
    let reply = WireReply::api_error(500, "internal", "the model fell over");
    let words = ["500", "the model fell over"];
    let error = served_fails(&runtime, reply, Kind::Provider, &words, "").await;
    assert!(error.is_retryable());
    assert_eq!(error.provider().unwrap().status(), Some(500));
}

const PAGE: &str = "<!doctype html><html><head><title>Log in</title></head><body>…</body></html>";

async fn a_web_page_instead_of_an_answer(runtime: Runtime) {
    let reply = WireReply::html(200, PAGE.replace('…', &"<p>x</p>".repeat(20_000)));
    let words = ["web page", "base URL"];
    let error = served_fails(&runtime, reply, Kind::ContentType, &words, "").await;
    assert!(error.provider().unwrap().hint().is_some());
    // The page is not poured into the log.
    assert!(chain(&error).len() < 1_000, "{}", chain(&error).len());
}

async fn a_web_page_as_an_error(runtime: Runtime) {
    let page = PAGE.replace("Log in", "502 Bad Gateway");
    let reply = WireReply::html(502, page);
    let words = ["502", "Bad Gateway"];
    let error = served_fails(&runtime, reply, Kind::Provider, &words, "").await;
    assert!(!chain(&error).contains("<html>"), "{}", chain(&error));
    assert!(error.is_retryable());
}

/// An event with a piece of text.
fn said(text: &str) -> String {
    json!({ "choices": [{ "index": 0, "delta": { "content": text } }] }).to_string()
}

async fn an_error_inside_of_a_stream(runtime: Runtime) {
    let overloaded = json!({ "error": { "message": "engine overloaded", "code": "overloaded" } });
    let reply = WireReply::events([said(r#"{"title":"As"#), overloaded.to_string()]);
    let partial = r#"{"title":"As"#;
    let words = ["engine overloaded"];
    let error = served_fails(&runtime, reply, Kind::Provider, &words, partial).await;
    assert_eq!(error.provider().unwrap().code(), Some("overloaded"));
    assert!(error.provider().unwrap().bytes_received() > 0);
}

async fn an_error_as_the_first_event_of_a_stream(runtime: Runtime) {
    let reply = WireReply::events([r#"{"error":"no such model"}"#]);
    served_fails(&runtime, reply, Kind::Provider, &["no such model"], "").await;
}

/// A document that could be taken for a whole one, were it not cut.
const LONG: &str = r#"{"title":"Async First","items":["one","two"]} and so on and so on"#;

async fn a_cut_stream(runtime: Runtime) {
    let reply = || WireReply::from(Reply::text(LONG).chunked(50).cut());
    let error = served_fails(&runtime, reply(), Kind::Truncated, &[], LONG).await;
    assert!(error.is_retryable());
    // Without a length, only the missing end tells it.
    let reply = reply().close_delimited();
    served_fails(&runtime, reply, Kind::Truncated, &[], LONG).await;
}

async fn a_reset_stream(runtime: Runtime) {
    let reply = WireReply::stream()
        .send(format!("data: {}\n\n", said(SEED_ANSWER)))
        .rst();
    let server = MockServer::builder().reply(reply).start().unwrap();
    let agent = agent(&runtime, open_ai(server.base_url()).build().unwrap());
    let result = seed(&agent).get_result();
    let error = result.async_get_data().await.unwrap_err();
    // A reset may overtake what was sent before it.
    let told = result.partial_text();
    assert!(told == SEED_ANSWER || told.is_empty(), "{told}");
    assert!(error.is_retryable(), "{}", chain(&error));
    assert_eq!(error.partial_text(), Some(&*told));
}

async fn a_stream_without_a_finish(runtime: Runtime) {
    // In order as HTTP, and yet no model says that it is done.
    let reply = WireReply::events([said(SEED_ANSWER)]);
    let words = ["end"];
    served_fails(&runtime, reply, Kind::Truncated, &words, SEED_ANSWER).await;
}

async fn a_broken_event(runtime: Runtime) {
    let partial = r#"{"title":"As"#;
    let reply = WireReply::events([&*said(partial), "{\"choices\": [{not json", "[DONE]"]);
    let words = ["JSON"];
    let error = served_fails(&runtime, reply, Kind::Decode, &words, partial).await;
    assert!(!error.is_retryable());
    assert!(error.provider().unwrap().hint().is_some());
}

async fn an_empty_response(runtime: Runtime) {
    let reply = WireReply::stream();
    let error = served_fails(&runtime, reply, Kind::Empty, &["no answer at all"], "").await;
    assert!(error.is_retryable());
}

async fn no_http_at_all(runtime: Runtime) {
    let reply = WireReply::raw().send("SSH-2.0-OpenSSH_9.6\r\n\r\n").fin();
    served_fails(&runtime, reply, Kind::Protocol, &["HTTP", "127.0.0.1"], "").await;
}

async fn no_json_at_all(runtime: Runtime) {
    let said = "I am afraid I cannot write JSON.";
    let server = MockServer::builder()
        .reply(Reply::text(said))
        .repeat_last()
        .start()
        .unwrap();
    let agent = agent(&runtime, open_ai(server.base_url()).build().unwrap());
    let result = seed(&agent).max_retries(1).get_result();
    let error = result.async_get_data().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDocument);
    assert_says(&error, &["JSON object", "partial_text"]);
    assert_eq!(error.partial_text(), Some(said));
    assert_eq!(result.partial_text(), said);
    assert_eq!(server.requests().len(), 2);
}

async fn a_whole_answer_that_is_cut(runtime: Runtime) {
    let reply = WireReply::from(Reply::text(SEED_ANSWER)).fin_after(60);
    let server = MockServer::builder().reply(reply).start().unwrap();
    let agent = agent(&runtime, open_ai(server.base_url()).build().unwrap());
    let error = seed(&agent).stream(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Provider(Kind::Truncated));
}

async fn an_answer_beyond_the_limit(runtime: Runtime) {
    let endless = Reply::text("a".repeat(10_000)).chunked(100);
    let server = MockServer::builder().reply(endless).start().unwrap();
    let agent = agent(&runtime, open_ai(server.base_url()).build().unwrap());
    let result = agent.input("Hi.").response_limit(1_000).get_result();
    let error = result.async_get_data().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_says(&error, &["1000 bytes", "response_limit"]);
    assert!(result.partial_text().len() <= 1_100);
}

#[test]
fn a_key_does_not_go_over_plain_http_to_another_machine() {
    support::in_virtual_time([1], |runtime| async move {
        let provider = open_ai("http://model.test/v1").api_key("sk-secret-123456");
        let words = ["http", "allow_insecure_http_with_credentials"];
        let error = fails(&runtime, provider, Kind::Config, &words, "").await;
        assert!(!chain(&error).contains("sk-secret"));
    });
}

#[test]
fn a_host_that_does_not_exist() {
    support::in_virtual_time([1], |runtime| async move {
        let provider = open_ai("http://no-such-host.test/v1");
        let words = ["no-such-host.test"];
        fails(&runtime, provider, Kind::Connect, &words, "").await;
    });
}
