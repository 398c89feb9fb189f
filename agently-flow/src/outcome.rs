use std::time::SystemTime;

use serde_json::Value;

use crate::chunk::ResumeTo;
use crate::engine::{Counts, Intervention, Lifecycle, Paused, Status};
use crate::error::Error;

/// A pause that waits for somebody outside.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Interrupt {
    /// Its id, for [`Execution::continue_with`](crate::Execution::continue_with).
    pub id: String,
    /// What kind of answer it waits for.
    pub kind: String,
    /// What whoever answers needs to know.
    pub payload: Value,
    /// The chunk that paused.
    pub chunk: String,
    /// Where its branch goes on.
    pub resume_to: ResumeTo,
    /// Its place in the execution's one order.
    pub sequence: u64,
}

impl Interrupt {
    pub(crate) fn of(paused: &Paused) -> Self {
        Self {
            id: paused.id.clone(),
            kind: paused.kind.clone(),
            payload: paused.payload.clone(),
            chunk: paused.chunk.to_string(),
            resume_to: paused.resume_to.clone(),
            sequence: paused.sequence,
        }
    }
}

/// A resume that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resumption {
    /// Its place in the execution's one order; the same for each delivery of one request.
    pub sequence: u64,
    /// Whether it was accepted before, so that nothing ran this time.
    pub repeated: bool,
}

/// How an execution was closed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Closed {
    /// Its last state.
    pub snapshot: Value,
    /// Never [`Completed`](Status::Completed) if work was cut off.
    pub status: Status,
    /// Steps that were cut off.
    pub cancelled: u64,
}

/// What an execution has come to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecutionResult {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub status: Status,
    /// Whether it takes input.
    pub lifecycle: Lifecycle,
    /// Its state.
    pub state: Value,
    /// The value that was set, or that of the last stage.
    pub value: Value,
    /// The errors that nobody caught, oldest first.
    pub errors: Vec<Error>,
    /// The ledger of interventions.
    pub interventions: Vec<Intervention>,
    /// What was counted.
    pub counts: Counts,
    /// When it was created or loaded.
    pub created: SystemTime,
}
