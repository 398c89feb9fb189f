use std::error::Error;
use std::fmt;

use super::Notation;

/// A text cannot be read.
///
/// `Display` says where and what is wrong, and repeats nothing of the text, which may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotationError {
    notation: Notation,
    place: Option<(usize, usize)>,
    message: String,
}

impl NotationError {
    pub(super) fn new(
        notation: Notation,
        place: Option<(usize, usize)>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            notation,
            place,
            message: message.into(),
        }
    }

    pub(super) fn limit(notation: Notation, message: &str) -> Self {
        Self::new(notation, None, format!("the text is too large: {message}"))
    }

    #[cfg(not(all(feature = "yaml", feature = "toml")))]
    pub(super) fn feature(notation: Notation, feature: &str) -> Self {
        Self::new(
            notation,
            None,
            format!("{notation} is not built in; turn on the feature `{feature}`"),
        )
    }

    pub(super) fn json(error: &serde_json::Error) -> Self {
        // The message of a syntax error names the kind of fault and repeats no text.
        let text = error.to_string();
        let message = text
            .rsplit_once(" at line ")
            .map_or(&*text, |(message, _)| message)
            .to_owned();
        Self::new(
            Notation::Json,
            Some((error.line(), error.column())),
            message,
        )
    }

    #[cfg(feature = "toml")]
    pub(super) fn toml(text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map(|span| {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.rsplit('\n').next().unwrap_or_default();
            (before.matches('\n').count() + 1, line.chars().count() + 1)
        });
        // The messages of the parser say what was expected; those of the reader may name keys.
        Self::new(Notation::Toml, place, error.message())
    }

    /// The notation that the text should be written in.
    #[must_use]
    pub fn notation(&self) -> Notation {
        self.notation
    }

    /// The line of the fault, from 1, if it has one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.map(|(line, _)| line)
    }
}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(
                f,
                "this is no valid {} at line {line}, column {column}: {}",
                self.notation, self.message
            ),
            None => f.write_str(&self.message),
        }
    }
}

impl Error for NotationError {}
