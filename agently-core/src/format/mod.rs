//! How an answer is written: JSON, or a format that is easier on long texts.
//!
//! | [`Format`] | the answer | good for |
//! |---|---|---|
//! | `Json` | one JSON document | nested and typed data |
//! | `Hybrid` | a section `### name` a field; texts as they are, other values as JSON blocks | long texts beside typed data |
//! | `FlatMarkdown` | the same, texts only | long texts in Markdown |
//! | `XmlField` | `<field name="…" type="…">` elements, texts as they are | texts with headings, quotes, code |
//! | `YamlLiteral` | a YAML document, long texts as literal blocks | mostly flat data with some long texts |
//! | `Auto` | the one of `Json`, `Hybrid` and `XmlField` that fits the schema | not having to choose |
//!
//! Whatever the format, the events and the data are the same: paths, deltas that join to the value,
//! one completion a field. [`AnswerParser`] reads an answer, in the format that was asked for or,
//! with a warning, in another one that the model chose instead. It is synchronous, does no input or
//! output, and its work is linear in the text.

mod answer;
mod error;
mod fence;
mod header;
mod instructions;
mod json_field;
mod layout;
mod pen;
mod prose;
mod sections;
mod sniff;
mod tagged;
mod yaml;

use std::fmt;
use std::str::FromStr;

pub use answer::AnswerParser;
pub use error::FormatError;
pub(crate) use instructions::requirement;
pub use layout::Layout;

use crate::schema::{Schema, Shape, ValueType};

/// The format in which the model is asked to write its answer.
///
/// ```
/// use agently_core::format::Format;
/// use agently_core::output;
///
/// let schema = output!({ "story": (str, "A long text"), "tags": [str] });
/// assert_eq!(Format::Auto.resolve(&schema)?, Format::Hybrid);
/// assert_eq!("xml_field".parse::<Format>()?, Format::XmlField);
/// # Ok::<(), agently_core::format::FormatError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One JSON document: `json`.
    #[default]
    Json,
    /// A Markdown section a field, values that are no text as JSON blocks: `hybrid`.
    Hybrid,
    /// A Markdown section a field, texts only: `flat_markdown`.
    FlatMarkdown,
    /// An element a field: `xml_field`.
    XmlField,
    /// A YAML document, long texts as literal blocks: `yaml_literal`.
    YamlLiteral,
    /// What the schema calls for: `auto`.
    Auto,
}

impl Format {
    const ALL: [Self; 6] = [
        Self::Json,
        Self::Hybrid,
        Self::FlatMarkdown,
        Self::XmlField,
        Self::YamlLiteral,
        Self::Auto,
    ];

    /// The name, as in `flat_markdown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Hybrid => "hybrid",
            Self::FlatMarkdown => "flat_markdown",
            Self::XmlField => "xml_field",
            Self::YamlLiteral => "yaml_literal",
            Self::Auto => "auto",
        }
    }

    /// The format in which an answer of this shape is asked for, never [`Format::Auto`].
    ///
    /// `Auto` is `XmlField` if every field is a text, `Hybrid` if some are, else `Json`.
    ///
    /// # Errors
    ///
    /// [`FormatError`] if this format cannot hold an answer of this shape: all but `Json` need an
    /// object at the root, the ones with a mark a field need declared fields whose names can stand
    /// in that mark, and `FlatMarkdown` needs every field to be a text.
    pub fn resolve(self, schema: &Schema) -> Result<Self, FormatError> {
        match self {
            Self::Json => Ok(Self::Json),
            Self::Auto => Ok(auto(schema)),
            other => other.check(schema).map(|()| other),
        }
    }

    /// What an answer in this format is made of, for a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Json | Self::Auto => "JSON",
            Self::Hybrid | Self::FlatMarkdown => "Markdown",
            Self::XmlField => "XML",
            Self::YamlLiteral => "YAML",
        }
    }

    /// What the whole answer is, for a sentence.
    pub(crate) fn describe_root(self, schema: &Schema) -> &'static str {
        match self {
            Self::Json | Self::Auto => schema.describe_root(),
            Self::Hybrid | Self::FlatMarkdown => "a Markdown section `### name` for each field",
            Self::XmlField => "a `<field name=\"…\">` element for each field",
            Self::YamlLiteral => "a YAML document with the declared fields",
        }
    }

    fn check(self, schema: &Schema) -> Result<(), FormatError> {
        let Shape::Object(fields) = schema.shape() else {
            return Err(FormatError::new(format!(
                "the output format `{self}` needs an object at the root, but the schema is {}; \
                 use `json`, or put it into an object",
                schema.describe_root()
            )));
        };
        if self == Self::YamlLiteral {
            return Ok(());
        }
        if fields.is_empty() {
            return Err(FormatError::new(format!(
                "the output format `{self}` needs declared fields, but the schema is an open \
                 object; use `json`, or declare its fields"
            )));
        }
        for field in fields {
            if !self.can_mark(field.name()) {
                return Err(FormatError::new(format!(
                    "the field `{}` cannot be marked in the output format `{self}`; \
                     use `json`, or another name",
                    field.name().escape_debug()
                )));
            }
            if self == Self::FlatMarkdown && !is_text(field.schema()) {
                return Err(FormatError::new(format!(
                    "the output format `flat_markdown` holds texts only, but the field `{}` is \
                     none; use `hybrid` or `json`",
                    field.name()
                )));
            }
        }
        Ok(())
    }

    /// Whether the mark of a field can hold this name.
    fn can_mark(self, name: &str) -> bool {
        name == name.trim()
            && !name.is_empty()
            && !name.contains(|letter: char| letter.is_control())
            && (self != Self::XmlField || !name.contains(['"', '<', '>']))
    }
}

fn is_text(schema: &Schema) -> bool {
    matches!(schema.shape(), Shape::Leaf(ValueType::Str))
}

fn auto(schema: &Schema) -> Format {
    let fields = schema.fields();
    let texts = fields
        .iter()
        .filter(|field| is_text(field.schema()))
        .count();
    let format = if texts == 0 {
        Format::Json
    } else if texts == fields.len() {
        Format::XmlField
    } else {
        Format::Hybrid
    };
    if fields.iter().all(|field| format.can_mark(field.name())) {
        format
    } else {
        Format::Json
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    /// Reads a name, in any case, `-` for `_` if one likes.
    fn from_str(name: &str) -> Result<Self, FormatError> {
        let wanted = name.trim().to_ascii_lowercase().replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == wanted)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::as_str).join("`, `");
                FormatError::new(format!(
                    "`{}` is no output format; the formats are `{names}`",
                    name.escape_debug()
                ))
            })
    }
}
