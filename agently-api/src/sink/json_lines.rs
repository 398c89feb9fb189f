use std::fmt;
use std::io;

use futures_io::AsyncWrite;
use serde::Serialize;

use super::outbox::Outbox;
use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

/// A sink that writes each item as JSON on a line of its own, and flushes it.
///
/// A failure of the writer, or an item that is no JSON, closes the sink; [`error`](Self::error)
/// tells it. `finish` flushes and does not close the writer. For long answers see
/// [`Compact`](super::Compact).
///
/// ```
/// use agently_api::sink::{JsonLinesWriter, StreamSink};
/// # pollster::block_on(async {
///
/// let mut sink = JsonLinesWriter::new(Vec::new());
/// sink.send(vec!["a", "b"]).await?;
/// sink.send(vec!["line\nbreak"]).await?;
/// assert_eq!(sink.into_inner(), b"[\"a\",\"b\"]\n[\"line\\nbreak\"]\n");
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// # })?;
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// ```
///
/// # Cancel safety
///
/// Dropping a `send` never tears a line: what the writer has not taken is written by the next call.
pub struct JsonLinesWriter<W>(Outbox<W>);

impl<W> JsonLinesWriter<W> {
    /// Writes lines to `writer`.
    #[must_use]
    pub fn new(writer: W) -> Self {
        Self(Outbox::new(writer))
    }

    /// The failure that closed the sink, if one did.
    #[must_use]
    pub fn error(&self) -> Option<&io::Error> {
        self.0.error()
    }

    /// The writer. What an unfinished `send` had left is lost.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.0.into_inner()
    }
}

impl<T, W> StreamSink<T> for JsonLinesWriter<W>
where
    T: Serialize + Send + 'static,
    W: AsyncWrite + Unpin + Send,
{
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(self.0.send(move |line| {
            serde_json::to_writer(&mut *line, &item)?;
            line.push(b'\n');
            Ok(())
        }))
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(self.0.flush())
    }
}

impl<W> fmt::Debug for JsonLinesWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLinesWriter")
            .field("error", &self.error())
            .finish_non_exhaustive()
    }
}
