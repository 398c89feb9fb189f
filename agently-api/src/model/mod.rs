//! The provider seam: what a model is asked, what it streams back, and the trait between them.

mod event;
mod message;
mod provider;
mod request;
mod usage;

pub use event::{FinishReason, ModelEvent, RawEvent, ResponseInfo, ToolCallDelta};
pub use message::{ImageDetail, ImageSource, Message, Part, Role, ToolCall};
pub use provider::{CallContext, Capabilities, EventStream, ModelProvider};
pub use request::{ModelRequest, OutputContract, ToolSpec};
pub use usage::Usage;
