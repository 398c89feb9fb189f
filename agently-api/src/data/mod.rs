//! The data that readers get: one step of one field, its path and value, and what is known about
//! the whole call.

mod delta_text;
mod meta;
mod path;
mod status;
mod streaming;
mod value;

pub use delta_text::DeltaText;
pub use meta::{AttemptMeta, ResultMeta, Timings, Warning, WarningKind};
pub use path::{Path, Segment};
pub use status::{AttemptState, AttemptStatus};
pub use streaming::{CompletionSource, EventType, StreamingData};
pub use value::{Node, TextView, ValueView};
