//! Blanks and comments between tokens.

/// Where in a comment the text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gap {
    /// In none.
    #[default]
    Open,
    /// After a `/` that must begin one.
    Slash,
    /// In one that ends with the line.
    Line,
    /// In a `/* */`.
    Block,
    /// In a `/* */`, after a `*`.
    Star,
}

/// What a byte was to a [`Gap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GapStep {
    /// A blank or part of a comment.
    Taken,
    /// The first byte of a token.
    Token,
    /// No comment after the `/`.
    Broken,
}

impl Gap {
    pub(super) fn step(&mut self, byte: u8) -> GapStep {
        *self = match (*self, byte) {
            (Self::Open, b' ' | b'\t' | b'\n' | b'\r') | (Self::Line, b'\n') => Self::Open,
            (Self::Open, b'/') => Self::Slash,
            (Self::Open, b'#') | (Self::Slash, b'/') | (Self::Line, _) => Self::Line,
            (Self::Open, _) => return GapStep::Token,
            (Self::Slash, b'*') => Self::Block,
            (Self::Slash, _) => return GapStep::Broken,
            (Self::Star, b'/') => Self::Open,
            (Self::Block | Self::Star, b'*') => Self::Star,
            (Self::Block | Self::Star, _) => Self::Block,
        };
        GapStep::Taken
    }
}
