use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::slab::Key;
use crate::chunk::ResumeTo;
use crate::definition::{Definition, NodeIdx, Op, Trigger};
use crate::error::{Error, Result};

/// Where a value is on its way: in which branch of which block, in which scope, and who waits for
/// what becomes of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ctx {
    /// The branch of a collection; none outside of blocks.
    pub(super) frame: Key,
    /// The frame that joins belong to.
    pub(super) scope: Key,
    pub(super) group: Key,
}

impl Ctx {
    /// The same, for a chain that does not belong to a block.
    pub(super) fn outside(self) -> Self {
        Self {
            frame: Key::NONE,
            ..self
        }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Origin {
    Stage {
        node: NodeIdx,
        slot: u32,
    },
    /// An event that was bound for this execution.
    Bound(Arc<str>),
}

/// A value about to enter a stage.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(super) node: NodeIdx,
    pub(super) value: Value,
    pub(super) ctx: Ctx,
    pub(super) origin: Origin,
    pub(super) sequence: u64,
}

/// What the engine has yet to do before it rests.
#[derive(Debug)]
pub(super) enum Work {
    Enter(Token),
    /// The branch has come to its end without a value.
    End(Ctx),
    Fail(Ctx, Error),
    SubFlowIdle(Key),
}

/// A branch of a collection, or the root of an instance.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Frame {
    pub(super) instance: Key,
    pub(super) collection: Key,
    pub(super) index: u32,
    /// What keeps it: values in its scope, and the branch itself while it runs.
    pub(super) refs: u32,
}

/// A `for_each`, a `batch`, or a `match_` of all hits, on its way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Collection {
    pub(super) ctx: Ctx,
    pub(super) sequence: u64,
    pub(super) opener: NodeIdx,
    pub(super) end: NodeIdx,
    /// Where branch k begins; the last one stands for the rest.
    pub(super) entries: Vec<NodeIdx>,
    pub(super) items: VecDeque<Value>,
    pub(super) next: u32,
    pub(super) total: u32,
    pub(super) done: u32,
    /// Branches that run; a paused one does not count.
    pub(super) active: usize,
    pub(super) cap: usize,
    pub(super) results: Vec<Value>,
    /// Whether each branch is a scope of its own.
    pub(super) scoped: bool,
    /// Resumed branches that wait for their turn.
    pub(super) resumed: VecDeque<Resumed>,
}

/// Values whose settling somebody waits for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) waiter: Waiter,
    pub(super) pending: u32,
    pub(super) error: Option<Error>,
    /// Where errors go that nobody waits for any more.
    pub(super) instance: Key,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Waiter {
    /// The whole execution.
    Root,
    SubFlow,
    Step {
        dispatch: Key,
        ordinal: u32,
    },
    External(#[serde(skip, default = "none")] Key),
}

fn none() -> Key {
    Key::NONE
}

/// An awaited emit from outside.
#[derive(Debug, Default)]
pub(super) struct External {
    pub(super) outcome: Option<Result<()>>,
    pub(super) waker: Option<Waker>,
}

/// One run of one flow: the execution's own, or a sub-flow's.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Instance {
    #[serde(skip)]
    pub(super) definition: Arc<Definition>,
    pub(super) state: Value,
    pub(super) frame: Key,
    pub(super) group: Key,
    pub(super) parent: Option<Parent>,
    pub(super) last: Value,
    #[serde(with = "maybe")]
    pub(super) result: Option<Value>,
}

/// Where a sub-flow was called.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parent {
    pub(super) ctx: Ctx,
    pub(super) node: NodeIdx,
    pub(super) value: Value,
    pub(super) sequence: u64,
    /// The number of the call.
    pub(super) frame_id: u64,
    /// Whether everything in it is paused, so that nobody waits for it at the moment.
    pub(super) detached: bool,
}

/// One step: a chunk or a condition that has to run.
#[derive(Debug)]
pub(super) struct Dispatch {
    pub(super) step: Arc<Step>,
    pub(super) ctx: Ctx,
    pub(super) phase: Phase,
    /// Whether it holds one of the execution's permits.
    pub(super) permit: bool,
    /// How many emits it waits for.
    pub(super) awaiting: u32,
    pub(super) failures: u32,
    pub(super) resumes: u32,
    /// For a condition: the cases that applied so far.
    pub(super) hits: Vec<u32>,
    pub(super) effects: Vec<Done>,
    pub(super) cursor: u32,
    pub(super) wakers: Vec<(u32, Waker)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Ready,
    Running,
    Backoff,
}

