use std::fmt;
use std::sync::Arc;

use crate::nearest::nearest;

/// The type of a leaf.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// A text: `str`.
    Str,
    /// A whole number: `int`.
    Int,
    /// A number with a fraction: `float`.
    Float,
    /// A number of either kind: `number`.
    Number,
    /// True or false: `bool`.
    Bool,
    /// Any JSON value: `any`.
    Any,
    /// Nothing but null: `null`.
    Null,
    /// A name of the author's, told to the model as it is and checked by nobody.
    Custom(Arc<str>),
}

/// What a type name stands for.
pub(super) enum Named {
    Leaf(ValueType),
    OpenObject,
    OpenList,
}

/// The names, each under its own spelling first. `agently-macros` reads the same ones.
const NAMES: [(&str, &[&str]); 9] = [
    ("str", &["string", "text"]),
    (
        "int",
        &[
            "integer", "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize",
        ],
    ),
    ("float", &["double", "f32", "f64"]),
    ("number", &[]),
    ("bool", &["boolean"]),
    ("any", &[]),
    ("null", &["none"]),
    ("object", &["dict"]),
    ("list", &["array"]),
];

/// The type of this name, in any case; `None` if it is not a known one.
pub(super) fn named(name: &str) -> Option<Named> {
    let name = name.trim().to_ascii_lowercase();
    let (own, _) = NAMES
        .iter()
        .find(|(own, others)| *own == name || others.contains(&name.as_str()))?;
    Some(match *own {
        "str" => Named::Leaf(ValueType::Str),
        "int" => Named::Leaf(ValueType::Int),
        "float" => Named::Leaf(ValueType::Float),
        "number" => Named::Leaf(ValueType::Number),
        "bool" => Named::Leaf(ValueType::Bool),
        "null" => Named::Leaf(ValueType::Null),
        "object" => Named::OpenObject,
        "list" => Named::OpenList,
        _ => Named::Leaf(ValueType::Any),
    })
}

/// The known name of which `name` is a slip of the pen.
///
/// One letter off is a slip in a long name and in `bool` (`bolean`, `sting`); in the other short
/// ones only two swapped letters are (`srt`), because `set`, `uint` or `note` may well be meant.
pub(super) fn misspelt(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    let all = NAMES
        .iter()
        .flat_map(|(own, others)| std::iter::once(*own).chain(others.iter().copied()))
        .filter(|known| known.chars().all(|letter| letter.is_ascii_alphabetic()));
    nearest(&name, all, 1)
        .filter(|known| known.len() >= 5 || *known == "bool" || same_letters(known, &name))
}

fn same_letters(a: &str, b: &str) -> bool {
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(a) == sorted(b)
}

impl ValueType {
    /// The name in the portable spelling, as in `str`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Any => "any",
            Self::Null => "null",
            Self::Custom(name) => name,
        }
    }

    /// JSON Schema's name for it, if it has one.
    pub(super) fn json_type(&self) -> Option<&'static str> {
        match self {
            Self::Str => Some("string"),
            Self::Int => Some("integer"),
            Self::Float | Self::Number => Some("number"),
            Self::Bool => Some("boolean"),
            Self::Null => Some("null"),
            Self::Any | Self::Custom(_) => None,
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
