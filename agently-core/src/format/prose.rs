//! The text of one Markdown section.

use agently_api::data::CompletionSource;

use super::fence::{self, Fence};
use crate::instant::TokenVisitor;

/// A text whose blank lines at both ends go, and the fence around it if there is one.
///
/// Blanks from a line's end on are held back until the text goes on, so that what was sent is never
/// taken back. A text that begins with a fence is held back until it is known whether all of it
/// stands inside, because nothing of its value is known before.
#[derive(Clone, Debug, Default)]
pub(super) struct Prose {
    state: State,
    /// Blanks that may be the last ones.
    blanks: String,
    fenced: Fenced,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing but blanks.
    #[default]
    Before,
    /// In a text that begins with what may be a fence.
    Fenced,
    /// On a line that has something on it.
    Inside,
    /// Behind the end of a line.
    Between,
}

/// A text that begins with a fence.
#[derive(Clone, Debug, Default)]
struct Fenced {
    whole: String,
    /// Where the line that is not whole yet starts.
    line: usize,
    fence: Option<Fence>,
    /// Where the inner text starts and, once the fence is closed, ends.
    inner: usize,
    end: Option<usize>,
}

/// Whether all of a text that begins with a fence may stand inside it.
enum Wholly {
    Maybe,
    No,
}

impl Prose {
    pub(super) fn push<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) {
        let mut rest = text;
        while !rest.is_empty() {
            rest = match self.state {
                State::Before | State::Between => self.between(rest, visitor),
                State::Inside => self.inside(rest, visitor),
                State::Fenced => {
                    if let Wholly::No = self.fenced.push(rest) {
                        let whole = std::mem::take(&mut self.fenced.whole);
                        self.state = State::Inside;
                        self.push(&whole, visitor);
                    }
                    ""
                }
            };
        }
    }

    /// Blanks, and then the next thing on a line.
    fn between<'a, V: TokenVisitor>(&mut self, rest: &'a str, visitor: &mut V) -> &'a str {
        let next = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let (blanks, _) = rest
            .split_at_checked(rest.len() - next.len())
            .unwrap_or(("", rest));
        if self.state == State::Before {
            // Blank lines go; the first line keeps its indentation.
            match blanks.rsplit_once('\n') {
                Some((_, last)) => self.blanks = last.to_owned(),
                None => self.blanks.push_str(blanks),
            }
        } else {
            self.blanks.push_str(blanks);
        }
        if next.is_empty() {
            return next;
        }
        if self.state == State::Before && next.starts_with(['`', '~']) {
            self.state = State::Fenced;
            self.fenced.whole.push_str(&self.blanks);
        } else {
            self.state = State::Inside;
            if !self.blanks.is_empty() {
                visitor.string_delta(&self.blanks);
            }
        }
        self.blanks.clear();
        next
    }

    /// Text up to the end of the line. A carriage return belongs to the line end behind it.
    fn inside<'a, V: TokenVisitor>(&mut self, rest: &'a str, visitor: &mut V) -> &'a str {
        let end = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
        let (line, next) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if !line.is_empty() {
            visitor.string_delta(line);
        }
        if !next.is_empty() {
            self.state = State::Between;
        }
        next
    }

    /// The text ends.
    pub(super) fn finish<V: TokenVisitor>(self, source: CompletionSource, visitor: &mut V) {
        if self.state == State::Fenced {
            match self.fenced.inner_text() {
                Some(inner) => {
                    let inner = without_blank_lines(inner);
                    if !inner.is_empty() {
                        visitor.string_delta(inner);
                    }
                }
                None => visitor.string_delta(without_blank_lines(&self.fenced.whole)),
            }
        }
        visitor.string_end(source);
    }
}

impl Fenced {
    fn push(&mut self, text: &str) -> Wholly {
        let mut rest = text;
        while !rest.is_empty() {
            let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) else {
                self.whole.push_str(rest);
                // A long line is looked at again only while it can be the first or the last one.
                return if self.may_be_line(rest) {
                    Wholly::Maybe
                } else {
                    Wholly::No
                };
            };
            let (line, next) = rest.split_at_checked(end + 1).unwrap_or((rest, ""));
            self.whole.push_str(line);
            if let Wholly::No = self.line() {
                self.whole.push_str(next);
                return Wholly::No;
            }
            rest = next;
        }
        Wholly::Maybe
    }

    /// Whether the line that has begun, and now grown by `piece`, is possible here.
    fn may_be_line(&self, piece: &str) -> bool {
        let line = || self.whole.get(self.line..).unwrap_or_default();
        match (self.fence, self.end) {
            (None, _) => self.whole.len() < fence::LONG && fence::may_open(line()),
            (Some(_), None) => true,
            (Some(_), Some(_)) => piece.trim().is_empty(),
        }
    }

    /// A line is whole.
    fn line(&mut self) -> Wholly {
        let line = self.whole.get(self.line..).unwrap_or_default();
        match (self.fence, self.end) {
            (None, _) => match Fence::open(line) {
                Some((fence, _)) if line.len() < fence::LONG => {
                    self.fence = Some(fence);
                    self.inner = self.whole.len();
                }
                _ => return Wholly::No,
            },
            (Some(fence), None) => {
                if fence.is_closed_by(line) {
                    self.end = Some(self.line);
                }
            }
            (Some(_), Some(_)) => {
                if !line.trim().is_empty() {
                    return Wholly::No;
                }
            }
        }
        self.line = self.whole.len();
        Wholly::Maybe
    }

    /// The text inside the fence, if the fence is closed.
    fn inner_text(&self) -> Option<&str> {
        let fence = self.fence?;
        let last = self.whole.get(self.line..).unwrap_or_default();
        let end = match self.end {
            Some(end) => end,
            None if fence.is_closed_by(last) => self.line,
            None => return None,
        };
        self.whole.get(self.inner..end)
    }
}

/// A text without the blank lines at both ends.
fn without_blank_lines(text: &str) -> &str {
    let end = text.trim_end_matches([' ', '\t', '\r', '\n']).len();
    // Blanks at the end of the last line that has something on it stay.
    let rest = text.get(end..).unwrap_or_default();
    let stay = rest
        .find(['\r', '\n'])
        .unwrap_or(if end == 0 { 0 } else { rest.len() });
    let text = if end == 0 {
        ""
    } else {
        text.get(..end + stay).unwrap_or_default()
    };
    let first = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let from = text
        .get(..first)
        .and_then(|blanks| blanks.rfind('\n'))
        .map_or(0, |newline| newline + 1);
    text.get(from..).unwrap_or_default()
}