/// Something that a step did inside the execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) digest: u64,
    /// Whether the step waits, or waited, for what followed.
    pub(super) awaited: bool,
    pub(super) outcome: Option<Result<(), Error>>,
    /// Whether the step has stopped waiting.
    #[serde(skip)]
    pub(super) abandoned: bool,
    /// Whether the outcome has come to the step.
    #[serde(skip)]
    pub(super) waiting: bool,
}

/// What a running step knows about itself; shared with its data.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) key: Key,
    pub(crate) id: u64,
    pub(crate) sequence: u64,
    pub(crate) attempt: u32,
    pub(crate) input: Value,
    pub(crate) resume: Option<Value>,
    pub(crate) origin: Origin,
    pub(crate) definition: Arc<Definition>,
    pub(crate) node: NodeIdx,
    /// Which case's condition it is; none for a chunk.
    pub(crate) case: Option<u32>,
    pub(crate) instance: Key,
}

impl Step {
    /// The name of the stage.
    pub(crate) fn name(&self) -> &Arc<str> {
        match self.definition.node(self.node) {
            Some(node) => &node.name,
            None => &self.definition.name,
        }
    }

    /// Which signal it answers.
    pub(crate) fn trigger(&self) -> Trigger {
        match &self.origin {
            Origin::Bound(event) => Trigger::Event(event.to_string()),
            Origin::Stage { node, slot } => match self.definition.node(*node) {
                Some(stage) => match &stage.op {
                    Op::Start => Trigger::Start,
                    Op::When(triggers) => triggers
                        .get(*slot as usize)
                        .cloned()
                        .unwrap_or(Trigger::Start),
                    Op::WhenAll(join) => Trigger::Event(
                        self.definition
                            .joins
                            .get(*join as usize)
                            .map(|join| join.slots.join("+"))
                            .unwrap_or_default(),
                    ),
                    _ => Trigger::Chunk(stage.name.to_string()),
                },
                None => Trigger::Start,
            },
        }
    }
}

/// A pause that waits for somebody outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Paused {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) payload: Value,
    pub(crate) chunk: Arc<str>,
    pub(crate) resume_to: ResumeTo,
    pub(crate) sequence: u64,
    pub(super) ctx: Ctx,
    pub(super) node: NodeIdx,
    pub(super) origin: Origin,
    pub(super) input: Value,
    pub(super) resumes: u32,
}

/// A pause that was resumed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Resumed {
    pub(super) paused: Paused,
    pub(super) payload: Value,
}

/// How a pause was resumed: what makes a second delivery harmless.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Resolution {
    pub(super) request_id: Option<String>,
    pub(super) payload: u64,
    pub(super) sequence: u64,
}

/// A handler that was bound to an event for this execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) event: Arc<str>,
    pub(super) node: NodeIdx,
}

/// What the driver has to do.
#[derive(Debug)]
pub(crate) enum Effect {
    Run(Arc<Step>),
    /// Drop the run of this step.
    Cancel(Key),
    CancelAll,
    SetTimer(Timer, Duration),
    CancelTimer(Timer),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    AutoClose,
    Retry(Key),
}

/// The three states of an execution's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lifecycle {
    /// It takes input from outside.
    Open,
    /// It takes no more input; what was accepted runs to its end.
    Sealed,
    /// It is over; its result does not change.
    Closed,
}

/// How an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Something runs, or it is open and may run more.
    Running,
    /// Nothing runs; interrupts are pending.
    Waiting,
    /// It was closed, and nothing was cut.
    Completed,
    /// An error ended it.
    Failed,
    /// It, or some of its work, was cancelled.
    Cancelled,
}

/// What happens when a chunk fails and nobody waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// The first error stops the execution: nothing new starts, what runs is cancelled.
    #[default]
    FailFast,
    /// The branch ends, the others go on, and the errors are in the result. A failed item of a
    /// collection counts as null.
    Continue,
}

/// Counts of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Signals that were accepted.
    pub signals: u64,
    /// Steps that were begun.
    pub steps: u64,
    /// Steps that have ended.
    pub finished: u64,
    /// Emitted events that nobody listened to.
    pub unheard: u64,
    /// Steps that were cut off.
    pub cancelled: u64,
    /// The most steps that ran at once.
    pub most_running: u64,
}

/// A value that may be missing, in a snapshot: null is a value.
pub(super) mod maybe {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use serde_json::Value;

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(in crate::engine) fn serialize<S: Serializer>(
        value: &Option<Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_slice().serialize(serializer)
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Value>, D::Error> {
        Ok(Vec::deserialize(deserializer)?.pop())
    }
}
