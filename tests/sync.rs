//! Blocking calls: each has an async twin that says the same, works wherever a thread may wait, and
//! refuses to wait inside a task.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently::mock::{MockProvider, Reply};
use agently::prelude::*;
use agently::types::rt::Runtime;
use agently::types::sink::Collect;
use agently::Error;
use agently_testkit::det::Det;
use agently_testkit::hand::HandRuntime;
use support::{agent, assert_refused, on_each_runtime, run, seed, served, threads, SEED_ANSWER};

/// What an async call, or its blocking twin, said: the same text for the same outcome.
fn told<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{:?} {}", error.kind(), support::chain(&error)),
    }
}

/// A provider to be made anew for each twin.
type Case = (&'static str, fn() -> MockProvider);

/// An answer, a failure on the way, and an answer that is refused.
fn cases() -> [Case; 3] {
    [
        ("accepted", || {
            MockProvider::new().reply(Reply::text(SEED_ANSWER).chunked(3).reasoning("Hm."))
        }),
        ("cut", || {
            MockProvider::new().reply(Reply::text(r#"{"title":"As"#).chunked(3).cut())
        }),
        ("refused", || {
            MockProvider::new().reply(Reply::text("no")).repeat_last()
        }),
    ]
}

/// A standing agent with everything that a request needs.
fn standing(runtime: &Runtime, provider: MockProvider) -> Agent {
    agent(runtime, provider).instruct("Say something.")
}

fn names(pairs: &[(&'static str, &'static str)]) -> Vec<&'static str> {
    for (sync, twin) in pairs {
        let expected = [
            format!("async_{sync}"),
            sync.replacen("get_", "get_async_", 1),
        ];
        assert!(expected.contains(&(*twin).to_owned()), "{sync} and {twin}");
    }
    pairs.iter().map(|(sync, _)| *sync).collect()
}

#[test]
fn every_pair_of_an_agent_agrees() {
    assert_eq!(names(Agent::SYNC_PAIRS), ["start"]);
    let runtime = threads();
    for (case, provider) in cases() {
        let waited = standing(&runtime, provider()).start();
        let agent = standing(&runtime, provider());
        let awaited = runtime.block_on(agent.async_start()).unwrap();
        assert_eq!(told(waited), told(awaited), "{case}");
    }
}

#[test]
fn every_pair_of_a_request_agrees() {
    assert_eq!(names(Request::SYNC_PAIRS), ["start"]);
    let runtime = threads();
    for (case, provider) in cases() {
        let waited = seed(&agent(&runtime, provider())).start();
        let request = seed(&agent(&runtime, provider()));
        let awaited = runtime.block_on(request.async_start()).unwrap();
        assert_eq!(told(waited), told(awaited), "{case}");
    }
}

#[derive(Debug, serde::Deserialize, Output)]
struct Seed {
    title: String,
    items: Vec<String>,
}

#[test]
fn every_pair_of_a_typed_result_agrees() {
    assert_eq!(
        names(ModelResult::TYPED_SYNC_PAIRS),
        ["get_events", "listen"]
    );
    let runtime = threads();
    for (case, provider) in cases() {
        let new = || {
            let request = agent(&runtime, provider()).input("Go.");
            request.output_type::<Seed>().get_result()
        };
        let path = || Seed::paths().items().each();
        let waited: Vec<_> = new().get_events(path()).map(told).collect();
        let events = new().get_async_events(path());
        let awaited: Vec<_> = runtime.block_on(events.map(told).collect()).unwrap();
        assert_eq!(waited, awaited, "{case}");

        let listener = || Listener::new().on(Seed::paths().title(), |_| {});
        let waited = new().listen(listener());
        let awaited = runtime.block_on(new().async_listen(listener())).unwrap();
        assert_eq!(told(waited), told(awaited), "{case}");
        if let Ok(Seed { title, items }) = new().get_data_object() {
            assert!(!title.is_empty() && !items.is_empty(), "{case}");
        }
    }
}

#[test]
fn every_pair_of_a_result_agrees() {
    let runtime = threads();
    for name in names(ModelResult::SYNC_PAIRS) {
        for (case, provider) in cases() {
            let new = || seed(&agent(&runtime, provider())).get_result();
            let (blocking, other) = (new(), new());
            macro_rules! twins {
                ($sync:ident, $twin:ident) => {
                    (
                        told(blocking.$sync()),
                        told(runtime.block_on(other.$twin()).unwrap()),
                    )
                };
            }
            let (waited, awaited) = match name {
                "get_text" => twins!(get_text, async_get_text),
                "get_data" => twins!(get_data, async_get_data),
                "get_reasoning" => twins!(get_reasoning, async_get_reasoning),
                "get_tool_calls" => twins!(get_tool_calls, async_get_tool_calls),
                "get_data_object" => {
                    type Data = std::collections::BTreeMap<String, serde_json::Value>;
                    let awaited = other.async_get_data_object::<Data>();
                    (
                        told(blocking.get_data_object::<Data>()),
                        told(runtime.block_on(awaited).unwrap()),
                    )
                }
                "get_meta" => {
                    // Durations differ from run to run.
                    let meta = |outcome: Result<agently::types::data::ResultMeta, Error>| {
                        told(outcome.map(|m| (m.provider, m.finish_reason, m.attempts.len())))
                    };
                    let awaited = other.async_get_meta();
                    (
                        meta(blocking.get_meta()),
                        meta(runtime.block_on(awaited).unwrap()),
                    )
                }
                "get_generator" => {
                    let awaited = other.get_async_generator(Instant).map(told).collect();
                    let awaited: Vec<String> = runtime.block_on(awaited).unwrap();
                    let waited: Vec<String> = blocking.get_generator(Instant).map(told).collect();
                    (waited.join("\n"), awaited.join("\n"))
                }
                "pipe" => {
                    let (left, right) = (Collect::new(), Collect::new());
                    let awaited = other.async_pipe(Instant, right.clone());
                    (
                        format!("{} {left:?}", told(blocking.pipe(Instant, left.clone()))),
                        format!("{} {right:?}", told(runtime.block_on(awaited).unwrap())),
                    )
                }
                name => panic!("`{name}` has a twin that no test compares"),
            };
            assert_eq!(waited, awaited, "{name}, {case}");
        }
    }
}

on_each_runtime! {
    blocking_calls_work_on_blocking_threads,
    blocking_calls_are_refused_in_tasks,
    a_refused_call_sends_nothing_and_its_twin_works,
    a_blocking_iterator_is_refused_once,
}

async fn blocking_calls_work_on_blocking_threads(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER).chunked(3));
    let waited = runtime.spawn_blocking(move || {
        let result = seed(&agent).get_result();
        let paths: Vec<String> = result
            .get_generator(Instant)
            .map(|item| item.unwrap().path.to_string())
            .collect();
        assert_eq!(paths.last().unwrap(), "$status");
        result.get_data().unwrap()
    });
    assert_eq!(waited.await.unwrap(), support::seed_data());
    assert_eq!(server.requests().len(), 1);
}

