use std::sync::Arc;

use super::{Format, FormatError};
use crate::instant::{ItemShape, RootShape};
use crate::schema::{Schema, Shape, ValueType};

/// The format of one request's answer and what of the schema is needed to read it: a cheap clone.
#[derive(Clone, Debug)]
pub struct Layout {
    format: Format,
    shape: RootShape,
    fields: Arc<[FieldRule]>,
    longest_name: usize,
}

/// A top-level field.
#[derive(Clone, Debug)]
pub(super) struct FieldRule {
    pub(super) name: Arc<str>,
    pub(super) kind: FieldKind,
}

/// How the value of a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// As it is.
    Text,
    /// As JSON.
    Json,
    /// As JSON, unless the answer says that it is text.
    Either,
}

impl FieldKind {
    fn of(schema: &Schema) -> Self {
        match schema.shape() {
            Shape::Leaf(ValueType::Str) => Self::Text,
            Shape::Leaf(ValueType::Any | ValueType::Custom(_)) => Self::Either,
            _ => Self::Json,
        }
    }

    /// Without a word in the answer about it.
    pub(super) fn or_json(self) -> Self {
        match self {
            Self::Text => Self::Text,
            Self::Json | Self::Either => Self::Json,
        }
    }

    /// With the name of a type in the answer.
    pub(super) fn tagged(self, tag: &str) -> Self {
        let tag = tag.trim();
        let says_text = ["text", "str", "string", "markdown"]
            .iter()
            .any(|name| tag.eq_ignore_ascii_case(name));
        match self {
            Self::Either if says_text => Self::Text,
            other => other.or_json(),
        }
    }
}

impl Layout {
    /// The layout of an answer of this shape in this format, which is resolved first.
    ///
    /// # Errors
    ///
    /// As [`Format::resolve`].
    pub fn new(format: Format, schema: &Schema) -> Result<Self, FormatError> {
        let fields: Arc<[FieldRule]> = schema
            .fields()
            .iter()
            .map(|field| FieldRule {
                name: field.name().into(),
                kind: FieldKind::of(field.schema()),
            })
            .collect();
        Ok(Self {
            format: format.resolve(schema)?,
            shape: root_shape(schema),
            longest_name: fields.iter().map(|rule| rule.name.len()).max().unwrap_or(0),
            fields,
        })
    }

    /// The layout of an answer without a schema.
    #[must_use]
    pub fn open() -> Self {
        Self {
            format: Format::Json,
            shape: RootShape::Open,
            fields: Arc::new([]),
            longest_name: 0,
        }
    }

    /// The format that is asked for, never [`Format::Auto`].
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    pub(super) fn shape(&self) -> &RootShape {
        &self.shape
    }

    pub(super) fn fields(&self) -> &[FieldRule] {
        &self.fields
    }

    pub(super) fn find(&self, name: &str) -> Option<(usize, &FieldRule)> {
        let mut fields = self.fields.iter().enumerate();
        fields.find(|(_, rule)| *rule.name == *name)
    }

    pub(super) fn name(&self, field: usize) -> &str {
        self.fields.get(field).map_or("", |rule| &rule.name)
    }

    pub(super) fn longest_name(&self) -> usize {
        self.longest_name
    }
}

/// Where the document of this schema starts.
fn root_shape(schema: &Schema) -> RootShape {
    match schema.shape() {
        Shape::Object(fields) => RootShape::object(fields.iter().map(|field| field.name())),
        Shape::List(item) => RootShape::list(item.as_ref().map_or(ItemShape::ANY, item_shape)),
        Shape::Leaf(_) => RootShape::Open,
    }
}

fn item_shape(item: &Schema) -> ItemShape {
    match item.shape() {
        Shape::Object(_) => ItemShape::OBJECT,
        Shape::List(_) => ItemShape::LIST,
        Shape::Leaf(leaf) => match leaf {
            ValueType::Str => ItemShape::STRING,
            ValueType::Int | ValueType::Float | ValueType::Number => ItemShape::NUMBER,
            ValueType::Bool => ItemShape::BOOLEAN,
            ValueType::Null => ItemShape::NULL,
            ValueType::Any | ValueType::Custom(_) => ItemShape::ANY,
        },
    }
}
