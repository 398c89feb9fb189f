//! Where blocking calls are refused and where they work.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_api::rt::Runtime;
use agently_backend_tokio::{runtime, with_handle};
use tokio::runtime::{Builder, Handle};
use tokio::task::{block_in_place, coop, spawn_blocking, unconstrained, LocalSet};

fn shared() -> Runtime {
    runtime().unwrap()
}

/// Whether a sync call works here, on the shared runtime.
fn may_block() -> bool {
    let waited = shared().block_on(shared().spawn(async { 1 })).is_ok();
    assert_eq!(shared().executor().may_block(), waited);
    waited
}

#[test]
fn plain_threads_may() {
    assert!(may_block());
}

#[test]
fn plain_threads_that_have_entered_a_runtime_may() {
    let owner = Builder::new_multi_thread().enable_all().build().unwrap();
    let _entered = owner.enter();
    assert!(may_block());
}

#[tokio::test]
async fn a_current_thread_test_may_not() {
    assert!(!may_block());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_multi_thread_test_may_not() {
    assert!(!may_block());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::disallowed_methods,
    reason = "a foreign task is what is tested"
)]
async fn a_foreign_task_may_not() {
    assert!(!tokio::spawn(async { may_block() }).await.unwrap());
}

#[tokio::test]
async fn a_foreign_task_may_not_on_an_explicit_handle() {
    let runtime = with_handle(&Handle::current());
    assert!(!runtime.executor().may_block());
    assert!(runtime.block_on(async {}).is_err());
}

#[tokio::test]
async fn a_task_of_ours_may_not() {
    assert!(!shared().spawn(async { may_block() }).await.unwrap());
}

#[tokio::test]
async fn a_local_task_may_not() {
    let local = LocalSet::new();
    let told = local
        .run_until(async { tokio::task::spawn_local(async { may_block() }).await })
        .await;
    assert!(!told.unwrap());
}

#[tokio::test]
async fn a_task_without_budget_left_may_not() {
    // Leaves none, as a busy task does before it yields.
    while coop::has_budget_remaining() {
        coop::consume_budget().await;
    }
    assert!(!may_block());
}

#[tokio::test]
async fn spawn_blocking_of_tokio_may() {
    assert!(spawn_blocking(may_block).await.unwrap());
}

#[tokio::test]
async fn spawn_blocking_of_ours_may() {
    assert!(shared().spawn_blocking(may_block).await.unwrap());
}

#[tokio::test]
async fn spawn_blocking_may_wait_for_a_current_thread_handle_that_is_driven() {
    let runtime = with_handle(&Handle::current());
    let waiting = runtime.clone();
    let waited = spawn_blocking(move || {
        waiting
            .block_on(waiting.spawn(async { 5 }))
            .unwrap()
            .unwrap()
    });
    assert_eq!(waited.await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn block_in_place_may() {
    assert!(block_in_place(may_block));
}

#[test]
fn block_in_place_inside_a_task_of_ours_may_not() {
    let task = shared().spawn(async { block_in_place(may_block) });
    assert!(!shared().block_on(task).unwrap().unwrap());
}

/// The limit that `with_handle` documents. If this fails, tokio can tell them apart now: rejoice.
#[tokio::test]
async fn an_unconstrained_future_looks_like_a_plain_thread() {
    assert!(unconstrained(async { may_block() }).await);
}

#[tokio::test]
async fn asking_costs_the_task_none_of_its_budget() {
    for _ in 0..10 {
        assert!(!may_block());
    }
    let mut left = 0;
    while coop::has_budget_remaining() {
        coop::consume_budget().await;
        left += 1;
    }
    // The same as a task that did not ask.
    #[expect(
        clippy::disallowed_methods,
        reason = "a foreign task is what is tested"
    )]
    let usual = tokio::spawn(async {
        let mut usual = 0;
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
            usual += 1;
        }
        usual
    });
    assert_eq!(left, usual.await.unwrap());
}
