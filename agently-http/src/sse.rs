//! Server-sent events: bytes in any cut, events out. No I/O.
//!
//! The decoder follows the [WHATWG event stream format][format] and stays readable where real
//! servers leave it: see [`EventKind`]. It looks at each byte once, lends events out of its buffer,
//! and allocates nothing per event once its buffers have grown.
//!
//! ```
//! use agently_http::sse::Decoder;
//!
//! let mut decoder = Decoder::new(16 * 1024 * 1024);
//! let mut seen = Vec::new();
//! for piece in [&b"data: {\"a\""[..], b":1}\n", b"\ndata: [DONE]\n\n"] {
//!     decoder.push(piece);
//!     while let Some(event) = decoder.next_event()? {
//!         seen.push(event.data.to_owned());
//!     }
//! }
//! assert_eq!(seen, [r#"{"a":1}"#, "[DONE]"]);
//! # Ok::<(), agently_http::HttpError>(())
//! ```
//!
//! [format]: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

use std::ops::Range;

use memchr::memchr;

use crate::lines::{Line, Lines};
use crate::text::lossy;
use crate::{HttpError, HttpErrorKind};

/// Memory that an event over several lines may leave behind.
const KEPT_BYTES: usize = 64 * 1024;

/// One event, lent by the decoder until its next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// Where the payload stood.
    pub kind: EventKind,
    /// The `event` field.
    pub name: Option<&'a str>,
    /// The payload: `data` lines joined with a line feed. Never empty.
    pub data: &'a str,
    /// The last `id` field of the stream so far.
    pub id: Option<&'a str>,
    /// Whether the event's end was seen. An event that the end of the stream cut off, or that ran
    /// into something else, may be whole or not: the payload has to tell.
    pub terminated: bool,
    /// Whether the payload held invalid UTF-8, which was replaced by U+FFFD.
    pub lossy: bool,
}

/// Where a payload stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// In `data` fields, as it should.
    Data,
    /// In an `error` field, which the format does not have and some servers send.
    ErrorField,
    /// In a line of its own that begins with `{` or `[`, without `data:` before it.
    BareJson,
}

/// Turns bytes into events.
#[derive(Debug)]
pub struct Decoder {
    lines: Lines,
    max_event_bytes: usize,
    data: Data,
    joined: Vec<u8>,
    repaired: String,
    name: Option<String>,
    /// The memory of a name that is not in use.
    spare_name: String,
    id: Option<String>,
    comments: u64,
    dispatched: bool,
    ended: bool,
    failed: bool,
}

/// The payload of the event that is being read.
#[derive(Clone, Debug)]
enum Data {
    None,
    /// One line, where it lies in the buffer.
    Line(Range<usize>),
    /// In `joined`.
    Joined,
}

/// A payload that is complete.
struct Ready {
    kind: EventKind,
    data: Data,
    terminated: bool,
}

impl Decoder {
    /// A decoder for one stream. An event larger than `max_event_bytes` is an error.
    #[must_use]
    pub fn new(max_event_bytes: usize) -> Self {
        Self {
            lines: Lines::default(),
            max_event_bytes,
            data: Data::None,
            joined: Vec::new(),
            repaired: String::new(),
            name: None,
            spare_name: String::new(),
            id: None,
            comments: 0,
            dispatched: false,
            ended: false,
            failed: false,
        }
    }

