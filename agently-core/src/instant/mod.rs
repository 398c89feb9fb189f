//! Fields of a structured answer, while the model is still writing it.
//!
//! Everything here is synchronous and does no input or output: text goes in, events come out, and
//! the work is linear in the text, however it is cut into pieces.
//!
//! | layer | takes | gives |
//! |---|---|---|
//! | [`ThinkSplitter`] | the provider's text deltas | reasoning and answer text |
//! | [`FieldParser`] | answer text | owned [`StreamingData`](agently_api::data::StreamingData) and a [`Document`] |
//! | [`FieldScanner`] | answer text | borrowed events, without owned values |
//! | [`Tokenizer`] | the document alone | tokens |
//!
//! `FieldParser` and `FieldScanner` find the document in the text themselves, guided by the
//! [`RootShape`] of the output schema.

mod document;
mod escape;
mod gap;
pub(crate) mod locate;
pub(crate) mod number;
mod parser;
mod path;
pub(crate) mod reconcile;
mod scanner;
mod shape;
mod think;
mod tokenizer;
pub(crate) mod tree;
mod word;

pub use document::{Document, DocumentState};
pub(crate) use locate::{Found, Search};
pub use parser::FieldParser;
pub use path::{FieldPath, SegmentRef};
pub use reconcile::reconcile;
pub use scanner::{FieldScanner, FieldVisitor, ValueRef};
pub use shape::{ItemShape, RootShape};
pub use think::{Split, ThinkSplitter};
pub use tokenizer::{Ending, Fault, TokenVisitor, Tokenizer};
