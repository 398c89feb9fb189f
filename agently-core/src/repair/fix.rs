use std::fmt;

use agently_api::data::{Warning, WarningKind};

/// One departure of the accepted reading from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fix {
    /// What was done.
    pub kind: FixKind,
    /// The byte of the text at which it was done.
    pub offset: usize,
}

/// Kinds of [`Fix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FixKind {
    /// A quote inside a string was not escaped.
    InnerQuote,
    /// A comma was missing.
    MissingComma,
    /// A comma was one too many.
    ExtraComma,
    /// A closing bracket was missing inside the document.
    MissingCloser,
    /// A closing bracket was of the other kind.
    WrongCloser,
    /// A closing bracket was one too many.
    ExtraCloser,
    /// A string was opened and closed by different quotes.
    MixedQuotes,
    /// Curly or full-width punctuation was used as syntax.
    Typographic,
    /// A string stood between triple quotes.
    TripleQuotes,
    /// The closing brackets at the end were missing.
    Unclosed,
}

impl FixKind {
    fn count(self, count: usize) -> String {
        let (one, many) = match self {
            Self::InnerQuote => ("unescaped quote was", "unescaped quotes were"),
            Self::MissingComma => ("missing comma was", "missing commas were"),
            Self::ExtraComma => ("needless comma was", "needless commas were"),
            Self::MissingCloser => (
                "missing closing bracket was",
                "missing closing brackets were",
            ),
            Self::WrongCloser => (
                "closing bracket of the wrong kind was",
                "closing brackets of the wrong kind were",
            ),
            Self::ExtraCloser => (
                "needless closing bracket was",
                "needless closing brackets were",
            ),
            Self::MixedQuotes => (
                "string between unlike quotes was",
                "strings between unlike quotes were",
            ),
            Self::Typographic => (
                "curly or full-width mark was",
                "curly or full-width marks were",
            ),
            Self::TripleQuotes => ("triple-quoted string was", "triple-quoted strings were"),
            Self::Unclosed => ("open end was", "open ends were"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} read as meant at byte {}",
            self.kind.count(1),
            self.offset
        )
    }
}

/// One warning for each kind of fix.
pub(super) fn warnings(fixes: &[Fix]) -> Vec<Warning> {
    let mut kinds: Vec<FixKind> = fixes.iter().map(|fix| fix.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let told = kinds.into_iter().filter_map(|kind| {
        let mut same = fixes.iter().filter(|fix| fix.kind == kind);
        let first = same.next()?.offset;
        let count = 1 + same.count();
        Some(Warning::new(
            WarningKind::Repair,
            format!(
                "the answer was repaired: {} read as meant, the first at byte {first}",
                kind.count(count)
            ),
        ))
    });
    told.collect()
}
