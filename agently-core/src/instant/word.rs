//! Literals: `true`, `None`, `NaN` and their like, in any case, one byte at a time.

/// A literal that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    kind: Kind,
    read: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    True,
    False,
    /// `n`, which may become any of the next three.
    N,
    Null,
    None,
    Nan,
    Infinity,
    Undefined,
}

/// What a literal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Bool(bool),
    Null,
    /// `null`, for want of a JSON value.
    Lost,
}

/// What a byte was to a [`Word`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordStep {
    More,
    Done(Literal),
    Broken,
}

impl Kind {
    fn text(self) -> &'static [u8] {
        match self {
            Self::True => b"true",
            Self::False => b"false",
            Self::N => b"n",
            Self::Null => b"null",
            Self::None => b"none",
            Self::Nan => b"nan",
            Self::Infinity => b"infinity",
            Self::Undefined => b"undefined",
        }
    }

    fn literal(self) -> Literal {
        match self {
            Self::True => Literal::Bool(true),
            Self::False => Literal::Bool(false),
            Self::Null | Self::None => Literal::Null,
            Self::N | Self::Nan | Self::Infinity | Self::Undefined => Literal::Lost,
        }
    }
}

impl Word {
    /// The literal that begins with this byte.
    pub(super) fn begin(first: u8) -> Option<Self> {
        let kind = match first.to_ascii_lowercase() {
            b't' => Kind::True,
            b'f' => Kind::False,
            b'n' => Kind::N,
            b'i' => Kind::Infinity,
            b'u' => Kind::Undefined,
            _ => return None,
        };
        Some(Self { kind, read: 1 })
    }

    /// The literal that begins with this byte after a sign: `Infinity` or `NaN`.
    pub(super) fn begin_signed(first: u8) -> Option<Self> {
        let kind = match first.to_ascii_lowercase() {
            b'i' => Kind::Infinity,
            b'n' => Kind::Nan,
            _ => return None,
        };
        Some(Self { kind, read: 1 })
    }

    pub(super) fn step(&mut self, byte: u8) -> WordStep {
        let byte = byte.to_ascii_lowercase();
        if self.kind == Kind::N {
            self.kind = match byte {
                b'u' => Kind::Null,
                b'o' => Kind::None,
                b'a' => Kind::Nan,
                _ => return WordStep::Broken,
            };
        }
        let text = self.kind.text();
        if text.get(usize::from(self.read)) != Some(&byte) {
            return WordStep::Broken;
        }
        self.read += 1;
        if usize::from(self.read) == text.len() {
            WordStep::Done(self.kind.literal())
        } else {
            WordStep::More
        }
    }
}
