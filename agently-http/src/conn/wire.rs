use std::convert::Infallible;
use std::future::{poll_fn, Future};
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{ready, Context, Poll, Waker};

use agently_api::rt::BoxIo;
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;

use super::gate::Gate;
use super::io::HyperIo;
use super::{Expired, Watchdog};
use crate::Limits;

/// hyper's smallest buffer.
const MIN_BUFFER: usize = 8 * 1024;

/// An open HTTP/1.1 connection as a plain value.
///
/// Whoever holds it drives it: the sender waits for the head in [`exchange`](Self::exchange), the
/// body reads in [`poll_frame`](Self::poll_frame), the pool looks at it in
/// [`is_usable`](Self::is_usable). Dropping it closes the socket.
pub(crate) struct Wire {
    sender: http1::SendRequest<Pieces>,
    /// `None` once it has ended: it must not be polled again.
    connection: Option<http1::Connection<HyperIo, Pieces>>,
    gate: Arc<Gate>,
    waker: Waker,
    reused: bool,
}

/// Why no response head came.
pub(crate) struct ExchangeError {
    pub(crate) cause: ExchangeFailure,
    /// How many bytes of the response had come.
    pub(crate) received: u64,
    /// Whether the whole request had gone out, so that the server may be working on it.
    pub(crate) sent: bool,
}

pub(crate) enum ExchangeFailure {
    /// A time limit.
    Expired(Expired),
    /// The connection.
    Wire(hyper::Error),
}

impl Wire {
    pub(crate) async fn open(stream: BoxIo, limits: &Limits) -> hyper::Result<Self> {
        let gate = Gate::new();
        let buffer = limits.header_bytes.max(MIN_BUFFER);
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(buffer)
            .max_header_size(buffer)
            .handshake(HyperIo::new(stream, Arc::clone(&gate)))
            .await?;
        let waker = Waker::from(Arc::clone(&gate));
        Ok(Self {
            sender,
            connection: Some(connection),
            gate,
            waker,
            reused: false,
        })
    }

    /// Whether it has carried an exchange before.
    pub(crate) fn is_reused(&self) -> bool {
        self.reused
    }

    /// Sends a request and waits for the head of its response.
    ///
    /// Bytes that go out are no silence: it is counted from the last of them.
    pub(crate) async fn exchange(
        &mut self,
        request: http::Request<Pieces>,
        watchdog: &mut Watchdog,
    ) -> Result<http::Response<Incoming>, ExchangeError> {
        let body_bytes = request.body().len();
        let before = self.gate.sent();
        let mut sent = before;
        self.gate.begin_exchange();
        let Self {
            sender,
            connection,
            gate,
            waker,
            ..
        } = self;
        let mut response = pin!(sender.try_send_request(request));
        poll_fn(|cx| {
            let polled = gate.poll(cx, waker, |inner| {
                // The connection fills what the response waits for, so it goes first; the
                // response needs no waker of its own.
                drive(connection, inner);
                response
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
            });
            let cause = match polled {
                Poll::Ready(Ok(response)) => return Poll::Ready(Ok(response)),
                Poll::Ready(Err(error)) => ExchangeFailure::Wire(error.into_error()),
                Poll::Pending => {
                    if gate.sent() != sent {
                        sent = gate.sent();
                        watchdog.heard();
                    }
                    ExchangeFailure::Expired(ready!(watchdog.poll(cx)))
                }
            };
            let sent = gate.sent() - before;
            Poll::Ready(Err(ExchangeError {
                cause,
                received: gate.answered(),
                sent: sent > 0 && sent >= body_bytes,
            }))
        })
        .await
    }

    /// Reads the next piece of `body`, driving the connection for it.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Self {
            connection,
            gate,
            waker,
            ..
        } = self;
        let mut quiet = Context::from_waker(Waker::noop());
        gate.poll(cx, waker, |inner| {
            // What was read already costs no look at the socket.
            if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(&mut quiet) {
                return Poll::Ready(frame);
            }
            drive(connection, inner);
            Pin::new(&mut *body).poll_frame(&mut quiet)
        })
    }

    /// Whether the connection can carry another request now.
    ///
    /// Polls it once without waiting, which is how a close by the server, or bytes that nobody
    /// asked for, are found out.
    pub(crate) fn is_usable(&mut self) -> bool {
        self.reused = true;
        let Self {
            connection,
            gate,
            waker,
            ..
        } = self;
        let mut quiet = Context::from_waker(Waker::noop());
        let _: Poll<()> = gate.poll(&mut quiet, waker, |inner| {
            drive(connection, inner);
            Poll::Pending
        });
        self.connection.is_some() && self.sender.is_ready() && !self.gate.write_failed()
    }
}

/// Polls the connection and lets go of it once it has ended.
///
/// How it ended is told by the response or the body: hyper hands errors to whoever waits.
fn drive(connection: &mut Option<http1::Connection<HyperIo, Pieces>>, cx: &mut Context<'_>) {
    if let Some(open) = connection {
        if open.poll_without_shutdown(cx).is_ready() {
            *connection = None;
        }
    }
}

/// The most of a request body that is copied at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// A request body in pieces, so that hyper's write buffer stays small for large bodies.
#[derive(Clone)]
pub(crate) struct Pieces(pub(crate) Bytes);

impl Pieces {
    fn len(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.0.has_remaining() {
            return Poll::Ready(None);
        }
        let next = self.0.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(next)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len())
    }
}
