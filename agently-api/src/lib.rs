//! Contracts of Agently: what a runtime, a model provider and a sink must do, and the data that
//! crosses between them.
//!
//! A provider author or a runtime author depends on this crate and on nothing else of Agently.
//! It knows no runtime, no HTTP stack and no engine.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rt`] | [`Executor`](rt::Executor), [`Clock`](rt::Clock), [`Connector`](rt::Connector), bundled as [`Runtime`](rt::Runtime) |
//! | [`model`] | [`ModelProvider`](model::ModelProvider), the request it takes and the events it streams |
//! | [`data`] | [`StreamingData`](data::StreamingData): one step of one field; [`ResultMeta`](data::ResultMeta) |
//! | [`sink`] | [`StreamSink`](sink::StreamSink): where streams can be sent, with adapters |
//! | [`error`] | [`ProviderError`](error::ProviderError) |
//! | [`secret`] | [`Secret`](secret::Secret): a string that is never printed |
//!
//! # Cancel safety
//!
//! "Cancel safe" in these docs means: the future may be dropped at any `.await`, nothing that was
//! already delivered is lost, and the operation may be started again. Dropping a future or a
//! stream is the only way to cancel, and it is always allowed.

pub mod data;
pub mod error;
pub mod model;
pub mod rt;
pub mod secret;
pub mod sink;

/// A boxed, sendable future: what object-safe traits return.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;
