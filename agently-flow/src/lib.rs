//! TriggerFlow: event-driven flows that pause, resume and are saved.
//!
//! A [flow](TriggerFlow) is a definition: chunks, which are named async functions, wired by
//! operators. An [execution](Execution) is one run of it. Values are JSON; live objects are
//! resources. Flows run on any async runtime, and need no model.
//!
//! ```
//! use agently_flow::{Condition, ChunkResult, FlowData, TriggerFlow};
//!
//! async fn split(data: FlowData) -> ChunkResult<Vec<String>> {
//!     let text: String = data.input()?;
//!     Ok(text.split(' ').map(str::to_owned).collect())
//! }
//!
//! async fn shout(data: FlowData) -> ChunkResult<String> {
//!     Ok(data.input::<String>()?.to_uppercase())
//! }
//!
//! async fn store(data: FlowData) -> ChunkResult<()> {
//!     data.async_set_state("words", data.value()).await?;
//!     Ok(())
//! }
//!
//! let flow = TriggerFlow::new("shout");
//! flow.to(split)
//!     .for_each(4)
//!     .if_condition(Condition::input(|word: String| word.len() > 3))
//!     .to(shout)
//!     .end_condition()
//!     .end_for_each()
//!     .to(store);
//! # let det = agently_testkit::det::Det::new(1);
//! # let flow = flow.with_runtime(det.runtime());
//! # let done = det.block_on(async {
//!
//! let state = flow.async_start("be loud now please").await?;
//! assert_eq!(state["words"], serde_json::json!(["be", "LOUD", "now", "PLEASE"]));
//! # Ok::<_, agently_flow::Error>(())
//! # });
//! # assert!(matches!(done, Ok(Ok(()))));
//! ```
//!
//! # Inside
//!
//! The engine is a state machine that awaits nothing: a command goes in, effects come out. One
//! driver awaits: it polls the chunks of an execution in place, and tells the engine what came of
//! them. A hidden [`async_start`](TriggerFlow::async_start) is its own driver; an execution with a
//! handle is one task of the runtime, and no more.
//!
//! # Promises
//!
//! A committed step's result is applied once; a step whose result was not committed may run again,
//! with the same idempotency key.

mod blocker;
mod chunk;
mod condition;
mod contract;
mod data;
mod definition;
mod driver;
mod engine;
mod error;
mod execution;
mod flow;
mod hash;
mod options;
mod outcome;
mod path;
mod poll_set;
mod schema;
mod shared;
mod snapshot;
mod stream;
mod values;

pub use blocker::BlockingStream;
pub use chunk::{chunk, chunk_blocking, ByName, Chunk, IntoChunk, Pause, ResumeTo, RetryPolicy};
pub use condition::{condition, ByValue, Condition, IntoCondition};
pub use contract::Contract;
pub use data::FlowData;
pub use definition::{Block, Branch, Capture, Chain, Concurrency, Hits, Join, Trigger, WriteBack};
pub use engine::{Counts, FailurePolicy, Intervention, InterventionStatus, Lifecycle, Status};
pub use error::{ChunkError, ChunkResult, Error, ErrorKind, Result};
pub use execution::Execution;
pub use flow::TriggerFlow;
pub use options::{CloseOptions, ExecutionOptions};
pub use outcome::{Closed, ExecutionResult, Interrupt, Resumption};
pub use snapshot::{LoadReport, Snapshot};
pub use stream::RuntimeStream;
pub use values::FlowValues;

/// The states of a chain inside blocks, as compiler messages name them.
pub mod block {
    pub use crate::definition::{
        Body, Case, CaseElse, Else, ForEach, If, Level, Match, OpenForEach, OpenIf, OpenMatch,
        Root, TakesCase, TakesElif,
    };
}
