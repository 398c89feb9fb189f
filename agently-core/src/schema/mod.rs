//! The output schema: which fields the answer has, in which order, and which of them must be there.
//!
//! A [`Schema`] is written with [`output!`](crate::output), read from a JSON or YAML value with
//! [`Schema::from_value`], or built step by step from [`Schema::object`]. All three say the same:
//!
//! ```
//! use agently_core::output;
//! use agently_core::schema::Schema;
//! use serde_json::json;
//!
//! let written = output!({ "title": (str, "Title", true), "items": [(str, "Bullet point")] });
//! let read = Schema::from_value(&json!({
//!     "title": ["str", "Title", true],
//!     "items": [["str", "Bullet point"]],
//! }))?;
//! let built = Schema::object()
//!     .field("title", Schema::str("Title").required())
//!     .field("items", Schema::list(Schema::str("Bullet point")))
//!     .build()?;
//! assert_eq!(written, read);
//! assert_eq!(written, built);
//! # Ok::<(), agently_core::schema::SchemaError>(())
//! ```
//!
//! # Spelling as a value
//!
//! | written | means |
//! |---|---|
//! | `{"title": …, "items": …}` | an object with these fields, in this order |
//! | `{}` | an object with any fields |
//! | `[["str", "Bullet point"]]` | a list; its one element is the shape of every item |
//! | `[]` | a list of anything |
//! | `["str"]`, `["str", "Title"]`, `["str", "Title", true]` | a leaf: type, description, ensure |
//! | `"int"` | a leaf of that type, because `int` is a type name |
//! | `"What it is about"` | a text described so, because that is no type name |
//! | `null` | a leaf of any type: nothing was said about it |
//! | `{"$type": …, "$desc": "…", "$ensure": true}` | the same in a long form, which lists and objects have too |
//! | `{"$type": "str", "$max_len": 80}` | the same with [limits](#limits) |
//!
//! An array whose first element is a string is a leaf, any other array a list. The third part,
//! ensure, is `true` (the field must be there), `"not_null"` (it must be there and not be empty)
//! or `false`.
//!
//! Types are `str`, `int`, `float`, `number`, `bool`, `any` and `null`, with the usual other names
//! (`string`, `integer`, `boolean`, …) in any case, and `object` and `list` for open ones. Any
//! other name is a [hint](ValueType::Custom) that is told to the model and checked by nobody, as in
//! `["date (YYYY-MM-DD)", "When it is due"]`; one that is only a slip of the pen away from a known
//! name is a fault. Field names are not empty, and do not start with `$`.
//!
//! # Limits
//!
//! The long form may also say what a value must be like. The model is told, and an answer that
//! breaks a limit is refused.
//!
//! | key | of | means |
//! |---|---|---|
//! | `$min_len`, `$max_len` | texts | how many characters |
//! | `$pattern` | texts | a regular expression that must match somewhere in it |
//! | `$one_of` | texts | the texts that are allowed; `["low", "it can wait"]` explains one |
//! | `$min`, `$max` | numbers | the smallest and the greatest |
//! | `$min_items`, `$max_items` | lists | how many items |
//! | `$not_empty` | texts, lists, objects | `true`: there must be something in it |
//! | `$optional` | all | `true`: it may be missing or null, and then nothing below it is asked for; `"not_null"`: it may be missing but not null |
//! | `$values` | open objects | the shape of each value |

mod build;
mod describe;
mod ensure;
mod error;
mod json_schema;
mod limits;
mod parse;
mod parse_limits;
mod refine;
mod tree;
mod value_type;
mod write;

pub use build::SchemaBuilder;
pub use ensure::{Ensure, EnsureRule, EnsureStep};
pub use error::{SchemaError, SchemaErrorKind};
pub use limits::{Choice, Limits, Pattern};
pub use tree::{Field, Schema, Shape};
pub use value_type::ValueType;

pub(crate) use describe::{is_long, Marks};
pub(crate) use ensure::wildcard_path;

/// How deep a schema may be: as deep as an answer that is read.
const MAX_DEPTH: usize = 128;

/// Writes an output [`Schema`] in place; what is wrong with it does not compile.
///
/// ```
/// use agently_core::output;
///
/// let schema = output!({
///     "title": (str, "Title", true),
///     "items": [(str, "Bullet point", true)],
///     "meta": { "score": float, "note": "What else is worth saying" },
///     "open": {},
/// });
/// assert_eq!(schema.fields().len(), 4);
/// ```
///
/// - `{ "key": …, key: … }` is an object, its keys strings or plain names; `{}` an open one.
/// - `[…]` is a list, with the shape of one item in it; `[]` an open one.
/// - `(type, "description", ensure)` is a leaf; description and ensure may be left off. Ensure is
///   `true` (must be there), `"not_null"` (must be there and not be empty) or `false`. An object or
///   a list may stand in the place of the type, to be described and required itself.
/// - `type` alone is a leaf without description, `"description"` alone is a described text.
///
/// Types are `str`, `int`, `float`, `number`, `bool`, `any`, `null`, `object` and `list`, and
/// Rust's own names for them. Any other is written in quotes, as a hint for the model:
/// `("date", "When it is due")`.
#[macro_export]
macro_rules! output {
    ($($schema:tt)*) => {
        $crate::schema::__private::__output!(($crate) $($schema)*)
    };
}

/// What [`output!`](crate::output) expands to. Not part of the interface.
#[doc(hidden)]
pub mod __private {
    use super::Shape;

    pub use agently_macros::__output;
    pub use std::option::Option;

    pub use super::{Ensure, Schema, ValueType};

    // The macro has checked names and depth, so nothing can fail here.

    #[must_use]
    pub fn object<const N: usize>(fields: [(&str, Schema); N]) -> Schema {
        let fields = fields
            .into_iter()
            .map(|(name, schema)| super::Field::new(name, schema));
        Schema::new(Shape::Object(fields.collect()))
    }

    #[must_use]
    pub fn list(item: Option<Schema>) -> Schema {
        Schema::new(Shape::List(item))
    }

    #[must_use]
    pub fn leaf(value_type: ValueType) -> Schema {
        Schema::new(Shape::Leaf(value_type))
    }

    #[must_use]
    pub fn custom(name: &str) -> ValueType {
        ValueType::Custom(name.into())
    }

    #[must_use]
    pub fn with(schema: Schema, description: Option<&str>, ensure: Ensure) -> Schema {
        schema.with(description.map(Into::into), ensure)
    }
}
