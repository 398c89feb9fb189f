//! Numbers: what a source text means, and whether it is already JSON.

use serde_json::Number;

/// What the text of a number means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parsed {
    Number(Number),
    /// Beyond what an `f64` holds.
    Overflow,
    /// Not a number.
    Invalid,
}

/// The parts of a number, as they stand in its text.
struct Parts {
    /// A `+` in front.
    plus: bool,
    /// Digits before the dot, and whether they begin with a needless zero.
    whole: usize,
    padded: bool,
    dot: bool,
    fraction: usize,
    exponent: Option<usize>,
}

impl Parts {
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut at = 0;
        let digits = |at: &mut usize| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            *at - from
        };
        let sign = bytes.first().copied();
        if matches!(sign, Some(b'+' | b'-')) {
            at += 1;
        }
        let padded = bytes.get(at) == Some(&b'0');
        let whole = digits(&mut at);
        let dot = bytes.get(at) == Some(&b'.');
        let fraction = if dot {
            at += 1;
            digits(&mut at)
        } else {
            0
        };
        let exponent = if matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            if matches!(bytes.get(at), Some(b'+' | b'-')) {
                at += 1;
            }
            Some(digits(&mut at))
        } else {
            None
        };
        (at == bytes.len()).then_some(Self {
            plus: sign == Some(b'+'),
            padded: padded && whole > 1,
            whole,
            dot,
            fraction,
            exponent,
        })
    }

    /// A number as models write them: signs, zeros and dots as they like, but some digit.
    fn is_number(&self) -> bool {
        self.whole + self.fraction > 0 && self.exponent != Some(0)
    }

    fn is_json(&self) -> bool {
        self.is_number()
            && !self.plus
            && !self.padded
            && self.whole > 0
            && (!self.dot || self.fraction > 0)
    }
}

/// Reads a number: `i64`, then `u64`, else (always with a dot or an exponent) `f64`.
pub(crate) fn parse(text: &str) -> Parsed {
    if let Some(number) = short(text.as_bytes()) {
        return Parsed::Number(number.into());
    }
    let Some(parts) = Parts::of(text).filter(Parts::is_number) else {
        return Parsed::Invalid;
    };
    if !parts.dot && parts.exponent.is_none() {
        if let Ok(number) = text.parse::<i64>() {
            return Parsed::Number(number.into());
        }
        if let Ok(number) = text.parse::<u64>() {
            return Parsed::Number(number.into());
        }
    }
    match text.parse().map(Number::from_f64) {
        Ok(Some(number)) => Parsed::Number(number),
        Ok(None) => Parsed::Overflow,
        Err(_) => Parsed::Invalid,
    }
}

/// Whether the text is a number by the grammar of JSON itself.
pub(crate) fn is_json(text: &str) -> bool {
    Parts::of(text).is_some_and(|parts| parts.is_json())
}

/// The most usual kind: up to nine digits, nothing else.
fn short(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u32::from(byte - b'0'))
    })
}
