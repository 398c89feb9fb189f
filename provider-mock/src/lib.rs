//! Models that are not there: for tests, examples and recordings.
//!
//! | type | what it is |
//! |---|---|
//! | [`MockProvider`] | a [`ModelProvider`](agently_api::model::ModelProvider) that answers from a script, on the runtime's clock |
//! | [`MockServer`] | a loopback HTTP server that speaks the chat-completions wire, and misbehaves on demand |
//! | [`cassette`] | a real conversation, recorded once and replayed without a network |
//!
//! Provider and server are scripted with the same [`Reply`]; the server also takes a
//! [`WireReply`], down to single bytes, and words its answers as one of several servers does
//! ([`Dialect`]).
//!
//! # Testing an application offline
//!
//! Code that talks to a model takes a provider. Its test hands it a mock, and asks the mock
//! afterwards what it was asked:
//!
//! ```
//! use agently_api::error::ProviderError;
//! use agently_api::model::{CallContext, Message, ModelEvent, ModelProvider, ModelRequest};
//! use agently_api::rt::Runtime;
//! use agently_provider_mock::{MockProvider, Reply};
//! use futures_util::StreamExt;
//!
//! /// The application: it knows nothing of mocks.
//! async fn name_a_ship(
//!     model: &dyn ModelProvider,
//!     runtime: &Runtime,
//! ) -> Result<String, ProviderError> {
//!     let request = ModelRequest::new(vec![Message::user("Name a ship.")]);
//!     let context = CallContext::new(runtime.clone());
//!     let mut answer = model.stream(request, context).await?;
//!     let mut name = String::new();
//!     while let Some(event) = answer.next().await {
//!         if let ModelEvent::TextDelta(text) = event? {
//!             name += &text;
//!         }
//!     }
//!     Ok(name)
//! }
//!
//! // Its test.
//! # async fn test(runtime: Runtime) -> Result<(), ProviderError> {
//! let model = MockProvider::new().reply(Reply::text("Beagle").chunked(3));
//! assert_eq!(name_a_ship(&model, &runtime).await?, "Beagle");
//! assert_eq!(model.requests()[0].messages[0].text(), "Name a ship.");
//! assert_eq!(model.active(), 0);
//! # Ok(()) }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = agently_backend_tokio::runtime()?;
//! # runtime.block_on(test(runtime.clone()))??;
//! # Ok(()) }
//! ```
//!
//! # Time
//!
//! The provider and the cassettes wait on the clock of the call's runtime and nowhere else. On a
//! runtime of virtual time, event `i` of `Reply::deltas([…]).delay(second)` comes at second `i`
//! exactly, and an hour of silence costs nothing. The server's client is in the world, so the
//! server waits in real time.

mod calls;
pub mod cassette;
mod playback;
mod provider;
mod redaction;
mod reply;
mod script;
mod server;

pub use provider::MockProvider;
pub use reply::{Dialect, Reply};
pub use server::{MockServer, MockServerBuilder, RecordedRequest, WireReply};
