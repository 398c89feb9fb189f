use std::fmt;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use futures_core::Stream;

use super::{FieldEvent, FieldPath};
use crate::error::Result;
use crate::result::{Generator, Instant};

/// A stream of what happens at one [`FieldPath`]: made by
/// [`get_async_events`](crate::ModelResult::get_async_events).
///
/// # Cancel safety
///
/// As [`Generator`].
#[must_use = "streams do nothing unless polled"]
pub struct FieldEvents<P> {
    items: Generator<Instant>,
    path: P,
}

impl<P: FieldPath> FieldEvents<P> {
    pub(crate) fn new(items: Generator<Instant>, path: P) -> Self {
        Self { items, path }
    }
}

// The path is data and is never pinned.
impl<P> Unpin for FieldEvents<P> {}

impl<P: FieldPath> Stream for FieldEvents<P> {
    type Item = Result<FieldEvent<P::Target>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.items).poll_next(cx)) {
                Some(Ok(item)) => {
                    if let Some(event) = FieldEvent::of(&self.path, &item) {
                        return Poll::Ready(Some(Ok(event)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<P> fmt::Debug for FieldEvents<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldEvents").finish_non_exhaustive()
    }
}
