//! Blocking calls in programs that run on tokio themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently::mock::{MockServer, Reply};
use agently::openai::{OpenAi, ProxyConfig, RetryPolicy};
use agently::prelude::*;
use agently::tokio::with_handle;
use agently::types::rt::Runtime;
use agently::Error;
use tokio::runtime::{Builder, Handle};
use tokio::task::spawn_blocking;

const ANSWER: &str = r#"{"title":"Async First","items":["one","two"]}"#;

fn seed_data() -> serde_json::Value {
    serde_json::from_str(ANSWER).unwrap()
}

fn seed(agent: &Agent) -> Request {
    let schema = output!({ "title": (str, "Title", true), "items": [(str, "Point", true)] });
    agent
        .input("Give me a title and two bullets.")
        .output(schema)
}

/// A provider that looks at no environment and tries once.
fn provider(server: &MockServer) -> OpenAi {
    OpenAi::builder()
        .base_url(server.base_url())
        .model("test-model")
        .proxy(ProxyConfig::none())
        .retry(RetryPolicy::never())
        .build()
        .unwrap()
}

fn agent(runtime: &Runtime, provider: OpenAi) -> Agent {
    Agently::builder()
        .provider(provider)
        .runtime(runtime.clone())
        .build()
        .unwrap()
        .agent()
}

fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BlockingInAsync);
    assert!(error.to_string().contains("async_"), "{error}");
}

/// An agent on the background runtime that Agently chooses by itself.
fn by_default(server: &MockServer) -> Agent {
    Agently::builder()
        .provider(provider(server))
        .build()
        .unwrap()
        .agent()
}

fn server() -> MockServer {
    let reply = Reply::text(ANSWER).chunked(5);
    let server = MockServer::builder().reply(reply).repeat_last();
    server.start().unwrap()
}

#[tokio::test]
async fn in_a_tokio_test() {
    let server = server();
    let agent = by_default(&server);
    assert_refused(seed(&agent).start());
    assert_eq!(server.requests().len(), 0);
    assert_eq!(seed(&agent).await.unwrap(), seed_data());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::disallowed_methods,
    reason = "a task that is not ours is what is tested"
)]
async fn in_a_foreign_task() {
    let server = server();
    let agent = by_default(&server);
    let outcome = tokio::spawn(async move {
        assert_refused(seed(&agent).start());
        seed(&agent).await
    });
    assert_eq!(outcome.await.unwrap().unwrap(), seed_data());
}

#[tokio::test]
async fn on_a_blocking_thread_of_tokio() {
    let server = server();
    let agent = by_default(&server);
    let waited = spawn_blocking(move || seed(&agent).start());
    assert_eq!(waited.await.unwrap().unwrap(), seed_data());
}

#[tokio::test]
async fn on_a_blocking_thread_of_the_very_runtime_that_it_waits_for() {
    let server = server();
    let provider = provider(&server);
    let agent = agent(&with_handle(&Handle::current()), provider);
    assert_refused(seed(&agent).start());
    let waited = spawn_blocking(move || seed(&agent).start());
    assert_eq!(waited.await.unwrap().unwrap(), seed_data());
}

#[test]
fn two_current_thread_runtimes_one_after_the_other() {
    let server = server();
    // One provider, with one pool of connections, for both.
    let provider = provider(&server);
    let shared = by_default(&server);
    for _ in 0..2 {
        let tokio = Builder::new_current_thread().enable_all().build().unwrap();
        let own = agent(&with_handle(tokio.handle()), provider.clone());
        tokio.block_on(async {
            assert_eq!(seed(&own).await.unwrap(), seed_data());
            assert_eq!(seed(&shared).await.unwrap(), seed_data());
        });
    }
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_runtime_that_is_gone_is_an_error_and_no_hang() {
    let server = server();
    let tokio = Builder::new_multi_thread().enable_all().build().unwrap();
    let provider = provider(&server);
    let agent = agent(&with_handle(tokio.handle()), provider);
    assert_eq!(seed(&agent).start().unwrap(), seed_data());
    drop(tokio);
    let error = seed(&agent).start().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Provider(_)));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn between_two_runtimes_a_script_may_wait() {
    let server = server();
    let agent = by_default(&server);
    let waited = seed(&agent).start().unwrap();
    let tokio = Builder::new_current_thread().build().unwrap();
    let awaited = tokio.block_on(async { seed(&agent).await.unwrap() });
    assert_eq!(waited, awaited);
    assert_eq!(seed(&agent).start().unwrap(), awaited);
}
