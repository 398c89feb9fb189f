use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::kind::{GeneratorKind, Read as _};
use super::shared::{Progress, Reader, Shared, TURNS};
use crate::error::{Error, Result};

/// A stream over a result: made by
/// [`get_async_generator`](super::ModelResult::get_async_generator).
///
/// It shows the whole sequence from the first item, however late it was made. A failure is the last
/// item. Readers share one request; the one that is furthest ahead drives it.
///
/// # Cancel safety
///
/// `next()` is cancel safe. Dropping the generator lets go of the result; when the last handle is
/// gone before the end, the request is cancelled.
#[must_use = "streams do nothing unless polled"]
pub struct Generator<K: GeneratorKind> {
    shared: Arc<Shared>,
    place: Reader,
    reader: K::Reader,
    state: State,
}

enum State {
    /// Reading what comes.
    Reading,
    /// Nothing more, except perhaps this error.
    Ended(Option<Error>),
}

impl<K: GeneratorKind> Generator<K> {
    pub(super) fn new(shared: Arc<Shared>, kind: K, refused: Option<Error>) -> Self {
        if K::WANTS_FIELDS {
            shared.log.want_fields();
        }
        Self {
            place: shared.reader(),
            shared,
            reader: kind.reader(),
            state: match refused {
                Some(error) => State::Ended(Some(error)),
                None => State::Reading,
            },
        }
    }
}

impl<K: GeneratorKind> Stream for Generator<K> {
    type Item = Result<K::Item>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        for _ in 0..TURNS {
            if let State::Ended(error) = &mut this.state {
                return Poll::Ready(error.take().map(Err));
            }
            if let Some(item) = this.reader.next(&this.shared.log) {
                return Poll::Ready(Some(Ok(item)));
            }
            if let Some(outcome) = this.shared.log.outcome() {
                // The outcome is written last: look once more before believing it.
                if let Some(item) = this.reader.next(&this.shared.log) {
                    return Poll::Ready(Some(Ok(item)));
                }
                match outcome {
                    Ok(accepted) => match this.reader.last(&accepted) {
                        Some(item) => return Poll::Ready(Some(Ok(item))),
                        None => this.state = State::Ended(None),
                    },
                    Err(error) => this.state = State::Ended(Some(error)),
                }
                continue;
            }
            match this.shared.pull(&this.place, cx) {
                Progress::Made => {}
                Progress::Awaited => return Poll::Pending,
            }
        }
        // Much came that this kind does not show: let others have the thread.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<K: GeneratorKind> fmt::Debug for Generator<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").finish_non_exhaustive()
    }
}
