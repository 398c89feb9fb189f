use std::fmt;

use agently_api::data::Node;
use regex_lite::Regex;
use serde_json::Number;

/// What a value must be like, beyond its type.
///
/// The model is told, and an answer that breaks a limit is refused. A limit is asked only of values
/// of its own kind (a length of texts, and so on), and never of null.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The fewest characters of a text.
    pub min_len: Option<usize>,
    /// The most characters of a text.
    pub max_len: Option<usize>,
    /// The fewest items of a list.
    pub min_items: Option<usize>,
    /// The most items of a list.
    pub max_items: Option<usize>,
    /// The smallest number.
    pub min: Option<Number>,
    /// The greatest number.
    pub max: Option<Number>,
    /// Whether there must be something in a text, a list or an object; blank text is nothing.
    pub not_empty: bool,
    /// The texts that are allowed; empty if any is.
    pub one_of: Vec<Choice>,
    /// What a text must look like.
    pub pattern: Option<Pattern>,
}

/// A text that is allowed, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The text.
    pub value: String,
    /// What it means, in words for the model.
    pub description: Option<String>,
}

impl Choice {
    /// A text that explains itself.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            description: None,
        }
    }

    /// Says what it means.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into()).filter(|text: &String| !text.trim().is_empty());
        self
    }
}

impl<T: Into<String>> From<T> for Choice {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// A regular expression that must match somewhere in a text: anchor it with `^` and `$` to speak
/// of the whole.
///
/// Matching takes time linear in the text. Look-around and back-references do not exist.
#[derive(Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads a regular expression.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn new(pattern: &str) -> Result<Self, String> {
        Regex::new(pattern)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it matches somewhere in `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.as_str()).finish()
    }
}

impl Limits {
    /// Whether anything goes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The limits in words, as in `at most 80 characters`; those that the shape itself shows are
    /// not among them.
    pub(super) fn words(&self) -> Vec<String> {
        let lengths = span(self.min_len.as_ref(), self.max_len.as_ref());
        let items = span(self.min_items.as_ref(), self.max_items.as_ref());
        let range = match (&self.min, &self.max) {
            (Some(min), Some(max)) => Some(format!("from {min} to {max}")),
            (Some(min), None) => Some(format!("at least {min}")),
            (None, Some(max)) => Some(format!("at most {max}")),
            (None, None) => None,
        };
        let pattern = self.pattern.as_ref();
        [
            self.not_empty.then(|| "not empty".to_owned()),
            lengths.map(|span| {
                format!(
                    "{span} {}",
                    plural(self.max_len.or(self.min_len), "character")
                )
            }),
            items.map(|span| {
                format!(
                    "{span} {}",
                    plural(self.max_items.or(self.min_items), "item")
                )
            }),
            range,
            pattern
                .map(|pattern| format!("must match the regular expression {}", pattern.as_str())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What this value breaks, as it follows the path in a sentence: `must have at most …`.
    ///
    /// It speaks of the value's measure and never quotes the value.
    pub(crate) fn broken_by(&self, value: &Node) -> Option<String> {
        match value {
            Node::Null | Node::Bool(_) => None,
            Node::String(text) => text.with_str(|text| self.broken_by_text(text)),
            Node::Number(number) => self.broken_by_number(number),
            Node::Array(items) => self.broken_by_list(items.len()),
            Node::Object(fields) => (self.not_empty && fields.is_empty()).then(empty),
        }
    }

    fn broken_by_text(&self, text: &str) -> Option<String> {
        if self.not_empty && text.trim().is_empty() {
            return Some(empty());
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|choice| choice.value == text) {
            return Some(format!("must be one of {}", self.choices(", ")));
        }
        if self.min_len.is_some() || self.max_len.is_some() {
            let length = text.chars().count();
            if let Some(fault) = outside(self.min_len, self.max_len, length, "character") {
                return Some(fault);
            }
        }
        let pattern = self.pattern.as_ref()?;
        (!pattern.matches(text))
            .then(|| format!("must match the regular expression {}", pattern.as_str()))
    }

    fn broken_by_number(&self, number: &Number) -> Option<String> {
        if let Some(min) = self.min.as_ref().filter(|min| less(number, min)) {
            return Some(format!("must be at least {min}, and is {number}"));
        }
        let max = self.max.as_ref().filter(|max| less(max, number))?;
        Some(format!("must be at most {max}, and is {number}"))
    }

    fn broken_by_list(&self, length: usize) -> Option<String> {
        if self.not_empty && length == 0 {
            return Some(empty());
        }
        outside(self.min_items, self.max_items, length, "item")
    }

    /// The allowed texts in quotes.
    pub(super) fn choices(&self, separator: &str) -> String {
        let quoted: Vec<String> = self
            .one_of
            .iter()
            .map(|choice| serde_json::Value::from(choice.value.as_str()).to_string())
            .collect();
        quoted.join(separator)
    }

    /// A fault of the limits themselves.
    pub(super) fn contradiction(&self) -> Option<String> {
        let crossed = |low: &dyn fmt::Display, high: &dyn fmt::Display| {
            format!("the smallest allowed, {low}, is more than the greatest, {high}")
        };
        for (low, high) in [
            (self.min_len, self.max_len),
            (self.min_items, self.max_items),
        ] {
            if let (Some(low), Some(high)) = (low, high) {
                if low > high {
                    return Some(crossed(&low, &high));
                }
            }
        }
        match (&self.min, &self.max) {
            (Some(min), Some(max)) if less(max, min) => Some(crossed(min, max)),
            _ => None,
        }
    }
}

fn empty() -> String {
    "must not be empty".to_owned()
}

/// `1 to 80`, `exactly 3`, `at least 1`, `at most 80`.
fn span(min: Option<&usize>, max: Option<&usize>) -> Option<String> {
    Some(match (min, max) {
        (Some(min), Some(max)) if min == max => format!("exactly {min}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => return None,
    })
}

fn plural(count: Option<usize>, unit: &str) -> String {
    match count {
        Some(1) => unit.to_owned(),
        _ => format!("{unit}s"),
    }
}

fn outside(min: Option<usize>, max: Option<usize>, found: usize, unit: &str) -> Option<String> {
    let inside = min.is_none_or(|min| min <= found) && max.is_none_or(|max| found <= max);
    if inside {
        return None;
    }
    let span = span(min.as_ref(), max.as_ref())?;
    let unit = plural(max.or(min), unit);
    Some(format!("must have {span} {unit}, and has {found}"))
}

/// Whether `left` is smaller; whole numbers are compared exactly.
fn less(left: &Number, right: &Number) -> bool {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left < right,
        _ => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => left < right,
            _ => false,
        },
    }
}
