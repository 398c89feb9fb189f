use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{ready, Context, Poll};

use agently_api::rt::BoxIo;
use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

use super::gate::Gate;

/// The most that one read takes.
const READ_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where reads land before hyper gets them. hyper hands out memory that was never written,
    /// which safe code cannot read into; one buffer a thread costs a small copy, and neither
    /// memory per connection nor clearing per read.
    static LANDING: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// A runtime's stream in hyper's terms.
pub(super) struct HyperIo {
    stream: BoxIo,
    gate: Arc<Gate>,
}

impl HyperIo {
    pub(super) fn new(stream: BoxIo, gate: Arc<Gate>) -> Self {
        Self { stream, gate }
    }
}

impl Read for HyperIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Taken out, not borrowed: a stream may itself be made of one of our connections.
        let mut landing = LANDING
            .try_with(Cell::take)
            .ok()
            .flatten()
            .unwrap_or_else(|| vec![0; READ_BYTES].into_boxed_slice());
        let room = buffer.remaining().min(landing.len());
        let polled = match landing.get_mut(..room) {
            Some(free) => Pin::new(&mut self.stream).poll_read(cx, free),
            None => Poll::Ready(Ok(0)),
        };
        if let Poll::Ready(Ok(count)) = polled {
            if let Some(bytes) = landing.get(..count) {
                buffer.put_slice(bytes);
                self.gate.add_received(count);
            }
        }
        // The thread may be ending; the buffer is then simply freed.
        let _ = LANDING.try_with(|slot| slot.set(Some(landing)));
        ready!(polled)?;
        Poll::Ready(Ok(()))
    }
}

impl Write for HyperIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
