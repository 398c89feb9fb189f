//! What most programs need: `use agently::prelude::*;`
//!
//! [`Result`](crate::Result) and [`Error`](crate::Error) are not here, so that they do not shadow
//! your own.

#[cfg(feature = "macros")]
pub use agently_core::output;
pub use futures_util::StreamExt;
pub use serde_json::json;

pub use crate::types::data::StreamingData;
pub use crate::types::model::ModelProvider;
pub use crate::{
    Agent, Agently, All, AnyEvent, Delta, ErrorKind, EventName, FieldEvent, FieldPath, Format,
    Instant, Judgment, Listener, ModelResult, Original, Output, Request, Schema, Session, Settings,
    Specific, SpecificEvent,
};
