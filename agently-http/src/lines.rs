use std::ops::Range;

use memchr::memchr2;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Memory that stays with an empty buffer; a larger one, left by a large line, is given back.
const KEPT_BYTES: usize = 64 * 1024;

/// Bytes in any cut, lines out. A line ends with LF, CR or CRLF; one byte order mark before the
/// first is left out.
///
/// Each byte is looked at once, however it was cut.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// How far the search for its end got.
    scanned: usize,
    /// The last line ended with a CR: an LF that follows belongs to it.
    skip_lf: bool,
    past_bom: bool,
    ended: bool,
}

/// A line's place in the buffer, and whether its end was seen.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) range: Range<usize>,
    pub(crate) terminated: bool,
}

impl Lines {
    /// Adds bytes. Ranges that were handed out are void after this.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            if self.buffer.capacity() > KEPT_BYTES {
                self.buffer.shrink_to(KEPT_BYTES);
            }
        } else {
            self.buffer.drain(..self.start);
        }
        self.scanned -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// No more bytes will come: what is left is the last line.
    pub(crate) fn finish(&mut self) {
        self.ended = true;
    }

    pub(crate) fn get(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// Bytes of the line whose end has not come.
    pub(crate) fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Takes a line back, so that the next call finds it again.
    pub(crate) fn unread(&mut self, line: &Line) {
        self.start = line.range.start;
        self.scanned = line.range.end;
        self.skip_lf = false;
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Option<Line> {
        if !self.past_bom {
            let head = self.buffer.get(self.start..).unwrap_or_default();
            if head.starts_with(BOM) {
                self.start += BOM.len();
            } else if BOM.starts_with(head) && !self.ended {
                return None;
            }
            self.past_bom = true;
            self.scanned = self.start;
        }
        if self.skip_lf {
            if let Some(next) = self.buffer.get(self.start) {
                if *next == b'\n' {
                    self.start += 1;
                }
                self.skip_lf = false;
                self.scanned = self.scanned.max(self.start);
            }
        }
        let unseen = self.buffer.get(self.scanned..).unwrap_or_default();
        let Some(found) = memchr2(b'\n', b'\r', unseen) else {
            self.scanned = self.buffer.len();
            return self.last();
        };
        let end = self.scanned + found;
        let range = self.start..end;
        self.start = end + 1;
        if self.buffer.get(end) == Some(&b'\r') {
            match self.buffer.get(end + 1) {
                Some(b'\n') => self.start = end + 2,
                Some(_) => {}
                None => self.skip_lf = true,
            }
        }
        self.scanned = self.start;
        Some(Line {
            range,
            terminated: true,
        })
    }

    /// The line that the end of the bytes cut off.
    fn last(&mut self) -> Option<Line> {
        if !self.ended || self.start == self.buffer.len() {
            return None;
        }
        let range = self.start..self.buffer.len();
        self.start = self.buffer.len();
        Some(Line {
            range,
            terminated: false,
        })
    }
}
