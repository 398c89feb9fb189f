//! tokio runtimes come and go; what was made on them, and beside them, keeps its word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::future::{pending, poll_fn};
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use agently_api::rt::{JoinErrorKind, Runtime};
use agently_backend_tokio::{runtime, with_handle, Tokio};
use futures_io::AsyncRead;
use tokio::runtime::{Builder, Handle};

const SHORT: Duration = Duration::from_millis(5);

async fn works(runtime: &Runtime) {
    let inner = runtime.clone();
    let task = runtime.spawn(async move {
        inner.sleep(SHORT).await;
        3
    });
    assert_eq!(task.await.unwrap(), 3);
}

fn in_a_current_thread_runtime<T>(f: impl AsyncFnOnce() -> T) -> T {
    let owner = Builder::new_current_thread().enable_all().build().unwrap();
    owner.block_on(f())
}

#[test]
fn the_shared_runtime_outlives_the_runtimes_of_tests() {
    for _ in 0..2 {
        in_a_current_thread_runtime(async || works(&runtime().unwrap()).await);
    }
    assert_eq!(runtime().unwrap().id(), runtime().unwrap().id());
}

#[test]
fn explicit_handles_work_one_after_the_other() {
    let first = in_a_current_thread_runtime(async || {
        let runtime = with_handle(&Handle::current());
        works(&runtime).await;
        runtime
    });
    let second = in_a_current_thread_runtime(async || {
        let runtime = with_handle(&Handle::current());
        works(&runtime).await;
        // The first one is over, and says so.
        let refused = first.spawn(async {}).await.unwrap_err();
        assert_eq!(refused.kind(), JoinErrorKind::Refused);
        runtime
    });
    assert_ne!(first.id(), second.id());
}

#[test]
fn timers_of_a_runtime_that_is_gone_end_at_once() {
    let hour = Duration::from_secs(3600);
    let (old, runtime) = in_a_current_thread_runtime(async || {
        let runtime = with_handle(&Handle::current());
        (runtime.sleep(hour), runtime)
    });
    runtime.block_on(old).unwrap();
    runtime.block_on(runtime.sleep(hour)).unwrap();
    let limited = runtime.block_on(runtime.timeout(hour, pending::<()>()));
    assert!(limited.unwrap().is_err());
}

#[test]
fn a_handle_of_a_runtime_that_is_gone_gives_errors_and_no_panic() {
    let handle = in_a_current_thread_runtime(async || Handle::current());
    let runtime = with_handle(&handle);
    let refused = runtime.block_on(runtime.spawn(async {})).unwrap();
    assert_eq!(refused.unwrap_err().kind(), JoinErrorKind::Refused);
    let refused = runtime.block_on(runtime.spawn_blocking(|| ())).unwrap();
    assert_eq!(refused.unwrap_err().kind(), JoinErrorKind::Refused);
    runtime.block_on(runtime.sleep(SHORT)).unwrap();
    let connecting = runtime.connector().connect("localhost", 1);
    let error = runtime.block_on(connecting).unwrap().err().unwrap();
    assert!(error.to_string().contains("shut down"), "{error}");
}

/// Polls timers from many threads in the moment of the shutdown: tokio's own would panic.
#[test]
fn timers_survive_a_shutdown_in_the_middle_of_a_poll() {
    let race = |runtime: Runtime, shutdown: Box<dyn FnOnce()>| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let runtime = runtime.clone();
                thread::spawn(move || loop {
                    runtime
                        .block_on(runtime.sleep(Duration::from_micros(50)))
                        .unwrap();
                    if runtime.block_on(runtime.spawn(async {})).unwrap().is_err() {
                        return;
                    }
                })
            })
            .collect();
        runtime.block_on(runtime.sleep(SHORT)).unwrap();
        shutdown();
        for thread in threads {
            thread.join().unwrap();
        }
    };
    for _ in 0..20 {
        let tokio = Tokio::new().unwrap();
        race(tokio.runtime(), Box::new(move || tokio.shutdown()));
        let owner = Builder::new_multi_thread().enable_all().build().unwrap();
        race(with_handle(owner.handle()), Box::new(move || drop(owner)));
    }
}

#[tokio::test]
async fn a_background_runtime_may_be_dropped_inside_a_task() {
    let runtime = Tokio::new().unwrap().runtime();
    works(&runtime).await;
    let inner = runtime.clone();
    let task = runtime.spawn(async move { drop(inner) });
    drop(runtime);
    // The task may have finished or been dropped with its runtime; nothing panics.
    if let Err(error) = task.await {
        assert_eq!(error.kind(), JoinErrorKind::Cancelled);
    }
}

#[test]
fn a_runtime_lives_as_long_as_a_clone() {
    let runtime = Tokio::new().unwrap().runtime();
    runtime.block_on(works(&runtime)).unwrap();
}

#[test]
fn a_socket_does_not_keep_its_runtime_and_gives_errors_after_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let runtime = Tokio::new().unwrap().runtime();
    let connecting = runtime.connector().connect("127.0.0.1", port);
    let mut socket = runtime.block_on(connecting).unwrap().unwrap();
    let (over, is_over) = mpsc::channel::<()>();
    runtime
        .spawn(async move {
            let _over = over;
            pending::<()>().await;
        })
        .detach();
    drop(runtime);
    // The task is dropped with its runtime, and with the task the sender.
    let waited = is_over.recv_timeout(Duration::from_secs(5));
    assert_eq!(waited, Err(mpsc::RecvTimeoutError::Disconnected));

    let other = Tokio::new().unwrap().runtime();
    let reading = poll_fn(|cx| Pin::new(&mut socket).poll_read(cx, &mut [0]));
    assert!(other.block_on(reading).unwrap().is_err());
}

#[test]
fn a_sleep_outlives_its_runtime_handle() {
    let runtime = Tokio::new().unwrap().runtime();
    let began = runtime.now();
    let sleep = runtime.sleep(SHORT);
    let other = Tokio::new().unwrap().runtime();
    drop(runtime);
    other.block_on(sleep).unwrap();
    assert!(other.now() - began >= SHORT);
}

#[tokio::test]
async fn dropping_a_runtime_leaves_the_owner_of_the_handle_alone() {
    drop(with_handle(&Handle::current()));
    works(&with_handle(&Handle::current())).await;
}
