use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;

use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

/// What a closure that takes items may return: `()` to go on for ever, or [`ControlFlow`] or
/// `Result<(), SinkClosed>` to be able to stop.
pub trait SendOutcome: sealed::Sealed + Send {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), SinkClosed>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl Sealed for std::ops::ControlFlow<()> {}
    impl Sealed for Result<(), super::SinkClosed> {}
}

impl SendOutcome for () {
    fn into_result(self) -> Result<(), SinkClosed> {
        Ok(())
    }
}

impl SendOutcome for ControlFlow<()> {
    fn into_result(self) -> Result<(), SinkClosed> {
        match self {
            Self::Continue(()) => Ok(()),
            Self::Break(()) => Err(SinkClosed),
        }
    }
}

impl SendOutcome for Result<(), SinkClosed> {
    fn into_result(self) -> Result<(), SinkClosed> {
        self
    }
}

/// A sink that calls a closure with each item.
///
/// The closure runs on the task that sends, so it should be short; for anything that waits, take
/// [`AsyncFnSink`]. Once it has asked to stop it is not called again.
///
/// ```
/// use std::ops::ControlFlow;
/// use agently_api::sink::{FnSink, SinkClosed, StreamSink};
/// # pollster::block_on(async {
///
/// let mut sum = 0;
/// let mut sink = FnSink::new(|number: u32| {
///     sum += number;
///     if sum < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// });
/// assert_eq!(sink.send(2).await, Ok(()));
/// assert_eq!(sink.send(3).await, Err(SinkClosed));
/// # });
/// ```
pub struct FnSink<F> {
    call: F,
    closed: bool,
}

impl<F> FnSink<F> {
    /// A sink that calls `call` with each item. It returns `()`, or a [`SendOutcome`] that can
    /// stop.
    #[must_use]
    pub fn new(call: F) -> Self {
        Self {
            call,
            closed: false,
        }
    }
}

impl<T, F, R> StreamSink<T> for FnSink<F>
where
    T: Send + 'static,
    F: FnMut(T) -> R + Send,
    R: SendOutcome,
{
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            if self.closed {
                return Err(SinkClosed);
            }
            let outcome = (self.call)(item).into_result();
            self.closed = outcome.is_err();
            outcome
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(std::future::ready(open(self.closed)))
    }
}

impl<F> fmt::Debug for FnSink<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnSink")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// A sink that calls an async closure with each item and waits for it.
///
/// One call is over before the next begins: that is how a slow closure slows the stream down. Once
/// it has asked to stop it is not called again.
///
/// ```
/// use agently_api::sink::{channel, AsyncFnSink, StreamSink};
/// # pollster::block_on(async {
///
/// let (queue, _stream) = channel(4);
/// let mut sink = AsyncFnSink::new(move |word: &'static str| {
///     let mut queue = queue.clone();
///     async move { queue.send(word.len()).await }
/// });
/// sink.send("title").await
/// # })?;
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// ```
pub struct AsyncFnSink<F> {
    call: F,
    closed: bool,
}

impl<F> AsyncFnSink<F> {
    /// A sink that awaits `call` with each item. It gives `()`, or a [`SendOutcome`] that can
    /// stop.
    #[must_use]
    pub fn new(call: F) -> Self {
        Self {
            call,
            closed: false,
        }
    }
}

impl<T, F, Fut> StreamSink<T> for AsyncFnSink<F>
where
    T: Send + 'static,
    F: FnMut(T) -> Fut + Send,
    Fut: Future + Send + 'static,
    Fut::Output: SendOutcome,
{
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            if self.closed {
                return Err(SinkClosed);
            }
            let outcome = (self.call)(item).await.into_result();
            self.closed = outcome.is_err();
            outcome
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(std::future::ready(open(self.closed)))
    }
}

impl<F> fmt::Debug for AsyncFnSink<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFnSink")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

fn open(closed: bool) -> Result<(), SinkClosed> {
    if closed {
        Err(SinkClosed)
    } else {
        Ok(())
    }
}
