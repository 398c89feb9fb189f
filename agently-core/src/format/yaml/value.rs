//! The values of YAML's core schema.

use serde_json::Number;

use crate::instant::number::{parse, Parsed};

/// What an unquoted scalar means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Core {
    Null,
    Bool(bool),
    Number(Number),
    /// A number that JSON has not.
    Lost,
    Text,
}

const NULLS: [&str; 4] = ["~", "null", "Null", "NULL"];
const TRUE: [&str; 3] = ["true", "True", "TRUE"];
const FALSE: [&str; 3] = ["false", "False", "FALSE"];
const LOST: [&str; 12] = [
    ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN",
    ".NAN",
];

/// Reads a whole scalar.
pub(super) fn resolve(text: &str) -> Core {
    if text.is_empty() || NULLS.contains(&text) {
        return Core::Null;
    }
    if TRUE.contains(&text) || FALSE.contains(&text) {
        return Core::Bool(TRUE.contains(&text));
    }
    if LOST.contains(&text) {
        return Core::Lost;
    }
    let mut digits = Digits::default();
    digits.read(text);
    let based = |radix| {
        let digits = text.get(2..).unwrap_or_default();
        u64::from_str_radix(digits, radix).map_or(Core::Lost, |number| Core::Number(number.into()))
    };
    match digits {
        Digits::Hex => based(16),
        Digits::Octal => based(8),
        Digits::Zero | Digits::Whole | Digits::Dot | Digits::Fraction | Digits::Exponent => {
            match parse(text) {
                Parsed::Number(number) => Core::Number(number),
                Parsed::Overflow => Core::Lost,
                Parsed::Invalid => Core::Text,
            }
        }
        _ => Core::Text,
    }
}

/// Whether a text that begins so may still be something else than a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Typed {
    digits: Digits,
}

impl Typed {
    /// The scalar has grown by `piece` to `text`.
    pub(super) fn may_be(&mut self, piece: &str, text: &str) -> bool {
        self.digits.read(piece);
        let words = || NULLS.iter().chain(&TRUE).chain(&FALSE).chain(&LOST);
        self.digits != Digits::None || words().any(|word| word.starts_with(text))
    }
}

/// How far a number has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Digits {
    #[default]
    Start,
    Sign,
    /// A zero, after which a base may be named.
    Zero,
    Whole,
    /// A dot with nothing before it.
    Point,
    /// A dot after digits.
    Dot,
    Fraction,
    ExponentMark,
    ExponentSign,
    Exponent,
    HexMark,
    Hex,
    OctalMark,
    Octal,
    /// No number.
    None,
}

impl Digits {
    fn read(&mut self, piece: &str) {
        for letter in piece.chars() {
            *self = self.step(letter);
        }
    }

    fn step(self, letter: char) -> Self {
        match (self, letter) {
            (Self::Start, '+' | '-') => Self::Sign,
            (Self::Start, '0') => Self::Zero,
            (Self::Start | Self::Sign | Self::Zero | Self::Whole, '0'..='9') => Self::Whole,
            (Self::Start | Self::Sign, '.') => Self::Point,
            (Self::Zero | Self::Whole, '.') => Self::Dot,
            (Self::Point | Self::Dot | Self::Fraction, '0'..='9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Dot | Self::Fraction, 'e' | 'E') => {
                Self::ExponentMark
            }
            (Self::ExponentMark, '+' | '-') => Self::ExponentSign,
            (Self::ExponentMark | Self::ExponentSign | Self::Exponent, '0'..='9') => Self::Exponent,
            (Self::Zero, 'x') => Self::HexMark,
            (Self::HexMark | Self::Hex, '0'..='9' | 'a'..='f' | 'A'..='F') => Self::Hex,
            (Self::Zero, 'o') => Self::OctalMark,
            (Self::OctalMark | Self::Octal, '0'..='7') => Self::Octal,
            _ => Self::None,
        }
    }
}
