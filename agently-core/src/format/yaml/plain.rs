//! Scalars without quotes.

use agently_api::data::CompletionSource;

use super::value::{resolve, Core, Typed};
use super::Next;
use crate::instant::TokenVisitor;

/// A scalar without quotes, behind its key or dash.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    /// What may still be another value than a text.
    raw: String,
    typed: Typed,
    /// It is a text for certain, and has been sent so far.
    is_text: bool,
    /// Blanks and a colon, which may not belong to it.
    tail: String,
    /// Line breaks since the last word.
    breaks: usize,
}

impl Plain {
    /// A scalar of which this is the first line, without blanks at its ends.
    pub(super) fn first_line<V: TokenVisitor>(text: &str, visitor: &mut V) -> Self {
        let mut plain = Self::default();
        plain.add(text, visitor);
        plain.breaks = 1;
        plain
    }

    /// Reads on. `deeper` says whether the line, if it has just begun, belongs to the scalar.
    pub(super) fn push<V: TokenVisitor>(
        &mut self,
        next: char,
        deeper: bool,
        visitor: &mut V,
    ) -> Next {
        if self.breaks > 0 {
            match next {
                '\n' => self.breaks += 1,
                ' ' | '\t' => {}
                _ if !deeper || next == '#' => return Next::Again,
                _ => {
                    let fold = match self.breaks {
                        1 => " ".to_owned(),
                        many => "\n".repeat(many - 1),
                    };
                    self.breaks = 0;
                    self.tail = fold;
                    return self.word(next, visitor);
                }
            }
            return Next::Taken;
        }
        if self.tail.ends_with(':') {
            if matches!(next, ' ' | '\t' | '\n') {
                return Next::Broken;
            }
            return self.word(next, visitor);
        }
        match next {
            '\n' => {
                self.tail.clear();
                self.breaks = 1;
            }
            ' ' | '\t' => {
                if !self.is_text && matches!(self.raw.as_str(), "-" | "?") {
                    return Next::Broken;
                }
                self.tail.push(next);
            }
            '#' if !self.tail.is_empty() => return Next::Again,
            _ => return self.word(next, visitor),
        }
        Next::Taken
    }

    fn word<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Next {
        let mut piece = std::mem::take(&mut self.tail);
        if next == ':' {
            piece.push(':');
            self.tail = piece;
            return Next::Taken;
        }
        piece.push(next);
        self.add(&piece, visitor);
        piece.clear();
        self.tail = piece;
        Next::Taken
    }

    fn add<V: TokenVisitor>(&mut self, piece: &str, visitor: &mut V) {
        if self.is_text {
            return visitor.string_delta(piece);
        }
        self.raw.push_str(piece);
        if !self.typed.may_be(piece, &self.raw) {
            self.is_text = true;
            visitor.string_start();
            visitor.string_delta(&self.raw);
            self.raw.clear();
        }
    }

    /// It ends. True if it is a number that JSON has not.
    pub(super) fn finish<V: TokenVisitor>(
        &mut self,
        source: CompletionSource,
        visitor: &mut V,
    ) -> bool {
        if self.is_text {
            visitor.string_end(source);
            return false;
        }
        match resolve(&self.raw) {
            Core::Null => visitor.null(source),
            Core::Bool(value) => visitor.boolean(value),
            Core::Number(number) => visitor.number(&self.raw, &number, source),
            Core::Lost => {
                visitor.null(source);
                return true;
            }
            Core::Text => {
                visitor.string_start();
                visitor.string_delta(&self.raw);
                visitor.string_end(source);
            }
        }
        false
    }
}
