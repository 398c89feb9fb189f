#![doc = include_str!("../README.md")]

mod builder;
mod defaults;
#[cfg(feature = "openai")]
mod open_ai_settings;
pub mod prelude;
mod sources;
pub mod types;

// Without the feature the trait is there, and only the derive of the same name is not.
#[cfg(not(feature = "macros"))]
pub use agently_core::typed::Output;
#[cfg(feature = "macros")]
pub use agently_core::{output, Output};
pub use agently_core::{
    Agent, All, AnyEvent, BlockingGenerator, Delta, Error, ErrorKind, EventName, FieldEvent,
    FieldEvents, FieldPath, Format, Generator, GeneratorKind, Instant, Judgment, Listener,
    ModelResult, Original, Piped, Provisional, Request, Result, Schema, Session, Sessions,
    Settings, Specific, SpecificEvent, ValidationContext,
};
pub use builder::{Agently, AgentlyBuilder};
#[cfg(feature = "openai")]
pub use open_ai_settings::OpenAiSettings;
pub use types::data::StreamingData;

/// The pages under `docs/`, whose examples are tests.
#[cfg(all(doctest, feature = "mock", feature = "macros"))]
mod pages {
    #[doc = include_str!("../docs/settings.md")]
    mod settings {}

    #[doc = include_str!("../docs/sessions.md")]
    mod sessions {}
}

pub use agently_api as api;
/// The engine, for those who assemble agents themselves.
pub use agently_core as engine;

/// The smol runtime: `agently::smol::runtime()`.
#[cfg(feature = "smol")]
pub use agently_backend_smol as smol;
/// The tokio runtime: `agently::tokio::runtime()`.
#[cfg(feature = "tokio")]
pub use agently_backend_tokio as tokio;
/// TriggerFlow: event-driven flows that pause, resume and are saved.
///
/// A flow is given its runtime with [`with_runtime`](agently_flow::TriggerFlow::with_runtime); that
/// of an [`Agently`] is at [`Agently::runtime`].
#[cfg(feature = "flow")]
pub use agently_flow as flow;
/// Scripted models, cassettes and the loopback server.
#[cfg(feature = "mock")]
pub use agently_provider_mock as mock;
/// OpenAI-compatible servers.
#[cfg(feature = "openai")]
pub use agently_provider_openai as openai;
