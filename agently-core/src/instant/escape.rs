//! Escapes inside strings, one byte at a time.

/// The escape that is being read, if any, and a high surrogate waiting for its low half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Escape {
    part: Part,
    digits: [u8; 4],
    /// A complete high surrogate whose low half has not come; 0 for none.
    high: u16,
    /// Whether a surrogate was replaced since this was last asked.
    lone: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    None,
    Backslash,
    /// `\u` and so many digits.
    Unicode(u8),
}

impl Escape {
    /// Whether bytes must be given to [`byte`](Self::byte).
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.part != Part::None
    }

    /// Whether an escape is open or a high surrogate waits, which before anything but an escape is to
    /// be [settled](Self::settle).
    #[inline]
    pub(super) fn is_busy(&self) -> bool {
        self.is_open() || self.high != 0
    }

    /// A backslash was read.
    pub(super) fn open(&mut self) {
        self.part = Part::Backslash;
    }

    /// Whether a surrogate was replaced since the last call.
    pub(super) fn take_lone(&mut self) -> bool {
        std::mem::take(&mut self.lone)
    }

    /// A waiting high surrogate gets no low half.
    pub(super) fn settle(&mut self, out: &mut impl FnMut(char)) {
        if self.high != 0 {
            self.high = 0;
            self.lone = true;
            out(char::REPLACEMENT_CHARACTER);
        }
    }

    /// The text ends here: what is unfinished is dropped, a waiting high surrogate replaced.
    pub(super) fn finish(&mut self, out: &mut impl FnMut(char)) {
        self.part = Part::None;
        self.settle(out);
    }

    /// The next byte of an open escape in a string ended by `quote`.
    ///
    /// False if the byte is no part of the escape, which is then over and kept as text: the byte is
    /// to be read again as one of the string.
    pub(super) fn byte(&mut self, byte: u8, quote: u8, out: &mut impl FnMut(char)) -> bool {
        match self.part {
            Part::None => false,
            Part::Backslash => {
                let decoded = match byte {
                    b'u' => {
                        self.part = Part::Unicode(0);
                        return true;
                    }
                    b'n' => '\n',
                    b't' => '\t',
                    b'r' => '\r',
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'"' | b'\\' | b'/' => char::from(byte),
                    b'\'' if quote == b'\'' => '\'',
                    _ => {
                        self.part = Part::None;
                        self.settle(out);
                        out('\\');
                        return false;
                    }
                };
                self.part = Part::None;
                self.settle(out);
                out(decoded);
                true
            }
            Part::Unicode(count) => self.digit(byte, count, out),
        }
    }

    fn digit(&mut self, byte: u8, count: u8, out: &mut impl FnMut(char)) -> bool {
        if !byte.is_ascii_hexdigit() {
            self.part = Part::None;
            self.settle(out);
            out('\\');
            out('u');
            for digit in self.digits.iter().take(usize::from(count)) {
                out(char::from(*digit));
            }
            return false;
        }
        if let Some(slot) = self.digits.get_mut(usize::from(count)) {
            *slot = byte;
        }
        if count < 3 {
            self.part = Part::Unicode(count + 1);
            return true;
        }
        self.part = Part::None;
        let unit = self.digits.iter().fold(0_u16, |unit, digit| {
            let value = char::from(*digit).to_digit(16).unwrap_or_default();
            // A hexadecimal digit is below 16.
            (unit << 4) | u16::try_from(value).unwrap_or_default()
        });
        self.unit(unit, out);
        true
    }

    fn unit(&mut self, unit: u16, out: &mut impl FnMut(char)) {
        if self.high != 0 && (0xDC00..0xE000).contains(&unit) {
            let high = u32::from(self.high) - 0xD800;
            let low = u32::from(unit) - 0xDC00;
            self.high = 0;
            out(char::from_u32(0x1_0000 + (high << 10) + low)
                .unwrap_or(char::REPLACEMENT_CHARACTER));
            return;
        }
        self.settle(out);
        if (0xD800..0xDC00).contains(&unit) {
            self.high = unit;
        } else {
            out(char::from_u32(u32::from(unit)).unwrap_or_else(|| {
                self.lone = true;
                char::REPLACEMENT_CHARACTER
            }));
        }
    }
}
