//! JSON text that comes in pieces: whether all of it is there.

/// How far a piece of JSON text has come, by its brackets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    written: bool,
    begun: bool,
    depth: u32,
    in_text: bool,
    escaped: bool,
}

impl Shape {
    pub(crate) fn push(&mut self, json: &[u8]) {
        for &byte in json {
            self.written |= !byte.is_ascii_whitespace();
            if self.escaped {
                self.escaped = false;
                continue;
            }
            match byte {
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'{' | b'[' => {
                    self.begun = true;
                    self.depth = self.depth.saturating_add(1);
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// Whether anything but white space came.
    pub(crate) fn is_written(self) -> bool {
        self.written
    }

    /// Whether a list or an object has begun.
    pub(crate) fn is_begun(self) -> bool {
        self.begun
    }

    /// Whether a list or an object has begun and not ended.
    pub(crate) fn is_open(self) -> bool {
        self.begun && !self.is_closed()
    }

    /// Whether a list or an object has ended.
    pub(crate) fn is_closed(self) -> bool {
        self.begun && self.depth == 0 && !self.in_text
    }
}
