//! OpenAI-compatible chat completions for Agently: OpenAI itself, vLLM, Ollama, DeepSeek,
//! llama.cpp, and the many other servers and routers that speak this format, each a little
//! differently.
//!
//! ```no_run
//! use agently_api::model::{CallContext, Message, ModelEvent, ModelProvider, ModelRequest};
//! use agently_provider_openai::OpenAi;
//! use futures_util::StreamExt;
//!
//! # async fn demo(runtime: agently_api::rt::Runtime) -> Result<(), agently_api::error::ProviderError> {
//! let provider = OpenAi::builder()
//!     .base_url("http://localhost:11434/v1")
//!     .model("llama3.2")
//!     .build()?;
//! let request = ModelRequest::new(vec![Message::user("Say hello.")]);
//! let mut answer = provider.stream(request, CallContext::new(runtime)).await?;
//! while let Some(event) = answer.next().await {
//!     if let ModelEvent::TextDelta(text) = event? {
//!         println!("{text}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is read leniently, and what is not
//!
//! Fields may be missing, `null` or of another type; errors come in five forms; tool calls come
//! without ids; all that is read as it was meant, with a warning where a careful caller may want to
//! know. An answer that was cut off is never reported as a whole one. The [`wire`] module does this
//! without I/O and can be used by itself.
//!
//! Data that has no place in the events, as the results of a content filter, is not lost, but only
//! to be had raw: see [`raw_events`](agently_api::model::CallContext::raw_events).
//!
//! # Retries
//!
//! Two more tries by default, after up to 0.5 s and 1 s of random wait, or what the server asks for
//! in `Retry-After`; only while nothing of the answer has been handed out. The tries that failed
//! are listed in the error. All calls of a provider share one [`RetryBudget`], so that a server that
//! is down is not drowned; waits that the server itself asked for are not charged to it.

mod builder;
mod client;
mod credential;
mod endpoint;
mod refusal;
mod retry;
mod stream;
pub mod wire;

pub use agently_http::retry::{RetryBudget, RetryPolicy};
pub use agently_http::{Limits, ProxyConfig, Timeouts};
pub use builder::OpenAiBuilder;
pub use client::OpenAi;
