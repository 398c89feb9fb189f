//! Numbers and literals, in the stream parser's dialect.

use agently_api::data::CompletionSource;
use serde_json::Number;

use super::glyph::is_bare;
use super::plan::Scalar;
use crate::instant::{Ending, TokenVisitor, Tokenizer};

/// A number or literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) end: usize,
    pub(super) kind: Scalar,
}

const LITERALS: [(&str, Scalar); 7] = [
    ("undefined", Scalar::Null),
    ("infinity", Scalar::Null),
    ("false", Scalar::Bool),
    ("true", Scalar::Bool),
    ("null", Scalar::Null),
    ("none", Scalar::Null),
    ("nan", Scalar::Null),
];

/// Reads the number or literal at this byte. Letters may follow it directly only if they are a
/// literal again, or `is_key` knows the word they make.
pub(super) fn read(text: &str, at: usize, is_key: impl Fn(&str) -> bool) -> Option<Plain> {
    let rest = text.get(at..)?;
    let unsigned = rest.trim_start_matches(['+', '-']);
    let sign = rest.len() - unsigned.len();
    let (length, kind) = if unsigned.starts_with(|next: char| next.is_ascii_alphabetic()) {
        let (word, kind) = literal(unsigned)?;
        let signed = matches!(word, "infinity" | "nan") && sign == 1;
        (sign == 0 || signed).then_some((sign + word.len(), kind))?
    } else {
        let length = rest.find(|next: char| !next.is_ascii_digit() && !"+-.eE".contains(next));
        let number = rest.get(..length.unwrap_or(rest.len()))?;
        (number.len(), kind_of(number)?)
    };
    let follows = rest.get(length..)?;
    let word = follows
        .find(|next| !is_bare(next))
        .map_or(follows, |end| follows.get(..end).unwrap_or_default());
    let whole = word.is_empty() || is_key(word) || literal(follows).is_some();
    whole.then_some(Plain {
        end: at + length,
        kind,
    })
}

/// The literal with which the text begins.
fn literal(text: &str) -> Option<(&'static str, Scalar)> {
    LITERALS.into_iter().find(|(word, _)| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}

/// Whether the text is a number by the grammar of JSON itself.
pub(super) fn is_json_number(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// What the stream parser makes of a number; an overflow is null.
fn kind_of(text: &str) -> Option<Scalar> {
    #[derive(Default)]
    struct Seen(Option<Scalar>);
    impl TokenVisitor for Seen {
        fn number(&mut self, _: &str, _: &Number, _: CompletionSource) {
            self.0 = Some(Scalar::Number);
        }
        fn null(&mut self, _: CompletionSource) {
            self.0 = Some(Scalar::Null);
        }
    }
    let mut seen = Seen::default();
    let mut tokenizer = Tokenizer::new();
    for piece in ["[", text, "]"] {
        tokenizer.push(piece, &mut seen);
    }
    match tokenizer.finish(&mut seen) {
        Ending::Complete { .. } => seen.0,
        _ => None,
    }
}
