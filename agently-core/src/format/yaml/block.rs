//! Texts in lines of their own: `|` and `>`.

use agently_api::data::CompletionSource;

use super::Next;
use crate::instant::TokenVisitor;

/// What becomes of the line breaks at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

/// A block scalar, behind its header.
#[derive(Clone, Debug)]
pub(super) struct Block {
    folded: bool,
    chomp: Chomp,
    /// The column of the key or dash it belongs to.
    parent: usize,
    /// The column of its lines, once known.
    indent: Option<usize>,
    /// Within a line that has something on it.
    in_line: bool,
    /// Line breaks that have not been given out.
    breaks: usize,
    /// Whether there was a line at all, and whether the last one began with a blank.
    begun: bool,
    spaced: bool,
}

impl Block {
    /// Reads the header, from its `|` or `>` to the end of the line.
    pub(super) fn new(header: &str, parent: usize) -> Option<Self> {
        let mut letters = header.chars();
        let folded = match letters.next()? {
            '|' => false,
            '>' => true,
            _ => return None,
        };
        let (marks, comment) = match letters.as_str().find([' ', '\t']) {
            Some(end) => letters.as_str().split_at_checked(end)?,
            None => (letters.as_str(), ""),
        };
        if !(comment.trim().is_empty() || comment.trim_start().starts_with('#')) {
            return None;
        }
        let mut chomp = None;
        let mut indent = None;
        for mark in marks.chars() {
            match mark {
                '-' if chomp.is_none() => chomp = Some(Chomp::Strip),
                '+' if chomp.is_none() => chomp = Some(Chomp::Keep),
                '1'..='9' if indent.is_none() => {
                    let digit = mark
                        .to_digit(10)
                        .and_then(|digit| usize::try_from(digit).ok())?;
                    indent = Some(parent + digit);
                }
                _ => return None,
            }
        }
        Some(Self {
            folded,
            chomp: chomp.unwrap_or(Chomp::Clip),
            parent,
            indent,
            in_line: false,
            breaks: 0,
            begun: false,
            spaced: false,
        })
    }

    /// Whether the next characters, up to a line break, are text.
    pub(super) fn in_line(&self) -> bool {
        self.in_line
    }

    /// Reads on; `column` is where `next` stands.
    pub(super) fn push<V: TokenVisitor>(
        &mut self,
        next: char,
        column: usize,
        visitor: &mut V,
    ) -> Next {
        if self.in_line {
            if next == '\n' {
                self.in_line = false;
                self.line_end(visitor);
            } else {
                visitor.string_delta(next.encode_utf8(&mut [0; 4]));
            }
            return Next::Taken;
        }
        match (next, self.indent) {
            ('\n', _) => {
                if self.chomp == Chomp::Keep && !self.folded && self.begun {
                    visitor.string_delta("\n");
                } else {
                    self.breaks += 1;
                }
                Next::Taken
            }
            (' ', None) => Next::Taken,
            (' ', Some(indent)) if column < indent => Next::Taken,
            ('\t', None) => Next::Broken,
            (_, None) if column > self.parent => {
                self.indent = Some(column);
                self.line(next, visitor)
            }
            (_, Some(indent)) if column >= indent => self.line(next, visitor),
            (_, Some(_)) if column > self.parent && next != '#' => Next::Broken,
            _ => Next::Again,
        }
    }

    /// A line begins.
    fn line<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Next {
        let spaced = matches!(next, ' ' | '\t');
        let breaks = std::mem::take(&mut self.breaks);
        let fold = self.folded && self.begun && !spaced && !self.spaced;
        if fold && breaks == 1 {
            visitor.string_delta(" ");
        } else {
            let breaks = if fold { breaks - 1 } else { breaks };
            if breaks > 0 {
                visitor.string_delta(&"\n".repeat(breaks));
            }
        }
        self.begun = true;
        self.spaced = spaced;
        self.in_line = true;
        visitor.string_delta(next.encode_utf8(&mut [0; 4]));
        Next::Taken
    }

    fn line_end<V: TokenVisitor>(&mut self, visitor: &mut V) {
        // Where it stays whatever follows, it is given out at once.
        if self.folded || self.chomp == Chomp::Strip {
            self.breaks += 1;
        } else {
            visitor.string_delta("\n");
        }
    }

    /// It ends.
    pub(super) fn finish<V: TokenVisitor>(&mut self, source: CompletionSource, visitor: &mut V) {
        match self.chomp {
            Chomp::Clip if self.folded && self.begun && self.breaks > 0 => {
                visitor.string_delta("\n");
            }
            Chomp::Keep if self.breaks > 0 => visitor.string_delta(&"\n".repeat(self.breaks)),
            _ => {}
        }
        visitor.string_end(source);
    }
}
