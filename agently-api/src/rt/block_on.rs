use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::task::{Context, Poll};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether the current thread is polling a task started through a [`Runtime`](super::Runtime), or
/// a future inside [`Runtime::block_on`](super::Runtime::block_on).
#[must_use]
pub fn in_task() -> bool {
    DEPTH.with(|depth| depth.get() > 0)
}

/// Marks the current thread as polling a task until it is dropped.
#[derive(Debug)]
struct Mark;

impl Mark {
    fn set() -> Self {
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        Self
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}

/// Runs `future` with the mark set during each poll, and only then.
pub(super) async fn marked<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(move |cx: &mut Context<'_>| -> Poll<F::Output> {
        let _mark = Mark::set();
        future.as_mut().poll(cx)
    })
    .await
}

/// A blocking call was made inside an async task, where it could wait for ever.
///
/// Call the `async_` twin of the method and await it, or move the call to
/// [`Runtime::spawn_blocking`](super::Runtime::spawn_blocking).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockingInAsync(());

impl BlockingInAsync {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for BlockingInAsync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a blocking call was made inside an async task, where it could wait for ever; \
             await the `async_` method of the same name instead, or move the call to `spawn_blocking`",
        )
    }
}

impl Error for BlockingInAsync {}
