use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use super::ensure::wildcard_path;
use super::EnsureStep;

/// An output schema is wrong.
///
/// `Display` says where, what is wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    kind: SchemaErrorKind,
    path: String,
    message: String,
}

/// The kinds of [`SchemaError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaErrorKind {
    /// A type name is misspelt or empty.
    Type,
    /// A description is not a text.
    Description,
    /// The third part is none of `true`, `false` and `"not_null"`.
    Ensure,
    /// A field's name is empty, given twice, or starts with `$`.
    Name,
    /// A value cannot be a schema: a number, a leaf of four parts, a list of two shapes.
    Form,
    /// The schema is nested too deeply.
    Depth,
    /// A limit cannot be read, or contradicts another.
    Limit,
    /// A Rust type contains itself.
    Recursion,
}

impl SchemaError {
    pub(super) fn new(
        kind: SchemaErrorKind,
        steps: &[EnsureStep],
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            path: wildcard_path(steps),
            message: message.into(),
        }
    }

    /// Which kind of fault this is.
    #[must_use]
    pub fn kind(&self) -> SchemaErrorKind {
        self.kind
    }

    /// Where the fault is, as in `sections[*].body`; empty for the whole schema.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong and what to write instead, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the output schema is wrong ")?;
        if self.path.is_empty() {
            f.write_str("at its root: ")?;
        } else {
            write!(f, "at `{}`: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl Error for SchemaError {}

impl From<Infallible> for SchemaError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
