//! The runtimes to test on, the seed program, and what is read from a result.

#![allow(
    dead_code,
    unreachable_pub,
    unused_macros,
    unused_imports,
    reason = "each test file uses its own part"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

pub mod det_http;
pub mod gated;
pub mod rebuild;
pub mod tls;

use std::error::Error as StdError;
use std::future::Future;
use std::time::Duration;

use agently::mock::{MockServer, Reply, WireReply};
use agently::openai::{OpenAi, OpenAiBuilder, ProxyConfig, RetryPolicy};
use agently::prelude::*;
use agently::types::rt::Runtime;
use agently::Error;
use agently_testkit::det::Det;
use agently_testkit::hand::HandRuntime;

/// How long a whole test may take, so that one that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes one test per runtime of each `async fn name(runtime: Runtime)`.
macro_rules! on_each_runtime {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[cfg(feature = "tokio")]
            #[test]
            fn on_tokio() {
                $crate::support::run(&agently::tokio::runtime().unwrap(), super::$name);
            }

            #[test]
            fn on_smol() {
                $crate::support::run(&agently_backend_smol::runtime().unwrap(), super::$name);
            }

            #[test]
            fn on_a_runtime_made_by_hand() {
                $crate::support::run_by_hand(super::$name);
            }
        }
    )*};
}
pub(crate) use on_each_runtime;

/// Runs a test as a task of this runtime.
pub fn run<F>(runtime: &Runtime, test: impl FnOnce(Runtime) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let task = runtime.spawn(test(runtime.clone()));
    runtime
        .block_on(runtime.timeout(PATIENCE, task))
        .expect("a test runs on a plain thread")
        .expect("the test hangs")
        .unwrap_or_else(|error| panic!("{error}"));
}

pub fn run_by_hand<F>(test: impl FnOnce(Runtime) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let hand = HandRuntime::new().unwrap();
    run(&hand.runtime(), test);
}

/// Runs a test in virtual time, once for each of these seeds.
pub fn in_virtual_time<F: Future<Output = ()>>(
    seeds: impl IntoIterator<Item = u64>,
    test: impl Fn(Runtime) -> F,
) {
    for seed in seeds {
        let det = Det::new(seed);
        det.block_on(test(det.runtime()))
            .unwrap_or_else(|stuck| panic!("{stuck}"));
    }
}

/// A runtime with threads, for tests of blocking calls.
pub fn threads() -> Runtime {
    agently_backend_smol::runtime().unwrap()
}

/// What the seed program asks for.
pub fn seed_schema() -> Schema {
    output!({ "title": (str, "Title", true), "items": [(str, "Bullet point", true)] })
}

/// A right answer to it.
pub const SEED_ANSWER: &str = r#"{"title":"Async First","items":["one","two"]}"#;

/// The data in it.
pub fn seed_data() -> serde_json::Value {
    json!({ "title": "Async First", "items": ["one", "two"] })
}

/// The request of the seed program.
pub fn seed(agent: &Agent) -> Request {
    agent
        .input("Give me a title and two bullets.")
        .output(seed_schema())
}

/// An agent of this provider.
pub fn agent(runtime: &Runtime, provider: impl ModelProvider) -> Agent {
    Agently::builder()
        .provider(provider)
        .runtime(runtime.clone())
        .build()
        .unwrap()
        .agent()
}

/// A provider for this server that looks at no environment and tries once.
pub fn open_ai(base_url: impl Into<String>) -> OpenAiBuilder {
    OpenAi::builder()
        .base_url(base_url)
        .model("test-model")
        .proxy(ProxyConfig::none())
        .retry(RetryPolicy::never())
}

/// A server with this one answer, and an agent that asks it.
pub fn served(runtime: &Runtime, reply: impl Into<WireReply>) -> (MockServer, Agent) {
    let server = MockServer::builder().reply(reply).start().unwrap();
    let provider = open_ai(server.base_url()).build().unwrap();
    let agent = agent(runtime, provider);
    (server, agent)
}

/// All items of the `Instant` stream, which must not fail.
pub async fn instant_items(result: &ModelResult) -> Vec<StreamingData> {
    result
        .get_async_generator(Instant)
        .map(Result::unwrap)
        .collect()
        .await
}

/// An item as one line: `title + text`, `title = value`, `$status …`.
pub fn line(item: &StreamingData) -> String {
    if let Some(status) = item.status() {
        let state = serde_json::to_value(status).unwrap();
        return format!("$status {} retry={}", state["status"], status.retry);
    }
    match &item.delta {
        Some(delta) => format!("{} + {delta}", item.path),
        None => format!("{} = {}", item.path, item.value().to_value()),
    }
}

pub fn lines(items: &[StreamingData]) -> Vec<String> {
    items.iter().map(line).collect()
}

/// An error as a program prints it: every level.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// Says that the printed error contains each of these.
#[track_caller]
pub fn assert_says(error: &Error, words: &[&str]) {
    let text = chain(error);
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

/// Says that a blocking call was refused, and what to do instead.
#[track_caller]
pub fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BlockingInAsync);
    assert_says(&error, &["async_", "spawn_blocking"]);
    assert!(!error.is_retryable());
}
