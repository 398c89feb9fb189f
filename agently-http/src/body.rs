use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use hyper::body::Incoming;

use crate::client::explain;
use crate::conn::{Expired, Pool, PoolKey, Watchdog, Wire};
use crate::{HttpError, HttpErrorKind};

/// What [`Body::drain_or_close`] reads at most.
const DRAIN_BYTES: u64 = 64 * 1024;
/// How long [`Body::drain_or_close`] waits at most.
const DRAIN_TIME: Duration = Duration::from_millis(100);

/// A response body: a stream of bytes that holds its connection and drives it while it is polled.
///
/// Nothing is read ahead of the reader, so a slow reader slows the server down. Read to its end,
/// the connection goes back to the pool; **dropped before, it is closed at once**. After an error
/// the stream ends.
pub struct Body {
    live: Option<Box<Live>>,
    refused: Option<HttpError>,
    received: u64,
    framing: BodyFraming,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyFraming {
    /// There is no body.
    Empty,
    /// By its length.
    Length(u64),
    /// By a last chunk.
    Chunked,
    /// By the end of the connection: a cut cannot be told from the end.
    CloseDelimited,
}

/// A body whose end has not come.
pub(crate) struct Live {
    pub(crate) wire: Wire,
    pub(crate) incoming: Incoming,
    pub(crate) watchdog: Watchdog,
    pub(crate) pool: Arc<Pool>,
    pub(crate) key: PoolKey,
    pub(crate) max_bytes: u64,
    pub(crate) idle: Option<Duration>,
    pub(crate) no_progress: Option<Duration>,
    /// Whether the server took the request, so that it may cost money whatever becomes of the body.
    pub(crate) billed: bool,
}

impl Body {
    pub(crate) fn new(live: Live, framing: BodyFraming, refused: Option<HttpError>) -> Self {
        let mut body = Self {
            live: Some(Box::new(live)),
            refused,
            received: 0,
            framing,
        };
        if framing == BodyFraming::Empty {
            body.finish();
        }
        body
    }

    /// Bytes of the body received so far.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.received
    }

    /// How the end of the body is told.
    #[must_use]
    pub fn framing(&self) -> BodyFraming {
        self.framing
    }

