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
///
/// A server that refuses a request before it has read all of it answers and closes: the next write
/// fails while the answer waits to be read. hyper ends a connection on the first failed write, so
/// the failure is kept back, what is still to be written is thrown away, and reading decides: there
/// is an answer, or the failure is told there.
pub(super) struct HyperIo {
    stream: BoxIo,
    gate: Arc<Gate>,
    write_error: Option<io::Error>,
}

impl HyperIo {
    pub(super) fn new(stream: BoxIo, gate: Arc<Gate>) -> Self {
        Self {
            stream,
            gate,
            write_error: None,
        }
    }

    fn keep_back(&mut self, error: io::Error) {
        self.gate.note_write_failure();
        self.write_error.get_or_insert(error);
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
        let ended = match ready!(polled) {
            Ok(count) => count == 0 && room > 0,
            Err(_) if self.write_error.is_some() => true,
            Err(error) => return Poll::Ready(Err(error)),
        };
        match self.write_error.take() {
            // The end of an answer that came all the same is left to hyper.
            Some(error) if ended && self.gate.answered() == 0 => Poll::Ready(Err(error)),
            kept => {
                self.write_error = kept;
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl Write for HyperIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.gate.write_failed() {
            return Poll::Ready(Ok(bytes.len()));
        }
        match ready!(Pin::new(&mut self.stream).poll_write(cx, bytes)) {
            Ok(0) if !bytes.is_empty() => self.keep_back(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                self.gate.add_sent(count);
                return Poll::Ready(Ok(count));
            }
            Err(error) => self.keep_back(error),
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gate.write_failed() {
            return Poll::Ready(Ok(()));
        }
        if let Err(error) = ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
            self.keep_back(error);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
