//! Time moved by hand, on an executor with real threads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use agently_api::rt::{Clock, Executor, Runtime, SpawnError};
use agently_api::BoxFuture;
use agently_testkit::clock::ManualClock;
use agently_testkit::hand::HandRuntime;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn nothing_happens_until_time_is_moved_far_enough() {
    let clock = ManualClock::new();
    let mut sleep = clock.sleep(SECOND * 2);
    assert!((&mut sleep).now_or_never().is_none());
    clock.advance(SECOND);
    assert!((&mut sleep).now_or_never().is_none());
    assert_eq!(clock.sleepers(), 1);
    clock.advance(SECOND);
    assert!((&mut sleep).now_or_never().is_some());
    assert_eq!(clock.sleepers(), 0);
}

#[test]
fn one_advance_wakes_in_the_order_of_deadlines() {
    let clock = ManualClock::new();
    let mut order = [30, 10, 20]
        .map(|seconds| clock.sleep(SECOND * seconds).map(move |()| seconds))
        .into_iter()
        .collect::<FuturesUnordered<_>>();
    assert!(order.next().now_or_never().is_none());
    clock.advance(SECOND * 60);
    let order = order.collect::<Vec<_>>().now_or_never();
    assert_eq!(order.unwrap(), [10, 20, 30]);
}

#[test]
fn it_moves_from_deadline_to_deadline() {
    let clock = ManualClock::new();
    assert_eq!(clock.advance_to_next(), None);
    let mut sleeps = [clock.sleep(SECOND), clock.sleep(SECOND * 3)];
    for sleep in &mut sleeps {
        assert!(sleep.now_or_never().is_none());
    }
    assert_eq!(clock.advance_to_next(), Some(SECOND));
    assert_eq!(clock.advance_to_next(), Some(SECOND * 2));
    assert_eq!(clock.advance_to_next(), None);
}

#[test]
fn a_dropped_sleep_is_forgotten() {
    let clock = ManualClock::new();
    let mut sleep = clock.sleep(SECOND);
    assert!((&mut sleep).now_or_never().is_none());
    drop(sleep);
    assert_eq!(clock.sleepers(), 0);
}

#[test]
fn both_clocks_move_together() {
    let clock = ManualClock::new();
    let (now, wall) = (clock.now(), clock.wall());
    clock.clone().advance(SECOND * 90);
    assert_eq!(clock.now() - now, SECOND * 90);
    assert_eq!(clock.wall().duration_since(wall).unwrap(), SECOND * 90);
    assert_eq!(clock.elapsed(), SECOND * 90);
}

#[test]
fn it_works_with_the_executor_of_any_runtime() {
    #[derive(Debug)]
    struct Borrowed(Runtime);

    impl Executor for Borrowed {
        fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
            self.0.executor().spawn(future)
        }

        fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
            self.0.executor().spawn_blocking(job)
        }
    }

    #[derive(Debug)]
    struct NoNetwork;

    impl agently_api::rt::Connector for NoNetwork {
        fn connect<'a>(
            &'a self,
            _host: &'a str,
            _port: u16,
        ) -> BoxFuture<'a, std::io::Result<agently_api::rt::BoxIo>> {
            Box::pin(async { Err(std::io::ErrorKind::Unsupported.into()) })
        }
    }

    let hand = HandRuntime::new().unwrap();
    let clock = ManualClock::new();
    let runtime = Runtime::new(Borrowed(hand.runtime()), clock.clone(), NoNetwork);
    let inner = runtime.clone();
    let (asleep, is_asleep) = futures_channel::oneshot::channel();
    let task = runtime.spawn(async move {
        let mut sleep = inner.sleep(SECOND * 3600);
        assert!((&mut sleep).now_or_never().is_none());
        asleep.send(()).unwrap();
        sleep.await;
        inner.now()
    });
    let began = clock.now();
    runtime.block_on(is_asleep).unwrap().unwrap();
    clock.advance(SECOND * 3600);
    let woke = runtime.block_on(task).unwrap().unwrap();
    assert_eq!(woke - began, SECOND * 3600);
}