    /// Whether the end was reached, or an error.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.live.is_none() && self.refused.is_none()
    }

    /// Starts to count time without progress, from now: after
    /// [`Timeouts::no_progress`](crate::Timeouts::no_progress) without
    /// [`note_progress`](Self::note_progress) the stream fails with kind `NoProgress`, however
    /// many bytes come.
    ///
    /// Only the reader knows what is progress: for a stream of events, an event that is no
    /// keep-alive.
    pub fn watch_progress(&mut self) {
        if let Some(live) = &mut self.live {
            let limit = live.no_progress;
            live.watchdog.watch_progress(limit);
        }
    }

    /// Says that what was just read was progress. Costs nothing worth counting.
    pub fn note_progress(&mut self) {
        if let Some(live) = &mut self.live {
            live.watchdog.note_progress();
        }
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`HttpError`] when the body breaks off, falls silent for too long or grows too large.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was received stays in the body.
    pub async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Reads the whole body, of `limit` bytes at most.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), and kind `Limit` for a larger body.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; what was read is lost.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, HttpError> {
        let mut first = Bytes::new();
        let mut joined = BytesMut::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if first.len() + joined.len() + piece.len() > limit {
                return Err(HttpError::new(
                    HttpErrorKind::Limit,
                    format!("the response body is larger than {limit} bytes"),
                )
                .with_bytes_received(self.received));
            }
            if first.is_empty() && joined.is_empty() {
                // Most bodies come as one piece, which is then not copied.
                first = piece;
                continue;
            }
            if joined.is_empty() {
                joined.extend_from_slice(&first);
                first = Bytes::new();
            }
            joined.extend_from_slice(&piece);
        }
        Ok(if joined.is_empty() {
            first
        } else {
            joined.freeze()
        })
    }

    /// Reads up to `limit` bytes of the body and lets go of the rest: for the bodies of error
    /// responses. A failure on the way ends the reading; what came before is returned.
    ///
    /// The second value says whether there was more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; what was read is lost.
    pub async fn collect_prefix(mut self, limit: usize) -> (Bytes, bool) {
        let mut joined = BytesMut::new();
        while let Some(piece) = self.next().await {
            let Ok(piece) = piece else {
                return (joined.freeze(), true);
            };
            let room = limit - joined.len();
            if piece.len() > room {
                joined.extend_from_slice(piece.get(..room).unwrap_or_default());
                return (joined.freeze(), true);
            }
            joined.extend_from_slice(&piece);
        }
        (joined.freeze(), false)
    }

    /// Finishes a body whose reader has all it needs: what is left is read and thrown away, so
    /// that the connection can be used again, or the connection is closed.
    ///
    /// At most 64 KiB are read and 100 ms waited. Returns whether the connection was saved.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn drain_or_close(mut self) -> bool {
        if self.refused.is_some() {
            return false;
        }
        let Some(live) = &self.live else {
            return true;
        };
        let runtime = live.watchdog.runtime().clone();
        let limit = self.received.saturating_add(DRAIN_BYTES);
        let drain = poll_fn(|cx| self.poll_drain(cx, limit));
        runtime.timeout(DRAIN_TIME, drain).await.unwrap_or(false)
    }

    /// As [`drain_or_close`](Self::drain_or_close), without waiting: the connection is saved if
    /// the end of the body is here already, as it mostly is after a last event.
    ///
    /// Returns whether the connection was saved.
    #[expect(
        clippy::must_use_candidate,
        reason = "called for its effect; the outcome is for the curious"
    )]
    pub fn finish_now(mut self) -> bool {
        if self.refused.is_some() {
            return false;
        }
        let limit = self.received.saturating_add(DRAIN_BYTES);
        let mut quiet = Context::from_waker(Waker::noop());
        self.live.is_none() || self.poll_drain(&mut quiet, limit) == Poll::Ready(true)
    }

    /// Throws away what comes, until the end (`true`) or until more than `limit` bytes were received.
    fn poll_drain(&mut self, cx: &mut Context<'_>, limit: u64) -> Poll<bool> {
        loop {
            match Pin::new(&mut *self).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
                Poll::Ready(Some(Ok(_))) if self.received > limit => return Poll::Ready(false),
                Poll::Ready(Some(Ok(_))) => {}
            }
        }
    }

    /// The end was read: the connection goes back to the pool if it can be used again.
    fn finish(&mut self) {
        let Some(live) = self.live.take() else { return };
        let Live {
            mut wire,
            incoming,
            watchdog,
            pool,
            key,
            ..
        } = *live;
        drop(incoming);
        if wire.is_usable() {
            pool.put(key, wire, watchdog.runtime());
        }
    }

    fn fail(&mut self, error: HttpError) -> Poll<Option<Result<Bytes, HttpError>>> {
        let billed = self.live.take().is_some_and(|live| live.billed);
        Poll::Ready(Some(Err(error
            .with_bytes_received(self.received)
            .with_maybe_billed(billed))))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(error) = this.refused.take() {
            return this.fail(error);
        }
        loop {
            let Some(live) = &mut this.live else {
                return Poll::Ready(None);
            };
            match live.wire.poll_frame(cx, &mut live.incoming) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(bytes) = frame.into_data() else {
                        continue;
                    };
                    let expired = live.watchdog.handing_over();
                    if this.received == 0 {
                        live.watchdog.set_silence(live.idle);
                    }
                    let max_bytes = live.max_bytes;
                    this.received += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    if let Some(expired) = expired {
                        let error = explain::body_expired(expired, &live.key);
                        return this.fail(error);
                    }
                    if this.received > max_bytes {
                        return this.fail(explain::body_too_large(max_bytes));
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Poll::Ready(Some(Err(error))) => {
                    let error = explain::body(error, &live.key);
                    return this.fail(error);
                }
                Poll::Ready(None) => {
                    this.finish();
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let Poll::Ready(expired) = live.watchdog.poll(cx) else {
                        return Poll::Pending;
                    };
                    let error = explain::body_expired(expired, &live.key);
                    return this.fail(error);
                }
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("received", &self.received)
            .field("framing", &self.framing)
            .field("ended", &self.is_ended())
            .finish_non_exhaustive()
    }
}

impl Expired {
    pub(crate) fn kind_in_body(self) -> HttpErrorKind {
        match self {
            Self::Silence(_) => HttpErrorKind::IdleTimeout,
            Self::NoProgress(_) => HttpErrorKind::NoProgress,
            Self::Deadline => HttpErrorKind::Deadline,
        }
    }
}
