//! Characters that are syntax, in ASCII or in the forms that writers and keyboards put for them.

/// The quotes around a string, by the opening one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Quote {
    /// `"`
    Double,
    /// `'`
    Single,
    /// `“ ”`
    CurlyDouble,
    /// `„ “`
    LowDouble,
    /// `＂`
    WideDouble,
    /// `‘ ’`
    CurlySingle,
    /// `"""`
    TripleDouble,
    /// `'''`
    TripleSingle,
}

/// What a character is between the tokens of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glyph {
    Open { object: bool },
    Close { object: bool },
    Comma,
    Colon,
    Quote(Quote),
    Other,
}

impl Glyph {
    pub(super) fn of(next: char) -> Self {
        match next {
            '{' | '｛' => Self::Open { object: true },
            '[' | '［' => Self::Open { object: false },
            '}' | '｝' => Self::Close { object: true },
            ']' | '］' => Self::Close { object: false },
            ',' | '，' | '、' => Self::Comma,
            ':' | '：' => Self::Colon,
            '"' => Self::Quote(Quote::Double),
            '\'' => Self::Quote(Quote::Single),
            '“' => Self::Quote(Quote::CurlyDouble),
            '„' => Self::Quote(Quote::LowDouble),
            '＂' => Self::Quote(Quote::WideDouble),
            '‘' => Self::Quote(Quote::CurlySingle),
            _ => Self::Other,
        }
    }

    /// Whether this may follow a string.
    pub(super) fn follows_string(self) -> bool {
        matches!(self, Self::Close { .. } | Self::Comma | Self::Colon)
    }
}

/// A quote character by which a string may end, or which its text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) at: usize,
    /// The byte after it.
    pub(super) end: usize,
    /// Whether it is of the kind that the string was opened with.
    pub(super) own: bool,
}

impl Quote {
    /// The triple quote that begins with this one.
    pub(super) fn tripled(self) -> Option<(Self, &'static str)> {
        match self {
            Self::Double => Some((Self::TripleDouble, "\"\"\"")),
            Self::Single => Some((Self::TripleSingle, "'''")),
            _ => None,
        }
    }

    /// Whether a string in these quotes may hold unescaped ones.
    pub(super) fn may_hold_own(self) -> bool {
        !matches!(self, Self::TripleDouble | Self::TripleSingle)
    }

    /// Whether this character closes a string in these quotes.
    pub(super) fn is_closed_by(self, next: char) -> bool {
        match self {
            Self::Double | Self::TripleDouble => next == '"',
            Self::Single | Self::TripleSingle => next == '\'',
            Self::CurlyDouble => next == '”',
            Self::LowDouble => matches!(next, '“' | '”'),
            Self::WideDouble => next == '＂',
            Self::CurlySingle => next == '’',
        }
    }

    /// Whether a writer may have put this character for the one that closes the string.
    fn may_be_closed_by(self, next: char) -> bool {
        match self {
            Self::Double => next == '”',
            Self::Single => next == '’',
            Self::CurlyDouble | Self::LowDouble | Self::WideDouble => next == '"',
            Self::CurlySingle => next == '\'',
            Self::TripleDouble | Self::TripleSingle => false,
        }
    }

    /// The next unescaped character at or after `from` that may close a string in these quotes.
    pub(super) fn find(self, text: &str, from: usize) -> Option<Candidate> {
        let rest = text.get(from..)?;
        if let Self::TripleDouble | Self::TripleSingle = self {
            let mark = if self == Self::TripleDouble {
                '"'
            } else {
                '\''
            };
            return rest
                .match_indices(mark)
                .map(|(index, _)| from + index)
                .find(|&at| !is_escaped(text, from, at))
                .map(|at| {
                    let marks = run(text, at, |next| next == mark) - at;
                    Candidate {
                        at,
                        end: at + marks.min(3),
                        own: marks >= 3,
                    }
                });
        }
        let is_candidate = |next: char| self.is_closed_by(next) || self.may_be_closed_by(next);
        rest.match_indices(is_candidate)
            .find(|(index, _)| !is_escaped(text, from, from + index))
            .map(|(index, mark)| Candidate {
                at: from + index,
                end: from + index + mark.len(),
                own: mark
                    .chars()
                    .next()
                    .is_some_and(|next| self.is_closed_by(next)),
            })
    }
}

/// Whether an odd number of backslashes stands before `at`.
fn is_escaped(text: &str, from: usize, at: usize) -> bool {
    let before = text.as_bytes().get(from..at).unwrap_or_default();
    let slashes = before.iter().rev().take_while(|&&byte| byte == b'\\');
    slashes.count() % 2 == 1
}

/// Whether this is a quote of any kind, opening or closing.
pub(super) fn is_quote(next: char) -> bool {
    matches!(Glyph::of(next), Glyph::Quote(_)) || matches!(next, '”' | '’')
}

/// What blanks and comments lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// This character, at this byte.
    Token(usize, char),
    /// The end of the text.
    End,
    /// A slash at this byte that begins no comment.
    Broken(usize),
}

/// Skips blanks and comments.
pub(super) fn skip_gap(text: &str, from: usize) -> Gap {
    let mut at = from;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some((index, next)) = rest.char_indices().find(|(_, next)| !is_blank(*next)) else {
            return Gap::End;
        };
        at += index;
        let rest = text.get(at..).unwrap_or_default();
        let comment = match next {
            '#' => rest.find('\n'),
            '/' if rest.starts_with("//") => rest.find('\n'),
            '/' if rest.starts_with("/*") => rest
                .get(2..)
                .and_then(|inner| inner.find("*/"))
                .map(|end| end + 4),
            '/' => return Gap::Broken(at),
            _ => return Gap::Token(at, next),
        };
        match comment {
            Some(length) => at += length,
            None => return Gap::End,
        }
    }
}

/// The first character at or after `from` that is no blank.
pub(super) fn after_blanks(text: &str, from: usize) -> Option<(usize, char)> {
    let rest = text.get(from..)?;
    rest.char_indices()
        .find(|(_, next)| !is_blank(*next))
        .map(|(index, next)| (from + index, next))
}

pub(super) fn is_blank(next: char) -> bool {
    next.is_whitespace() || next == '\u{feff}'
}

/// Whether a character may stand in a key without quotes.
pub(super) fn is_bare(next: char) -> bool {
    next.is_alphanumeric() || matches!(next, '_' | '$' | '-')
}

/// The end of the run of such characters that begins at `from`.
pub(super) fn run(text: &str, from: usize, belongs: impl Fn(char) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.find(|next| !belongs(next)).unwrap_or(rest.len())
}
