//! Scalars in quotes.

use super::Next;

/// Reads what stands between quotes, and gives the decoded text piece by piece.
#[derive(Clone, Debug)]
pub(super) struct Quoted {
    quote: char,
    state: State,
    /// Blanks that go if the line ends.
    blanks: String,
    /// Line breaks since the last word.
    breaks: usize,
    /// The line was continued by a backslash.
    joined: bool,
    /// The first half of a surrogate pair.
    high: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Text,
    /// Behind a single quote, which is one of the text if another follows.
    Quote,
    Escape,
    /// In an escape with so many digits to come.
    Digits {
        left: u8,
        value: u32,
        wide: bool,
    },
}

impl Quoted {
    pub(super) fn new(quote: char) -> Self {
        Self {
            quote,
            state: State::Text,
            blanks: String::new(),
            breaks: 0,
            joined: false,
            high: None,
        }
    }

    /// Reads on.
    pub(super) fn push(&mut self, next: char, out: &mut impl FnMut(&str)) -> Next {
        match self.state {
            State::Text => self.text(next, out),
            State::Quote if next == '\'' => {
                self.state = State::Text;
                self.letter('\'', out);
                Next::Taken
            }
            State::Quote => {
                self.flush(out);
                Next::Again
            }
            State::Escape => self.escape(next, out),
            State::Digits { left, value, wide } => {
                let Some(digit) = next.to_digit(16) else {
                    return Next::Broken;
                };
                let value = (value << 4) | digit;
                if left > 1 {
                    let left = left - 1;
                    self.state = State::Digits { left, value, wide };
                    return Next::Taken;
                }
                self.state = State::Text;
                self.code(value, wide, out)
            }
        }
    }

    fn text(&mut self, next: char, out: &mut impl FnMut(&str)) -> Next {
        match next {
            '\n' => {
                self.blanks.clear();
                self.breaks += 1;
                self.joined = false;
            }
            ' ' | '\t' if self.breaks > 0 || self.joined => {}
            ' ' | '\t' => {
                self.settle(out);
                self.blanks.push(next);
            }
            '\'' if self.quote == '\'' => self.state = State::Quote,
            '"' if self.quote == '"' => {
                self.flush(out);
                return Next::Done;
            }
            '\\' if self.quote == '"' => {
                // Blanks before it stay even at the end of a line. Half of a pair may be completed.
                if self.high.is_none() {
                    self.flush(out);
                }
                self.state = State::Escape;
            }
            _ => self.letter(next, out),
        }
        Next::Taken
    }

    fn escape(&mut self, next: char, out: &mut impl FnMut(&str)) -> Next {
        self.state = State::Text;
        let letter = match next {
            '\n' => {
                self.flush(out);
                self.joined = true;
                return Next::Taken;
            }
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            ' ' | '"' | '/' | '\\' => next,
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            'x' | 'u' | 'U' => {
                let left = match next {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                self.state = State::Digits {
                    left,
                    value: 0,
                    wide: next == 'u',
                };
                return Next::Taken;
            }
            _ => return Next::Broken,
        };
        self.letter(letter, out);
        Next::Taken
    }

    /// A character by its number; in `\u` it may be half of a surrogate pair, as in JSON.
    fn code(&mut self, value: u32, wide: bool, out: &mut impl FnMut(&str)) -> Next {
        match value {
            0xd800..=0xdbff if wide => {
                self.flush(out);
                self.high = Some(value);
            }
            0xdc00..=0xdfff if wide => {
                let pair = self.high.take().and_then(|high| {
                    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (value - 0xdc00))
                });
                self.letter(pair.unwrap_or(char::REPLACEMENT_CHARACTER), out);
            }
            _ => match char::from_u32(value) {
                Some(letter) => self.letter(letter, out),
                None => return Next::Broken,
            },
        }
        Next::Taken
    }

    fn letter(&mut self, letter: char, out: &mut impl FnMut(&str)) {
        self.flush(out);
        self.joined = false;
        out(letter.encode_utf8(&mut [0; 4]));
    }

    /// Half of a pair that stays alone.
    fn settle(&mut self, out: &mut impl FnMut(&str)) {
        if self.high.take().is_some() {
            out("\u{fffd}");
        }
    }

    /// Gives out what was held back before something else of the text.
    pub(super) fn flush(&mut self, out: &mut impl FnMut(&str)) {
        self.settle(out);
        match std::mem::take(&mut self.breaks) {
            0 => {}
            1 => out(" "),
            many => out(&"\n".repeat(many - 1)),
        }
        if !self.blanks.is_empty() {
            out(&self.blanks);
            self.blanks.clear();
        }
    }

    /// Whether nothing but the look behind a single quote is missing.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Quote)
    }
}
