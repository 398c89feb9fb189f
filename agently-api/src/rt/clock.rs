use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use crate::BoxFuture;

/// Where time comes from. All time in Agently enters here, so that tests can make it virtual.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a clock",
    note = "implement `agently_api::rt::Clock`, or take one from a backend or from `agently-testkit`"
)]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Monotonic time.
    fn now(&self) -> Instant;

    /// Calendar time, for dates that leave the process.
    fn wall(&self) -> SystemTime;

    /// A future that is ready once `duration` has passed since this call.
    ///
    /// Dropping it cancels the timer. After the runtime's shutdown it ends at once, so that nothing
    /// waits for ever.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The future of [`Clock::sleep`].
#[must_use = "futures do nothing unless polled"]
pub struct Sleep(BoxFuture<'static, ()>);

impl Sleep {
    /// Wraps a runtime's own timer.
    pub fn new(timer: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(timer))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}
