//! The states of the tokenizer: each takes the text and a position, and gives the next position.

use agently_api::data::CompletionSource::{self, ObservedBoundary};

use super::{Fault, State, TokenVisitor, Tokenizer};
use crate::instant::gap::{Gap, GapStep};
use crate::instant::number::{self, Parsed};
use crate::instant::word::{Literal, Word, WordStep};

/// Within so many bytes a plain loop finds a quote sooner than `memchr` does.
const SHORT: usize = 8;

impl Tokenizer {
    pub(super) fn read<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) {
        let mut at = 0;
        while at < text.len() {
            at = match self.state {
                State::Text => self.text(text, at, visitor),
                State::KeyText => self.key_text(text, at, visitor),
                State::BareKey => self.bare_key(text, at, visitor),
                State::Number => self.digits(text, at, visitor),
                State::Word => self.word(text, at, visitor),
                State::Done | State::Silent => return,
                State::Root
                | State::Value
                | State::Item
                | State::Key
                | State::Colon
                | State::After => self.between(text, at, visitor),
            };
        }
    }

    /// Blanks and comments, then one structural byte or the first of a token.
    #[inline]
    fn between<V: TokenVisitor>(&mut self, text: &str, from: usize, visitor: &mut V) -> usize {
        let mut index = from;
        while let Some(&byte) = text.as_bytes().get(index) {
            // Outside comments most bytes are tokens: this spares them the question.
            if self.gap == Gap::Open && !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'#')
            {
                return self.token(text, index, byte, visitor);
            }
            if self.gap.step(byte) == GapStep::Broken {
                self.silence(self.offset + index, Fault::BadComment);
                break;
            }
            index += 1;
        }
        text.len()
    }

    /// The first byte of a token; gives the position to read on from.
    #[inline]
    fn token<V: TokenVisitor>(
        &mut self,
        text: &str,
        at: usize,
        byte: u8,
        visitor: &mut V,
    ) -> usize {
        match self.state {
            State::After => self.after(at, byte, visitor),
            State::Colon if byte == b':' => self.state = State::Value,
            State::Colon => self.silence(self.offset + at, Fault::NoColon),
            State::Key => match byte {
                b'"' | b'\'' => {
                    self.quote = byte;
                    self.state = State::KeyText;
                }
                b'}' => self.close(at, visitor),
                _ if is_bare(text, at) => {
                    self.state = State::BareKey;
                    return at;
                }
                _ => self.silence(self.offset + at, Fault::NoKey),
            },
            State::Item if byte == b']' => self.close(at, visitor),
            State::Root if !matches!(byte, b'{' | b'[') => {
                self.silence(self.offset + at, Fault::NoContainer);
            }
            _ => return self.value(at, byte, visitor),
        }
        at + 1
    }

    /// What follows a value: a comma or the end of the container.
    #[inline]
    fn after<V: TokenVisitor>(&mut self, at: usize, byte: u8, visitor: &mut V) {
        let object = self.in_object();
        match byte {
            b',' => self.state = if object { State::Key } else { State::Item },
            b'}' if object => self.close(at, visitor),
            b']' if !object => self.close(at, visitor),
            b'}' | b']' => self.silence(self.offset + at, Fault::WrongCloser),
            _ => self.silence(self.offset + at, Fault::NoComma),
        }
    }

    /// The first byte of a value; gives the position to read on from.
    #[inline]
    fn value<V: TokenVisitor>(&mut self, at: usize, byte: u8, visitor: &mut V) -> usize {
        match byte {
            b'"' | b'\'' => {
                self.quote = byte;
                self.state = State::Text;
                visitor.string_start();
            }
            b'0'..=b'9' | b'-' | b'+' | b'.' => {
                self.state = State::Number;
                return at;
            }
            b'{' | b'[' => {
                let object = byte == b'{';
                if !self.enter(object) {
                    self.silence(self.offset + at, Fault::TooDeep);
                } else if object {
                    visitor.object_start();
                } else {
                    visitor.list_start();
                }
            }
            _ => {
                self.word = Word::begin(byte);
                if self.word.is_some() {
                    self.state = State::Word;
                } else {
                    self.silence(self.offset + at, Fault::NoValue);
                }
            }
        }
        at + 1
    }

    /// A closing bracket of the right kind.
    fn close<V: TokenVisitor>(&mut self, at: usize, visitor: &mut V) {
        if self.leave() {
            visitor.object_end(ObservedBoundary);
        } else {
            visitor.list_end(ObservedBoundary);
        }
        if self.state == State::Done {
            self.end = self.offset + at + 1;
        }
    }

    /// The text of a string value.
    #[inline]
    fn text<V: TokenVisitor>(&mut self, text: &str, from: usize, visitor: &mut V) -> usize {
        let (run, end) = self.run(text, from);
        let rest = text.get(run..end.unwrap_or(text.len())).unwrap_or_default();
        let piece = if self.scratch.is_empty() {
            rest
        } else {
            self.scratch.push_str(rest);
            &self.scratch
        };
        if !piece.is_empty() {
            visitor.string_delta(piece);
            self.scratch.clear();
        }
        let Some(end) = end else {
            return text.len();
        };
        self.note_lone(self.offset + end);
        visitor.string_end(ObservedBoundary);
        self.comma(text, end + 1)
    }

    /// A value has ended: goes past the comma, if it follows at once.
    #[inline]
    fn comma(&mut self, text: &str, at: usize) -> usize {
        if self.depth == 0 {
            self.ended(self.offset + at);
            return at;
        }
        if text.as_bytes().get(at) != Some(&b',') {
            self.state = State::After;
            return at;
        }
        self.state = if self.in_object() {
            State::Key
        } else {
            State::Item
        };
        at + 1
    }

    /// The text of a quoted key.
    fn key_text<V: TokenVisitor>(&mut self, text: &str, from: usize, visitor: &mut V) -> usize {
        let (run, end) = self.run(text, from);
        let rest = text.get(run..end.unwrap_or(text.len())).unwrap_or_default();
        let Some(end) = end else {
            self.scratch.push_str(rest);
            return text.len();
        };
        self.note_lone(self.offset + end);
        self.key(rest, visitor);
        if text.as_bytes().get(end + 1) == Some(&b':') {
            self.state = State::Value;
            return end + 2;
        }
        end + 1
    }

    /// A key without quotes.
    fn bare_key<V: TokenVisitor>(&mut self, text: &str, from: usize, visitor: &mut V) -> usize {
        let rest = text.get(from..).unwrap_or_default();
        let Some(length) = rest.find(|next| !is_bare_char(next)) else {
            self.scratch.push_str(rest);
            return text.len();
        };
        self.key(rest.get(..length).unwrap_or_default(), visitor);
        from + length
    }

    /// A key is whole: what is in the scratch, and this.
    fn key<V: TokenVisitor>(&mut self, rest: &str, visitor: &mut V) {
        if self.scratch.is_empty() {
            visitor.key(rest);
        } else {
            self.scratch.push_str(rest);
            visitor.key(&self.scratch);
            self.scratch.clear();
        }
        self.state = State::Colon;
    }

    /// Reads a quoted text up to its closing quote or the end of the piece. What is decoded comes to
    /// stand in the scratch and, after it, in the text from the first given position on; the second
    /// is that of the quote.
    #[inline]
    fn run(&mut self, text: &str, from: usize) -> (usize, Option<usize>) {
        let bytes = text.as_bytes();
        let mut run = from;
        loop {
            if self.escape.is_busy() {
                let Some(&byte) = bytes.get(run) else {
                    return (run, None);
                };
                run = self.escaped(byte, run);
                continue;
            }
            let Some(hit) = find(bytes, run, self.quote) else {
                return (run, None);
            };
            if bytes.get(hit) == Some(&self.quote) {
                return (run, Some(hit));
            }
            self.scratch
                .push_str(text.get(run..hit).unwrap_or_default());
            self.escape.open();
            run = hit + 1;
        }
    }

    /// A byte in or right after an escape; gives the position to read on from.
    fn escaped(&mut self, byte: u8, at: usize) -> usize {
        let scratch = &mut self.scratch;
        let mut out = |decoded| scratch.push(decoded);
        if self.escape.is_open() {
            return if self.escape.byte(byte, self.quote, &mut out) {
                at + 1
            } else {
                at
            };
        }
        if byte == b'\\' {
            self.escape.open();
            return at + 1;
        }
        self.escape.settle(&mut out);
        at
    }

    /// The text of a number.
    fn digits<V: TokenVisitor>(&mut self, text: &str, from: usize, visitor: &mut V) -> usize {
        let bytes = text.as_bytes();
        if self.gap == Gap::Slash {
            return self.slash_after_number(text, from, visitor);
        }
        let mut at = from;
        while let Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') = bytes.get(at) {
            at += 1;
        }
        let rest = text.get(from..at).unwrap_or_default();
        let Some(&byte) = bytes.get(at) else {
            self.scratch.push_str(rest);
            return at;
        };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}' | b'#' => {
                if self.scratch.is_empty() {
                    self.whole_number(rest, at, visitor);
                } else {
                    self.scratch.push_str(rest);
                    self.scratched_number(at, visitor);
                }
                at
            }
            b'/' => {
                self.scratch.push_str(rest);
                self.gap = Gap::Slash;
                at + 1
            }
            _ => {
                self.scratch.push_str(rest);
                self.word = Word::begin_signed(byte);
                if self.word.is_some() && matches!(&*self.scratch, "+" | "-") {
                    self.scratch.clear();
                    self.state = State::Word;
                } else {
                    self.silence(self.offset + at, Fault::BadNumber);
                }
                at + 1
            }
        }
    }

    /// A slash after a number ends it if it begins a comment.
    fn slash_after_number<V: TokenVisitor>(
        &mut self,
        text: &str,
        at: usize,
        visitor: &mut V,
    ) -> usize {
        let byte = text.as_bytes().get(at).copied().unwrap_or_default();
        if self.gap.step(byte) == GapStep::Taken {
            self.scratched_number(at, visitor);
        } else {
            self.silence(self.offset + at, Fault::BadNumber);
        }
        at + 1
    }

    fn scratched_number<V: TokenVisitor>(&mut self, at: usize, visitor: &mut V) {
        let mut text = std::mem::take(&mut self.scratch);
        self.whole_number(&text, at, visitor);
        text.clear();
        self.scratch = text;
    }

    fn whole_number<V: TokenVisitor>(&mut self, text: &str, at: usize, visitor: &mut V) {
        self.ended(self.offset + at);
        if !self.number(text, self.offset + at, ObservedBoundary, visitor) {
            self.silence(self.offset + at, Fault::BadNumber);
        }
    }

    /// Hands on a number; false if it is none.
    pub(super) fn number<V: TokenVisitor>(
        &mut self,
        text: &str,
        offset: usize,
        source: CompletionSource,
        visitor: &mut V,
    ) -> bool {
        match number::parse(text) {
            Parsed::Number(value) => visitor.number(text, &value, source),
            Parsed::Overflow => {
                self.lost.add(offset);
                visitor.null(source);
            }
            Parsed::Invalid => return false,
        }
        true
    }

    /// The letters of a literal.
    fn word<V: TokenVisitor>(&mut self, text: &str, from: usize, visitor: &mut V) -> usize {
        let Some(mut word) = self.word else {
            return text.len();
        };
        for (index, &byte) in text.as_bytes().iter().enumerate().skip(from) {
            match word.step(byte) {
                WordStep::More => {}
                WordStep::Done(literal) => {
                    match literal {
                        Literal::Bool(value) => visitor.boolean(value),
                        Literal::Null => visitor.null(ObservedBoundary),
                        Literal::Lost => {
                            self.lost.add(self.offset + index);
                            visitor.null(ObservedBoundary);
                        }
                    }
                    return self.comma(text, index + 1);
                }
                WordStep::Broken => {
                    self.silence(self.offset + index, Fault::BadWord);
                    break;
                }
            }
        }
        self.word = Some(word);
        text.len()
    }
}

/// The next quote or backslash.
#[inline]
fn find(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (near, far) = rest.split_at(rest.len().min(SHORT));
    let found = near.iter().position(|&byte| byte == quote || byte == b'\\');
    if let Some(index) = found {
        return Some(from + index);
    }
    if far.is_empty() {
        return None;
    }
    memchr::memchr2(quote, b'\\', far).map(|index| from + SHORT + index)
}

/// Whether the character at this position may stand in a key without quotes.
fn is_bare(text: &str, at: usize) -> bool {
    text.get(at..)
        .and_then(|rest| rest.chars().next())
        .is_some_and(is_bare_char)
}

pub(crate) fn is_bare_char(next: char) -> bool {
    next.is_alphanumeric() || matches!(next, '_' | '$' | '-')
}
