//! JSON lines: bytes in any cut, one line at a time out. No I/O.
//!
//! ```
//! use agently_http::ndjson::Decoder;
//!
//! let mut decoder = Decoder::new(1024);
//! decoder.push(b"{\"a\":1}\r\n\n{\"a\"");
//! assert_eq!(decoder.next_line()?.map(|line| line.data), Some(r#"{"a":1}"#));
//! assert!(decoder.next_line()?.is_none());
//! decoder.push(b":2}");
//! decoder.finish();
//! let last = decoder.next_line()?.expect("the last line");
//! assert_eq!((last.data, last.terminated), (r#"{"a":2}"#, false));
//! # Ok::<(), agently_http::HttpError>(())
//! ```

use crate::lines::Lines;
use crate::text::lossy;
use crate::{HttpError, HttpErrorKind};

/// One line, lent by the decoder until its next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line<'a> {
    /// The line without its end and without white space around it. Never empty.
    pub data: &'a str,
    /// Whether the line's end was seen. One that the end of the stream cut off may be whole or
    /// not: the payload has to tell.
    pub terminated: bool,
    /// Whether the line held invalid UTF-8, which was replaced by U+FFFD.
    pub lossy: bool,
}

/// Turns bytes into lines.
#[derive(Debug)]
pub struct Decoder {
    lines: Lines,
    max_line_bytes: usize,
    repaired: String,
    blank: u64,
    failed: bool,
}

impl Decoder {
    /// A decoder for one stream. A line larger than `max_line_bytes` is an error.
    #[must_use]
    pub fn new(max_line_bytes: usize) -> Self {
        Self {
            lines: Lines::default(),
            max_line_bytes,
            repaired: String::new(),
            blank: 0,
            failed: false,
        }
    }

    /// Adds bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.lines.push(bytes);
    }

    /// Says that no more bytes will come. [`next_line`](Self::next_line) then gives what was cut
    /// off by the end, marked as not [`terminated`](Line::terminated).
    pub fn finish(&mut self) {
        self.lines.finish();
    }

    /// The next line that is not blank; `None` when more bytes are needed, or after
    /// [`finish`](Self::finish) at the end.
    ///
    /// # Errors
    ///
    /// Kind `Limit` when a line is larger than allowed; the decoder is of no use after that.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, HttpError> {
        if self.failed {
            return Err(self.too_large());
        }
        loop {
            let Some(line) = self.lines.next() else {
                if self.lines.pending() > self.max_line_bytes {
                    return Err(self.fail());
                }
                return Ok(None);
            };
            if line.range.len() > self.max_line_bytes {
                return Err(self.fail());
            }
            if self.lines.get(line.range.clone()).trim_ascii().is_empty() {
                self.blank += 1;
                continue;
            }
            let bytes = self.lines.get(line.range).trim_ascii();
            let (data, lossy) = lossy(bytes, &mut self.repaired);
            return Ok(Some(Line {
                data,
                terminated: line.terminated,
                lossy,
            }));
        }
    }

    /// How many blank lines came since the last call: signs of life that carry nothing.
    pub fn take_blank_lines(&mut self) -> u64 {
        std::mem::take(&mut self.blank)
    }

    fn fail(&mut self) -> HttpError {
        self.failed = true;
        self.lines = Lines::default();
        self.too_large()
    }

    fn too_large(&self) -> HttpError {
        HttpError::new(
            HttpErrorKind::Limit,
            format!(
                "a line of the stream is larger than {} bytes",
                self.max_line_bytes
            ),
        )
        .with_hint("raise `Limits::event_bytes` if such lines are expected")
    }
}
