//! Life and death of a runtime, and blocking calls inside and outside its tasks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use agently_api::rt::{JoinErrorKind, Runtime};
use agently_backend_smol::{runtime, Smol};

async fn works(runtime: &Runtime) {
    let inner = runtime.clone();
    let task = runtime.spawn(async move {
        inner.sleep(Duration::from_millis(5)).await;
        3
    });
    assert_eq!(task.await.unwrap(), 3);
}

#[test]
fn the_shared_runtime_is_one() {
    assert_eq!(runtime().unwrap().id(), runtime().unwrap().id());
}

#[test]
fn it_works_inside_a_foreign_block_on() {
    async_io::block_on(works(&runtime().unwrap()));
}

#[test]
fn a_blocking_call_in_a_foreign_task_ends() {
    let foreign = async_executor::Executor::new();
    let task = foreign.spawn(async {
        let runtime = runtime().unwrap();
        runtime.block_on(works(&runtime)).is_ok()
    });
    assert!(async_io::block_on(foreign.run(task)));
}

#[test]
fn a_blocking_call_in_a_task_is_refused_and_names_what_to_do() {
    let runtime = runtime().unwrap();
    let inner = runtime.clone();
    let task = runtime.spawn(async move { inner.block_on(async {}).unwrap_err().to_string() });
    let message = runtime.block_on(task).unwrap().unwrap();
    assert!(message.contains("async_"), "{message}");
    assert!(message.contains("spawn_blocking"), "{message}");
}

#[test]
fn a_runtime_lives_as_long_as_a_clone() {
    let runtime = Smol::new().unwrap().runtime();
    runtime.block_on(works(&runtime)).unwrap();
}

#[test]
fn the_last_clone_may_be_dropped_inside_a_task() {
    let runtime = Smol::new().unwrap().runtime();
    let inner = runtime.clone();
    let task = runtime.spawn(async move { drop(inner) });
    drop(runtime);
    if let Err(error) = async_io::block_on(task) {
        assert_eq!(error.kind(), JoinErrorKind::Cancelled);
    }
}

#[test]
fn a_panic_of_a_bare_future_leaves_the_threads_alive() {
    let smol = Smol::with_threads(1).unwrap();
    let runtime = smol.runtime();
    for _ in 0..3 {
        let bare = Box::pin(async { std::panic::resume_unwind(Box::new("planned")) });
        runtime.executor().spawn(bare).unwrap();
    }
    runtime.block_on(works(&runtime)).unwrap();
}

#[test]
fn shutting_down_twice_is_harmless() {
    let smol = Smol::new().unwrap();
    smol.shutdown();
    smol.shutdown();
    let task = smol.runtime().spawn(async {});
    let refused = async_io::block_on(task).unwrap_err();
    assert_eq!(refused.kind(), JoinErrorKind::Refused);
}
