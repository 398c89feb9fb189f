use agently_api::rt::{in_task, BoxIo, Connector, Executor, Runtime, SpawnError};
use agently_api::BoxFuture;
use futures_util::FutureExt;

use crate::lane::Lane;
use crate::virtual_clock::VirtualClock;
use crate::Dropped;

#[test]
fn a_plain_thread_may_wait_for_a_future() {
    let runtime = Lane::default().runtime();
    assert_eq!(runtime.block_on(async { in_task() }), Ok(true));
    assert!(!in_task());
}

#[test]
fn waiting_inside_waiting_is_refused_in_words_that_help() {
    let runtime = Lane::default().runtime();
    let inner = runtime
        .block_on(async { runtime.block_on(async { "never" }) })
        .unwrap();
    let message = inner.unwrap_err().to_string();
    assert!(message.contains("`async_` method"), "{message}");
    assert!(message.contains("spawn_blocking"), "{message}");
}

#[test]
fn waiting_inside_a_task_of_another_runtime_is_refused() {
    let lane = Lane::default();
    let other = Lane::default().runtime();
    let task = lane
        .runtime()
        .spawn(async move { other.block_on(async {}) });
    lane.run();
    assert!(task.now_or_never().unwrap().unwrap().is_err());
}

#[test]
fn a_blocking_job_may_wait_for_a_future() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    let inner = runtime.clone();
    let job = runtime.spawn_blocking(move || inner.block_on(async { 7 }));
    lane.run_blocking();
    assert_eq!(job.now_or_never().unwrap().unwrap(), Ok(7));
}

#[test]
fn a_refused_future_is_dropped_without_being_polled() {
    let runtime = Lane::default().runtime();
    let dropped = Dropped::default();
    let guard = dropped.guard();
    let refused = runtime
        .block_on(async {
            runtime.block_on(async move {
                let _guard = guard;
                panic!("it was polled");
            })
        })
        .unwrap();
    assert!(refused.is_err());
    assert!(dropped.get());
}

#[test]
fn a_panic_while_waiting_leaves_the_thread_as_it_was() {
    let runtime = Lane::default().runtime();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async { panic!("in the future") })
    }));
    assert!(panic.is_err());
    assert_eq!(runtime.block_on(async { 1 }), Ok(1));
}

#[test]
fn an_executor_that_recognises_a_foreign_task_is_believed() {
    #[derive(Debug)]
    struct InForeignTask;

    impl Executor for InForeignTask {
        fn spawn(&self, _: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
            Err(SpawnError::shutdown())
        }

        fn spawn_blocking(&self, _: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
            Err(SpawnError::shutdown())
        }

        fn may_block(&self) -> bool {
            false
        }
    }

    impl Connector for InForeignTask {
        fn connect<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, std::io::Result<BoxIo>> {
            Box::pin(std::future::ready(Err(
                std::io::ErrorKind::NetworkUnreachable.into(),
            )))
        }
    }

    let runtime = Runtime::new(InForeignTask, VirtualClock::new(), InForeignTask);
    assert!(runtime.block_on(async {}).is_err());
}