async fn blocking_calls_are_refused_in_tasks(runtime: Runtime) {
    let mock = MockProvider::new().reply(Reply::text(SEED_ANSWER));
    let agent = standing(&runtime, mock.clone());
    let result = seed(&agent).get_result();
    assert_refused(agent.start());
    assert_refused(seed(&agent).start());
    assert_refused(result.get_text());
    assert_refused(result.get_data());
    assert_refused(result.get_data_object::<u8>());
    assert_refused(result.get_meta());
    assert_refused(result.get_reasoning());
    assert_refused(result.get_tool_calls());
    assert_refused(result.pipe(Instant, Collect::new()));
    assert_eq!(mock.requests().len(), 0);
}

async fn a_refused_call_sends_nothing_and_its_twin_works(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER));
    let result = seed(&agent).get_result();
    assert_refused(result.get_data());
    assert_eq!(server.connections(), 0);
    assert_eq!(result.async_get_data().await.unwrap(), support::seed_data());
    // Even what is there already is not handed out: the call is wrong all the same.
    assert_refused(result.get_data());
    assert_eq!(server.requests().len(), 1);
}

async fn a_blocking_iterator_is_refused_once(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER));
    let result = seed(&agent).get_result();
    let mut items = result.get_generator(Instant);
    assert_refused(items.next().unwrap());
    assert!(items.next().is_none());
    assert_eq!(server.requests().len(), 0);
    assert_eq!(support::instant_items(&result).await.len(), 8);
}

#[test]
fn blocking_calls_work_on_plain_threads_of_every_runtime() {
    let hand = HandRuntime::new().unwrap();
    let mut runtimes = vec![threads(), hand.runtime()];
    #[cfg(feature = "tokio")]
    runtimes.push(agently::tokio::runtime().unwrap());
    runtimes.truncate(3);
    for runtime in runtimes {
        let (_server, agent) = served(&runtime, Reply::text(SEED_ANSWER).chunked(3));
        let result = seed(&agent).get_result();
        let text: String = result
            .get_generator(Delta)
            .map(Result::unwrap)
            .fold(String::new(), |text, delta| text + &delta);
        assert_eq!(text, SEED_ANSWER);
        assert_eq!(result.get_text().unwrap(), SEED_ANSWER);
    }
}

#[test]
fn a_blocking_call_inside_of_block_on_is_refused() {
    let runtime = threads();
    let agent = standing(&runtime, MockProvider::new());
    assert_refused(runtime.block_on(async { agent.start() }).unwrap());
}

#[test]
fn a_task_of_one_runtime_may_not_wait_for_another() {
    let hand = HandRuntime::new().unwrap();
    let agent = standing(&hand.runtime(), MockProvider::new());
    run(&threads(), |_| async move { assert_refused(agent.start()) });
}

#[test]
fn a_runtime_of_one_thread_refuses_to_wait_for_itself() {
    let det = Det::new(1);
    let agent = standing(&det.runtime(), MockProvider::new());
    assert_refused(agent.start());
}

/// Smol's tasks are not known to us, as any foreign executor's are not. A call in one of them holds
/// up its thread and ends, because ours are others.
#[test]
fn a_blocking_call_in_a_foreign_task_ends() {
    let foreign = Det::new(1);
    let (_server, agent) = served(&threads(), Reply::text(SEED_ANSWER));
    let data = foreign.block_on(async { seed(&agent).start() }).unwrap();
    assert_eq!(data.unwrap(), support::seed_data());
}

#[test]
fn a_blocking_iterator_that_is_dropped_cancels_the_request() {
    let (server, agent) = served(&threads(), Reply::text(r#"{"title":"As"#).hang());
    let result = seed(&agent).get_result();
    let mut items = result.get_generator(Instant);
    assert_eq!(items.next().unwrap().unwrap().path, "title");
    drop((items, result));
    assert!(server.wait_for_disconnects(1, Duration::from_secs(10)));
}
