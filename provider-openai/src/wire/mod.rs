//! The wire format, without I/O: request bodies out, answers in.
//!
//! | item | what it does |
//! |---|---|
//! | [`body`] | a [`ModelRequest`](agently_api::model::ModelRequest) as the JSON that goes out |
//! | [`BodyDecoder`] | bytes of a response body in, [`ModelEvent`](agently_api::model::ModelEvent)s out |
//! | [`ChunkDecoder`] | the same for payloads that are framed already |
//! | [`ErrorObject`], [`StatusReply`] | what a server's error means |
//! | [`Redactor`] | keeps keys and prompts out of error messages |

mod answer;
mod channel;
mod decode;
mod echo;
mod error;
mod error_body;
mod irregular;
mod lenient;
mod redact;
mod request;
mod response;
mod shape;
mod snapshot;
mod surrogate;
mod tool_calls;
mod unescape;

pub use answer::{BodyDecoder, BodyFormat};
pub use decode::ChunkDecoder;
pub use error::{ErrorObject, StatusReply};
pub use redact::Redactor;
pub use request::{body, BodyOptions};

pub(crate) use shape::Shape;

/// How answers are decoded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DecodeOptions {
    /// Takes a stream that just ends for a whole answer. Off: it is a cut-off one.
    pub accept_eof: bool,
    /// Deltas repeat the whole text so far. Off, since equal deltas are legal.
    pub cumulative_deltas: bool,
    /// Skips events that are no JSON, with a warning. Off: they are errors.
    pub skip_malformed_events: bool,
    /// Gives out every event as it came, too.
    pub raw_events: bool,
    /// Whether a stream was asked for: a whole answer then gets a warning.
    pub streaming: bool,
    /// The most tool calls of an answer. 128.
    pub max_tool_calls: usize,
    /// The most bytes of tool call arguments of an answer. 16 MiB.
    pub max_tool_argument_bytes: usize,
    /// The most choices that an answer may name. 128.
    pub max_choices: u64,
    /// The most bytes of one event. 16 MiB.
    pub max_event_bytes: usize,
    /// The most bytes of an answer that comes as one piece. 256 MiB.
    pub max_answer_bytes: usize,
    /// Makes the ids of tool calls that came without one; another one for each call keeps them
    /// apart in a conversation.
    pub call_id_seed: u64,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            accept_eof: false,
            cumulative_deltas: false,
            skip_malformed_events: false,
            raw_events: false,
            streaming: true,
            max_tool_calls: 128,
            max_tool_argument_bytes: 16 * 1024 * 1024,
            max_choices: 128,
            max_event_bytes: 16 * 1024 * 1024,
            max_answer_bytes: 256 * 1024 * 1024,
            call_id_seed: 0,
        }
    }
}
