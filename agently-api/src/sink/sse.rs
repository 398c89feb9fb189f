use std::fmt;
use std::io;

use futures_io::AsyncWrite;
use serde::Serialize;

use super::outbox::Outbox;
use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

type EventName<T> = Box<dyn Fn(&T) -> &str + Send>;

/// A sink that writes each item as a Server-Sent Event, and flushes it.
///
/// The format is that of the [WHATWG](https://html.spec.whatwg.org/multipage/server-sent-events.html):
/// every line of the text goes into a `data:` field of its own, so line breaks arrive (as `\n`,
/// whichever they were) and nothing in the text can end the event early. The content type of such a
/// response is `text/event-stream`.
///
/// A failure of the writer, or an item that is no JSON, closes the sink; [`error`](Self::error)
/// tells it. `finish` flushes and does not close the writer. For long answers see
/// [`Compact`](super::Compact).
///
/// ```
/// use agently_api::sink::{SseWriter, StreamSink};
/// # pollster::block_on(async {
///
/// let mut sink = SseWriter::text(Vec::new()).with_event_name(|_| "note");
/// sink.send("two\nlines").await?;
/// assert_eq!(sink.into_inner(), b"event: note\ndata: two\ndata: lines\n\n");
///
/// let mut sink = SseWriter::json(Vec::new());
/// sink.send(vec!["two\nlines"]).await?;
/// assert_eq!(sink.into_inner(), b"data: [\"two\\nlines\"]\n\n");
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// # })?;
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// ```
///
/// # Cancel safety
///
/// Dropping a `send` never tears an event: what the writer has not taken is written by the next
/// call.
pub struct SseWriter<W, T> {
    outbox: Outbox<W>,
    write_data: fn(&T, &mut Vec<u8>) -> io::Result<()>,
    event_name: Option<EventName<T>>,
}

impl<W, T: Serialize> SseWriter<W, T> {
    /// Writes items as JSON, each in one `data:` line.
    #[must_use]
    pub fn json(writer: W) -> Self {
        Self::with_data(writer, |item, event| {
            event.extend_from_slice(b"data: ");
            // JSON on one line has no raw line break anywhere.
            serde_json::to_writer(&mut *event, item)?;
            event.push(b'\n');
            Ok(())
        })
    }
}

impl<W, T: fmt::Display> SseWriter<W, T> {
    /// Writes items as their `Display` text.
    #[must_use]
    pub fn text(writer: W) -> Self {
        Self::with_data(writer, |item, event| {
            for line in lines(&item.to_string()) {
                event.extend_from_slice(b"data: ");
                event.extend_from_slice(line.as_bytes());
                event.push(b'\n');
            }
            Ok(())
        })
    }
}

impl<W, T> SseWriter<W, T> {
    fn with_data(writer: W, write_data: fn(&T, &mut Vec<u8>) -> io::Result<()>) -> Self {
        Self {
            outbox: Outbox::new(writer),
            write_data,
            event_name: None,
        }
    }

    /// Names the events: `name` gives each item's, up to its first line break. An empty name is
    /// left out, and the browser then calls the event `message`.
    #[must_use]
    pub fn with_event_name(mut self, name: impl Fn(&T) -> &str + Send + 'static) -> Self {
        self.event_name = Some(Box::new(name));
        self
    }

    /// The failure that closed the sink, if one did.
    #[must_use]
    pub fn error(&self) -> Option<&io::Error> {
        self.outbox.error()
    }

    /// The writer. What an unfinished `send` had left is lost.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.outbox.into_inner()
    }
}

impl<W, T> StreamSink<T> for SseWriter<W, T>
where
    T: Send + 'static,
    W: AsyncWrite + Unpin + Send,
{
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        let Self {
            outbox,
            write_data,
            event_name,
        } = self;
        Box::pin(outbox.send(move |event| {
            let name = event_name.as_ref().map_or("", |name| name(&item));
            if let Some(name) = lines(name).next().filter(|name| !name.is_empty()) {
                event.extend_from_slice(b"event: ");
                event.extend_from_slice(name.as_bytes());
                event.push(b'\n');
            }
            write_data(&item, event)?;
            event.push(b'\n');
            Ok(())
        }))
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(self.outbox.flush())
    }
}

/// The lines of a text as an event stream knows them: ended by CR LF, LF or CR, the last one
/// possibly empty.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let Some((line, tail)) = text.split_once(['\n', '\r']) else {
            return Some(text);
        };
        // CR LF is one line break.
        let is_crlf = text.as_bytes().get(line.len()) == Some(&b'\r') && tail.starts_with('\n');
        rest = tail.get(usize::from(is_crlf)..);
        Some(line)
    })
}

impl<W, T> fmt::Debug for SseWriter<W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseWriter")
            .field("error", &self.error())
            .finish_non_exhaustive()
    }
}
