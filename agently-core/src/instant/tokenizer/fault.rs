use std::fmt;

/// How a document ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// There was none.
    Missing,
    /// Its last bracket was read.
    Complete {
        /// The byte after that bracket.
        end: usize,
    },
    /// The text ended before the document.
    Open,
    /// It could not be read on with certainty.
    Silenced {
        /// The byte at which this showed.
        offset: usize,
        /// What was wrong there.
        fault: Fault,
    },
}

/// Why a document could not be read on with certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Neither `{` nor `[` at the start.
    NoContainer,
    /// Something that is no key.
    NoKey,
    /// No colon after a key.
    NoColon,
    /// Something that is no value.
    NoValue,
    /// Neither a comma nor the end of the container after a value: an unescaped quote in a string,
    /// or a missing comma.
    NoComma,
    /// `]` for `}`, or the other way round.
    WrongCloser,
    /// Text that begins like a number and is none.
    BadNumber,
    /// A word that is no value.
    BadWord,
    /// A `/` that begins no comment.
    BadComment,
    /// Nested deeper than 128 levels.
    TooDeep,
    /// The field ends before its value does.
    Unfinished,
    /// YAML that is malformed, or beyond the part of it that answers are written in.
    Yaml,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoContainer => "expected `{` or `[`",
            Self::NoKey => "expected a key",
            Self::NoColon => "expected a colon after the key",
            Self::NoValue => "expected a value",
            Self::NoComma => {
                "expected a comma or the end of the container (an unescaped quote in a string, or \
                 a missing comma)"
            }
            Self::WrongCloser => "the closing bracket does not match the opening one",
            Self::BadNumber => "a malformed number",
            Self::BadWord => "a word that is no value",
            Self::BadComment => "a `/` that begins no comment",
            Self::TooDeep => "nested deeper than 128 levels",
            Self::Unfinished => "the field ends before its value does",
            Self::Yaml => {
                "malformed YAML, or a part of YAML that is not read (anchors, aliases, tags, \
                 complex keys)"
            }
        })
    }
}
