use std::fmt;

use futures_util::sink::{Sink, SinkExt};

use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

/// A `futures::Sink` as a [`StreamSink`].
///
/// Each item is flushed. Any error of the inner sink closes this one; [`error`](Self::error) tells
/// it. A sink that is not `Unpin` is given as `Box::pin(sink)`.
///
/// ```
/// use agently_api::sink::{FromSink, StreamSink};
/// use futures_util::sink;
/// # pollster::block_on(async {
///
/// let add = sink::unfold(0, |sum: u32, item: u32| async move {
///     sum.checked_add(item).ok_or("too much")
/// });
/// let mut sink = FromSink::new(Box::pin(add));
/// assert!(sink.send(1).await.is_ok());
/// assert!(sink.send(u32::MAX).await.is_err());
/// assert_eq!(sink.error(), Some(&"too much"));
/// # });
/// ```
pub struct FromSink<S, E> {
    sink: S,
    error: Option<E>,
    closed: bool,
}

impl<S, E> FromSink<S, E> {
    /// Wraps a sink; `E` is its error type.
    #[must_use]
    pub fn new(sink: S) -> Self {
        Self {
            sink,
            error: None,
            closed: false,
        }
    }

    /// The error that closed the sink, if one did.
    #[must_use]
    pub fn error(&self) -> Option<&E> {
        self.error.as_ref()
    }

    /// The inner sink.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.sink
    }

    fn settle(&mut self, outcome: Result<(), E>) -> Result<(), SinkClosed> {
        outcome.map_err(|error| {
            self.closed = true;
            self.error = Some(error);
            SinkClosed
        })
    }
}

impl<T, S, E> StreamSink<T> for FromSink<S, E>
where
    T: Send + 'static,
    S: Sink<T, Error = E> + Unpin + Send,
    E: Send,
{
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            // A `futures::Sink` must not be used again after an error.
            if self.closed {
                return Err(SinkClosed);
            }
            let outcome = self.sink.send(item).await;
            self.settle(outcome)
        })
    }

    /// Flushes and closes the inner sink.
    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            if self.closed {
                return Err(SinkClosed);
            }
            let outcome = SinkExt::<T>::close(&mut self.sink).await;
            self.settle(outcome)?;
            self.closed = true;
            Ok(())
        })
    }
}

impl<S, E> fmt::Debug for FromSink<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromSink")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