    /// Adds bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.forget_dispatched();
        if let Data::Line(range) = &self.data {
            // The buffer is about to move: an event that is cut within is carried over.
            self.joined.clear();
            self.joined.extend_from_slice(self.lines.get(range.clone()));
            self.data = Data::Joined;
        }
        self.lines.push(bytes);
    }

    /// Says that no more bytes will come. [`next_event`](Self::next_event) then gives what was cut
    /// off by the end, marked as not [`terminated`](Event::terminated).
    pub fn finish(&mut self) {
        self.ended = true;
        self.lines.finish();
    }

    /// The next event; `None` when more bytes are needed, or after
    /// [`finish`](Self::finish) at the end.
    ///
    /// # Errors
    ///
    /// Kind `Limit` when an event is larger than allowed; the decoder is of no use after that.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, HttpError> {
        self.forget_dispatched();
        let Some(ready) = self.advance()? else {
            return Ok(None);
        };
        self.dispatched = true;
        let bytes = match ready.data {
            Data::Line(range) => self.lines.get(range),
            Data::Joined | Data::None => &self.joined,
        };
        let (data, lossy) = lossy(bytes, &mut self.repaired);
        Ok(Some(Event {
            kind: ready.kind,
            name: self.name.as_deref(),
            data,
            id: self.id.as_deref(),
            terminated: ready.terminated,
            lossy,
        }))
    }

    /// How many comments and empty events came since the last call: signs of life that carry
    /// nothing.
    pub fn take_comments(&mut self) -> u64 {
        std::mem::take(&mut self.comments)
    }

    /// Lets go of the event that was lent last.
    fn forget_dispatched(&mut self) {
        if std::mem::take(&mut self.dispatched) {
            self.reset_event();
        }
    }

    fn reset_event(&mut self) {
        self.data = Data::None;
        self.joined.clear();
        if self.joined.capacity() > KEPT_BYTES {
            self.joined.shrink_to(KEPT_BYTES);
        }
        if let Some(name) = self.name.take() {
            self.spare_name = name;
        }
    }

    fn advance(&mut self) -> Result<Option<Ready>, HttpError> {
        if self.failed {
            return Err(self.too_large());
        }
        while let Some(line) = self.lines.next() {
            if line.range.is_empty() && line.terminated {
                if let Some(ready) = self.dispatch(true) {
                    return Ok(Some(ready));
                }
                continue;
            }
            if let Some(ready) = self.line(&line) {
                return Ok(Some(ready));
            }
            if self.event_bytes() > self.max_event_bytes {
                return Err(self.fail());
            }
        }
        if self.event_bytes() + self.lines.pending() > self.max_event_bytes {
            return Err(self.fail());
        }
        if self.ended {
            return Ok(self.dispatch(false));
        }
        Ok(None)
    }

    /// Takes the payload out as an event; an empty one is only a sign of life.
    fn dispatch(&mut self, terminated: bool) -> Option<Ready> {
        let data = std::mem::replace(&mut self.data, Data::None);
        let empty = match &data {
            Data::None => {
                self.reset_event();
                return None;
            }
            Data::Line(range) => range.is_empty(),
            Data::Joined => self.joined.is_empty(),
        };
        if empty {
            self.comments += 1;
            self.reset_event();
            return None;
        }
        Some(Ready {
            kind: EventKind::Data,
            data,
            terminated,
        })
    }

    /// Reads one line that is not empty.
    fn line(&mut self, line: &Line) -> Option<Ready> {
        let bytes = self.lines.get(line.range.clone());
        let kind = match bytes.first() {
            Some(b':') => {
                self.comments += 1;
                return None;
            }
            Some(b'{' | b'[') => Some(EventKind::BareJson),
            _ => None,
        };
        if let Some(kind) = kind {
            return self.out_of_place(line, kind, line.range.clone());
        }
        let colon = memchr(b':', bytes).unwrap_or(bytes.len());
        let (field, rest) = bytes.split_at(colon);
        let skipped = match rest {
            [b':', b' ', ..] => 2,
            [b':', ..] => 1,
            _ => 0,
        };
        let value = line.range.start + colon + skipped..line.range.end;
        match field {
            b"data" => self.append(value),
            b"event" => {
                let mut name = self.name.take().unwrap_or_default();
                if name.capacity() == 0 {
                    name = std::mem::take(&mut self.spare_name);
                }
                name.clear();
                name.push_str(&String::from_utf8_lossy(self.lines.get(value)));
                self.name = (!name.is_empty()).then_some(name);
            }
            b"id" => {
                let value = self.lines.get(value);
                if memchr(0, value).is_none() {
                    let id = self.id.get_or_insert_default();
                    id.clear();
                    id.push_str(&String::from_utf8_lossy(value));
                }
            }
            b"error" if !value.is_empty() => {
                return self.out_of_place(line, EventKind::ErrorField, value);
            }
            // `retry`, and fields that nobody knows.
            _ => {}
        }
        None
    }

    /// A payload where none should be is an event of its own, after the one it broke into.
    fn out_of_place(&mut self, line: &Line, kind: EventKind, value: Range<usize>) -> Option<Ready> {
        if let Some(cut_off) = self.dispatch(false) {
            self.lines.unread(line);
            return Some(cut_off);
        }
        Some(Ready {
            kind,
            data: Data::Line(value),
            terminated: line.terminated,
        })
    }

    fn append(&mut self, value: Range<usize>) {
        match &self.data {
            Data::None => {
                self.data = Data::Line(value);
                return;
            }
            Data::Line(first) => {
                self.joined.clear();
                self.joined.extend_from_slice(self.lines.get(first.clone()));
                self.data = Data::Joined;
            }
            Data::Joined => {}
        }
        self.joined.push(b'\n');
        self.joined.extend_from_slice(self.lines.get(value));
    }

    fn event_bytes(&self) -> usize {
        match &self.data {
            Data::None => 0,
            Data::Line(range) => range.len(),
            Data::Joined => self.joined.len(),
        }
    }

    fn fail(&mut self) -> HttpError {
        self.failed = true;
        self.lines = Lines::default();
        self.joined = Vec::new();
        self.data = Data::None;
        self.too_large()
    }

    fn too_large(&self) -> HttpError {
        HttpError::new(
            HttpErrorKind::Limit,
            format!(
                "an event of the stream is larger than {} bytes",
                self.max_event_bytes
            ),
        )
        .with_hint("raise `Limits::event_bytes` if such events are expected")
    }
}
