//! Cassettes: a real conversation with a model, recorded once, replayed without a network.
//!
//! [`Recorder`] wraps any [`ModelProvider`](agently_api::model::ModelProvider) and writes what it
//! is asked and what it answers to a file; [`Cassette::load`] reads the file, and its [`Player`] is
//! a provider that answers from it. The events that are replayed are those that were recorded, one
//! for one.
//!
//! # What is recorded
//!
//! The request as it crosses the provider seam (messages, model, tools, output contract, options),
//! every event of the answer and its time, and errors with their words. HTTP headers are no part
//! of that seam, so keys of the usual kind never come near a cassette. Beyond that,
//!
//! - the values of options whose name says that they are secret (`api_key`, `password`,
//!   `session_token` and the like), and all values below one named `headers`, are replaced by
//!   `[redacted]`;
//! - user information, query and fragment of URLs in options and of images are replaced likewise,
//!   because signed links carry their key there;
//! - [`Recorder::redact_request`] and [`Recorder::redact_event`] take a function for the rest.
//!
//! **Prompts and answers are recorded in full.** Look at a cassette before you publish it.
//!
//! # The file
//!
//! JSON lines, in UTF-8. The first line says what the file is:
//!
//! ```json
//! {"format":"agently-cassette","version":1,"provider":"openai","capabilities":{"images":true,"tools":true,"json_schema":true,"json_object":true}}
//! ```
//!
//! Each further line is one call, in the order in which the calls were made:
//!
//! | field | what it holds |
//! |---|---|
//! | `request` | `messages`, `model`, `tools`, `output`, `options`, `stream` |
//! | `failure` | the error, if the call itself failed; there are no events then |
//! | `events` | one object an event: `at_us` (whole microseconds from the call), `type` (`started`, `text`, `reasoning`, `refusal`, `tool_call`, `usage`, `finish`, `raw`, `warning`, `error`), and the fields of that type |
//! | `end` | `complete`; or `dropped`, if the reader left before the end |
//! | `end_at_us` | when it was over |
//!
//! A file of another version is refused, never guessed at.

mod error;
mod player;
mod recorder;
mod stored;
mod stored_error;
mod stored_request;
mod tape;

pub use error::{CassetteError, CassetteErrorKind};
pub use player::{Cassette, Matching, Player, Timing};
pub use recorder::Recorder;
