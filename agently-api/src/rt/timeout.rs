use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::{pin, Pin};
use std::task::{Context, Poll};
use std::time::Duration;

use super::Sleep;

/// A future with a time limit: made by [`Runtime::timeout`](super::Runtime::timeout).
///
/// The inner future is polled first, so a future that is ready in time is never lost to a limit
/// that expires at the same moment. Dropping the `Timeout` drops the inner future.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Timeout<F> {
    future: Pin<Box<F>>,
    sleep: Sleep,
    limit: Duration,
}

impl<F: Future> Timeout<F> {
    /// Limits `future` to the time `sleep` takes; `limit` is what the error will say.
    pub fn new(future: F, sleep: Sleep, limit: Duration) -> Self {
        Self {
            future: Box::pin(future),
            sleep,
            limit,
        }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        match pin!(&mut self.sleep).poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(Elapsed(self.limit))),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The time limit was reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(Duration);

impl Elapsed {
    /// The limit that was reached.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.0
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not ready within {:?}", self.0)
    }
}

impl Error for Elapsed {}
