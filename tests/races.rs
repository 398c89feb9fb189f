//! Readers of one result on many tasks, threads and runtimes at once.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use agently::mock::{MockProvider, Reply};
use agently::prelude::*;
use agently::types::error::ProviderError;
use agently::types::model::{CallContext, EventStream, FinishReason, ModelEvent, ModelRequest};
use agently::types::rt::Runtime;
use async_trait::async_trait;
use futures_util::future::join_all;
use support::gated::gated;
use support::{
    agent, in_virtual_time, instant_items, lines, on_each_runtime, run, seed, seed_data, served,
    SEED_ANSWER,
};

on_each_runtime! {
    generators_move_between_tasks,
    readers_on_many_threads_share_one_request,
    readers_on_many_tasks_share_one_request,
    readers_that_race_miss_nothing,
}

async fn generators_move_between_tasks(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::text(SEED_ANSWER).chunked(2));
    let result = seed(&agent).get_result();
    let mut events = result.get_async_generator(Instant);
    let mut seen = Vec::new();
    // A new task, and perhaps a new thread, for every item.
    loop {
        let (item, rest) = runtime.spawn(events.into_future()).await.unwrap();
        let Some(item) = item else { break };
        seen.push(item.unwrap());
        events = rest;
    }
    assert_eq!(lines(&seen), lines(&instant_items(&result).await));
}

async fn readers_on_many_threads_share_one_request(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER).chunked(1));
    let result = seed(&agent).get_result();
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let result = result.clone();
            runtime.spawn_blocking(move || {
                if number % 2 == 0 {
                    return result.get_data().unwrap();
                }
                assert_eq!(result.get_generator(Instant).count(), 22);
                seed_data()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.await.unwrap(), seed_data());
    }
    assert_eq!(server.requests().len(), 1);
}

async fn readers_on_many_tasks_share_one_request(runtime: Runtime) {
    many_readers(runtime).await;
}

/// Threads that read, give up and come back, while the answer comes from yet another one.
async fn readers_that_race_miss_nothing(runtime: Runtime) {
    for round in 0..40 {
        let (mut gate, provider) = gated();
        let result = agent(&runtime, provider).input("Count.").get_result();
        let readers: Vec<_> = (0..4)
            .map(|number| {
                let result = result.clone();
                runtime.spawn_blocking(move || {
                    if number == round % 4 {
                        // One comes in the middle and leaves at once.
                        result.get_generator(Delta).next().unwrap().unwrap();
                    }
                    result.get_generator(Delta).map(Result::unwrap).count()
                })
            })
            .collect();
        let sender = runtime.spawn_blocking(move || {
            for _ in 0..100 {
                gate.text("x");
            }
            gate.finish();
        });
        for reader in readers {
            assert_eq!(reader.await.unwrap(), 100);
        }
        sender.await.unwrap();
    }
}

#[test]
fn readers_share_one_request_in_any_order_of_events() {
    in_virtual_time(0..200, many_readers);
}

/// Readers that begin at different moments, every third of which gives up on the way.
async fn many_readers(runtime: Runtime) {
    let reply = Reply::text(SEED_ANSWER)
        .chunked(2)
        .delay(Duration::from_millis(2));
    let mock = MockProvider::new().reply(reply);
    let result = seed(&agent(&runtime, mock.clone())).get_result();
    let tasks: Vec<_> = (0..9)
        .map(|number: u32| {
            let (result, clock) = (result.clone(), runtime.clone());
            runtime.spawn(async move {
                clock.sleep(Duration::from_millis(7) * number).await;
                let mut events = result.get_async_generator(Instant);
                if number % 3 == 1 {
                    let _ = events.next().await;
                    return None;
                }
                Some(events.map(Result::unwrap).collect::<Vec<_>>().await)
            })
        })
        .collect();
    let seen = join_all(tasks).await;
    let whole = lines(&instant_items(&result).await);
    for items in seen.into_iter().filter_map(Result::unwrap) {
        assert_eq!(lines(&items), whole);
    }
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    assert_eq!(mock.requests().len(), 1);
    assert_eq!(
        (mock.active(), mock.completed(), mock.cancelled()),
        (0, 1, 0)
    );
}

/// A reader on one runtime, the request on another: both are only a place to wait.
#[test]
fn a_result_can_be_read_on_a_foreign_runtime() {
    let own = agently_testkit::hand::HandRuntime::new().unwrap();
    run(&support::threads(), |_| async move {
        let (server, agent) = served(&own.runtime(), Reply::text(SEED_ANSWER).chunked(3));
        let result = seed(&agent).get_result();
        assert_eq!(result.async_get_data().await.unwrap(), seed_data());
        assert_eq!(server.requests().len(), 1);
        drop(own);
    });
}

type Reader = Pin<Box<dyn Future<Output = agently::Result<String>> + Send>>;

/// Whether a waker was called.
#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Flag {
    fn is_up(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A provider in whose first poll a second reader comes, just after the provider has woken whoever
/// was there.
#[derive(Clone, Default)]
struct Interrupted {
    second: Arc<Mutex<Option<Reader>>>,
    flag: Arc<Flag>,
}

impl Interrupted {
    fn poll_second(&self) -> Poll<agently::Result<String>> {
        let waker = Waker::from(Arc::clone(&self.flag));
        let mut second = self.second.lock().unwrap();
        let second = second.as_mut().unwrap();
        second.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

#[async_trait]
impl ModelProvider for Interrupted {
    async fn stream(
        &self,
        _request: ModelRequest,
        _context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        let this = self.clone();
        let mut came = false;
        let silence = futures_util::stream::poll_fn(move |cx| {
            if std::mem::replace(&mut came, true) {
                return Poll::Ready(None);
            }
            cx.waker().wake_by_ref();
            assert!(this.poll_second().is_pending());
            Poll::Pending
        });
        let end = [
            ModelEvent::TextDelta("late".to_owned()),
            ModelEvent::Finish(FinishReason::Stop),
        ];
        let end = futures_util::stream::iter(end.map(Ok));
        Ok(EventStream::new(silence.chain(end)))
    }
}

#[test]
fn a_reader_that_comes_during_a_wake_up_is_woken() {
    let provider = Interrupted::default();
    let result = agent(&support::threads(), provider.clone())
        .input("Hi.")
        .get_result();
    let reader = || -> Reader {
        let result = result.clone();
        Box::pin(async move { result.async_get_text().await })
    };
    *provider.second.lock().unwrap() = Some(reader());
    let mut first = reader();
    assert!(first
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_pending());
    // The first reader was woken as well, but goes away without another look.
    drop(first);
    assert!(provider.flag.is_up(), "nobody will ever poll the request");
    let Poll::Ready(text) = provider.poll_second() else {
        panic!("the answer is there");
    };
    assert_eq!(text.unwrap(), "late");
}
