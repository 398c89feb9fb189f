use std::io;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use futures_io::AsyncWrite;

use super::SinkClosed;

/// How much room an empty outbox keeps for the next item: 64 KiB.
const KEPT: usize = 64 * 1024;

/// A writer and the bytes on their way to it.
///
/// Bytes are kept here until the writer has taken them, so a `send` that is dropped half-way leaves
/// no torn item on the wire: the next call writes the rest first.
pub(super) struct Outbox<W> {
    writer: W,
    pending: Vec<u8>,
    written: usize,
    error: Option<io::Error>,
}

impl<W> Outbox<W> {
    pub(super) fn new(writer: W) -> Self {
        Self {
            writer,
            pending: Vec::new(),
            written: 0,
            error: None,
        }
    }

    pub(super) fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    pub(super) fn into_inner(self) -> W {
        self.writer
    }
}

impl<W: AsyncWrite + Unpin> Outbox<W> {
    /// Writes what `encode` appends, and flushes. Any failure closes the outbox for good.
    pub(super) async fn send(
        &mut self,
        encode: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> Result<(), SinkClosed> {
        self.flush().await?;
        let before = self.pending.len();
        if let Err(error) = encode(&mut self.pending) {
            self.pending.truncate(before);
            self.error = Some(error);
            return Err(SinkClosed);
        }
        self.flush().await
    }

    /// Writes what is pending, and flushes.
    pub(super) async fn flush(&mut self) -> Result<(), SinkClosed> {
        if self.error.is_some() {
            return Err(SinkClosed);
        }
        std::future::poll_fn(|cx| self.poll_flush(cx))
            .await
            .map_err(|error| {
                self.error = Some(error);
                SinkClosed
            })
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.pending.get(self.written..).filter(|b| !b.is_empty()) {
            match ready!(Pin::new(&mut self.writer).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        self.pending.clear();
        self.pending.shrink_to(KEPT);
        self.written = 0;
        Pin::new(&mut self.writer).poll_flush(cx)
    }
}
