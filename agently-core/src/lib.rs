//! The engine of one model request: prompt slots and their rendering, the output schema, the
//! incremental parser, and the result that many readers share.
//!
//! It knows no runtime, no HTTP stack and no vendor's wire: it is given a
//! [`ModelProvider`](agently_api::model::ModelProvider) and a [`Runtime`](agently_api::rt::Runtime).

mod agent;
mod blocker;
mod error;
pub mod format;
pub mod instant;
mod nearest;
pub mod notation;
mod options;
pub mod prompt;
pub mod repair;
mod request;
mod result;
pub mod schema;
pub mod session;
pub mod settings;
pub mod typed;
mod validate;

pub use agent::Agent;
/// Makes a type an [output type](trait@Output), beside serde's `Deserialize`.
pub use agently_macros::Output;
pub use blocker::BlockingGenerator;
pub use error::{Error, ErrorKind, Result};
pub use format::Format;
pub use request::Request;
pub use result::{
    All, AnyEvent, Delta, EventName, Generator, GeneratorKind, Instant, ModelResult, Original,
    Piped, Specific, SpecificEvent,
};
pub use schema::Schema;
pub use session::{Session, Sessions};
pub use settings::Settings;
pub use typed::{FieldEvent, FieldEvents, FieldPath, Listener, Output, Provisional};
pub use validate::{Judgment, ValidationContext};
