//! What the parser needs to know of a schema.

use crate::instant::{ItemShape, RootShape};
use crate::schema::{Schema, Shape, ValueType};

/// Where the document of this schema starts.
pub(super) fn root_shape(schema: &Schema) -> RootShape {
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
