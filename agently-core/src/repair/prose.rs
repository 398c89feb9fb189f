//! How quotes are used in running text: in pairs, the opening one before a word, the closing one
//! after it.

use super::glyph::{after_blanks, is_bare, is_blank, is_quote, Glyph};
use super::plan::{Plan, SpecId};

/// How far a word is looked for.
const NEAR: usize = 64;

/// The longest quoted key that is recognised inside a text, in bytes.
const KEY: usize = 128;

/// What the unescaped quotes of a string have been so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Prose {
    /// A quote was opened and not closed.
    open: bool,
    /// It was opened where the next string of the document might have begun.
    stray: bool,
    /// The last quote closed what nothing had opened.
    turned: bool,
}

/// What an unescaped quote tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) prose: Prose,
    /// The quote before this one and this one are the ends of two strings rather than text.
    pub(super) separates: bool,
    /// The quote closes what was opened in the text.
    pub(super) closes: bool,
}

impl Prose {
    /// Takes the quote at `at..end` for text of the string that began at `start`. `last` is the
    /// byte after the quote before it, or the start.
    pub(super) fn pass(
        self,
        text: &str,
        start: usize,
        last: usize,
        at: usize,
        end: usize,
    ) -> Passed {
        let separates = last > start && self.separates(text, start, last, at, end);
        let before = text.get(start..at).unwrap_or_default().chars().next_back();
        let after = text.get(end..).and_then(|rest| rest.chars().next());
        let opens = before
            .is_none_or(|next| is_blank(next) || "([{<=:/-\u{2014}\u{2013}（【《".contains(next))
            && after.is_some_and(|next| !is_blank(next) && Glyph::of(next) != Glyph::Comma);
        let prose = if opens {
            let before = text.get(start..at).unwrap_or_default().trim_end();
            Self {
                open: true,
                stray: before.ends_with([',', ':', '[', '{', '，', '：']),
                turned: false,
            }
        } else {
            Self {
                open: false,
                stray: false,
                // After a digit it may be an inch mark.
                turned: !self.open && before.is_some_and(|last| !last.is_ascii_digit()),
            }
        };
        Passed {
            prose,
            separates,
            closes: !opens && self.open,
        }
    }

    /// Passes a quote of another kind.
    pub(super) fn other(self) -> Self {
        Self {
            turned: false,
            ..self
        }
    }

    /// Whether the string ends with a quote open that may have been the start of the next string.
    pub(super) fn is_doubtful(self) -> bool {
        self.open && self.stray
    }

    /// Whether `last..at` is what stands between two strings of a list, and its neighbours are not
    /// quoted text but words that end and begin here.
    fn separates(self, text: &str, start: usize, last: usize, at: usize, end: usize) -> bool {
        let between = text.get(last..at).unwrap_or_default();
        let mut commas = 0;
        for next in between.chars() {
            match Glyph::of(next) {
                Glyph::Comma => commas += 1,
                _ if is_blank(next) => {}
                _ => return false,
            }
        }
        if commas > 1 {
            return false;
        }
        // A writer of text does not break the line inside a string.
        between.contains('\n')
            || self.turned && ends_in_word(text, start, last) && begins_with_word(text, end)
    }
}

/// Whether there is a word in the text that the quote before `last` ends.
fn ends_in_word(text: &str, start: usize, last: usize) -> bool {
    let mut before = text.get(start..last).unwrap_or_default().chars().rev();
    let quote = before.next();
    let piece = before.take(NEAR).take_while(|next| Some(*next) != quote);
    has_word(piece)
}

/// Whether there is a word in the text that begins at `from`.
fn begins_with_word(text: &str, from: usize) -> bool {
    let piece = text.get(from..).unwrap_or_default().chars().take(NEAR);
    has_word(piece.take_while(|next| !is_quote(*next)))
}

/// Whether there are three letters, two of them in a row; one outside ASCII counts for two.
pub(super) fn has_word(piece: impl Iterator<Item = char>) -> bool {
    let (mut letters, mut last, mut row) = (0, false, false);
    for next in piece {
        let letter = next.is_alphabetic();
        letters += match (letter, next.is_ascii()) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        };
        row |= letter && last;
        last = letter;
    }
    row && letters >= 3
}

/// A key of the document inside a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyInside {
    /// A declared one of an open container.
    Declared,
    /// A word, where keys are not declared or after a comma.
    Possible,
}

/// Whether the quote at `at..end` begins what looks like a key of the document rather than text:
/// a name, a quote and a colon.
pub(super) fn key_inside(
    text: &str,
    at: usize,
    end: usize,
    plan: &Plan,
    mut specs: impl Iterator<Item = SpecId>,
) -> Option<KeyInside> {
    let rest = text.get(end..)?;
    let (length, quote) = rest
        .char_indices()
        .take_while(|(index, _)| *index <= KEY)
        .find(|(_, next)| is_quote(*next))?;
    let key = rest.get(..length)?;
    let (_, colon) = after_blanks(text, end + length + quote.len_utf8())?;
    if Glyph::of(colon) != Glyph::Colon {
        return None;
    }
    let before = text.get(..at).unwrap_or_default().trim_end();
    let is_word = !key.is_empty() && key.chars().all(is_bare);
    let mut possible = is_word && before.ends_with([',', '{', '，']);
    let declared = specs.any(|spec| {
        possible |= is_word && plan.is_open(spec);
        plan.key(spec, key).is_some()
    });
    match (declared, possible) {
        (true, _) => Some(KeyInside::Declared),
        (false, true) => Some(KeyInside::Possible),
        (false, false) => None,
    }
}
