//! Typed output: a Rust type is the shape that is asked for, and the answer comes back as that type.
//!
//! ```
//! use agently_core::{FieldPath, Output};
//! use serde::Deserialize;
//!
//! /// A ticket of the help desk.
//! #[derive(Deserialize, Output)]
//! # #[output(crate = "agently_core")]
//! struct Ticket {
//!     /// What it is about, in one line
//!     #[output(max_len = 80)]
//!     title: String,
//!     /// How urgent it is
//!     priority: Priority,
//!     /// What has to be done
//!     #[output(not_empty)]
//!     steps: Vec<Step>,
//!     /// Whom it is for, if that is known
//!     assignee: Option<String>,
//! }
//!
//! #[derive(Deserialize, Output)]
//! # #[output(crate = "agently_core")]
//! #[serde(rename_all = "lowercase")]
//! enum Priority { Low, High }
//!
//! #[derive(Deserialize, Output)]
//! # #[output(crate = "agently_core")]
//! struct Step { what: String }
//!
//! let schema = Ticket::schema()?;
//! assert_eq!(
//!     schema.to_prompt_text(),
//!     r#"{ // A ticket of the help desk.
//!   "title": <string>, // What it is about, in one line (required, at most 80 characters)
//!   "priority": <"low" | "high">, // How urgent it is (required)
//!   "steps": [ // What has to be done (required, not empty)
//!     {
//!       "what": <string> // required
//!     },
//!     ...
//!   ],
//!   "assignee": <string> // Whom it is for, if that is known
//! }"#
//! );
//! assert_eq!(Ticket::paths().steps().each().what().wildcard(), "steps[*].what");
//! # Ok::<(), agently_core::schema::SchemaError>(())
//! ```
//!
//! With [`output_type`](crate::Request::output_type) the answer is read as that type before it is
//! accepted. What is no such value, lacks a field or breaks a limit is asked for again, with the
//! path and the reason; it is never handed out.

mod decode;
mod event;
mod events;
mod listener;
mod nesting;
mod path;
mod std_types;

use serde::de::DeserializeOwned;

pub(crate) use decode::{Misfit, Typed};
pub use event::{FieldEvent, Provisional};
pub use events::FieldEvents;
pub use listener::Listener;
pub use nesting::Nesting;
pub use path::{FieldPath, ListPath, MapPath, Steps, ValuePath};

use crate::schema::{Schema, SchemaBuilder, SchemaError};

/// A type that answers can be asked for as: derive it with `#[derive(Output)]`, beside serde's
/// `Deserialize`.
///
/// It is implemented for texts, numbers, booleans, [`serde_json::Value`], and for `Option`, `Box`,
/// lists, sets and maps (with `String` keys) of such types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no output type",
    label = "not an output type",
    note = "write `#[derive(serde::Deserialize, Output)]` on it",
    note = "tuples are none: name their parts in a struct; for any JSON take `serde_json::Value`"
)]
pub trait Output: DeserializeOwned + 'static {
    /// A way from an `R` to a place of this type, or to one that holds it, a `T`.
    type Path<R: Output, T: Output>: FieldPath<Root = R, Target = T>;

    /// What it looks like. `nesting` notices types that contain themselves.
    fn describe(nesting: &mut Nesting) -> SchemaBuilder;

    /// The schema of this type.
    ///
    /// # Errors
    ///
    /// The type contains itself, has a field twice (after `#[serde(flatten)]`), or is nested more
    /// than 128 levels deep.
    fn schema() -> Result<Schema, SchemaError> {
        Self::describe(&mut Nesting::default()).build()
    }

    /// The way to the whole answer, from which the ways to its fields go on.
    ///
    /// If your type has a `paths` of its own, write `<Ticket as Output>::paths()`.
    #[must_use]
    fn paths() -> Self::Path<Self, Self> {
        FieldPath::from_steps(Steps::default())
    }
}

/// What `#[derive(Output)]` expands to. Not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use std::clone::Clone;
    pub use std::convert::{From, Into};
    pub use std::fmt::{Debug, Formatter, Result};
    pub use std::marker::PhantomData;
    pub use std::option::Option;

    pub use super::std_types::{ListLike, MaybeEmpty, Numeric, Textual};
    pub use super::{FieldPath, Nesting, Output, Steps, ValuePath};
    pub use crate::schema::{Choice, Schema, SchemaBuilder, ValueType};

    /// Compiles for texts only.
    pub const fn textual<T: Textual + ?Sized>() {}
    /// Compiles for numbers only.
    pub const fn numeric<T: Numeric + ?Sized>() {}
    /// Compiles for lists only.
    pub const fn list_like<T: ListLike + ?Sized>() {}
    /// Compiles for what can be empty.
    pub const fn maybe_empty<T: MaybeEmpty + ?Sized>() {}
}
