use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chunk::{Handler, Limits};
use crate::condition::Condition;
use crate::flow::TriggerFlow;
use crate::path::StatePath;

/// The place of a stage in its definition.
pub(crate) type NodeIdx = u32;

/// One stage.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) named: bool,
    pub(crate) op: Op,
    /// The stages that get its value.
    pub(crate) next: Vec<NodeIdx>,
    /// Who listens to it by `when_chunk`.
    pub(crate) listeners: Vec<Listener>,
    /// Whether it is a side branch: its value is nobody's result.
    pub(crate) side: bool,
}

/// What a stage does.
#[derive(Clone)]
pub(crate) enum Op {
    /// The value the execution was started with.
    Start,
    /// One trigger, or any of several.
    When(Vec<Trigger>),
    /// All of several triggers; the number is the join's.
    WhenAll(u32),
    Chunk(Handler, Limits),
    ForEach {
        body: NodeIdx,
        concurrency: usize,
    },
    Batch {
        branches: Vec<(Arc<str>, NodeIdx)>,
        concurrency: usize,
    },
    Branch {
        cases: Vec<(Condition, NodeIdx)>,
        otherwise: NodeIdx,
        all: bool,
        is_match: bool,
    },
    /// The end of a block: what comes back from its branches goes on from here.
    End,
    /// Hands the value on.
    Pass,
    Collect {
        join: u32,
        slot: u32,
    },
    SubFlow(Box<SubFlow>),
    InterventionPoint(Arc<str>),
}

/// Which signal starts something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// The start of the execution.
    Start,
    /// An emitted event.
    Event(String),
    /// The output of the chunk of this name.
    Chunk(String),
    /// A write to this state path.
    State(String),
    /// The collection of this name, once it is complete.
    Collect(String),
}

impl Trigger {
    /// An emitted event.
    #[must_use]
    pub fn event(name: impl Into<String>) -> Self {
        Self::Event(name.into())
    }

    /// The output of the chunk of this name.
    #[must_use]
    pub fn chunk(name: impl Into<String>) -> Self {
        Self::Chunk(name.into())
    }

    /// A write to this state path.
    #[must_use]
    pub fn state(path: impl Into<String>) -> Self {
        Self::State(path.into())
    }

    /// The collection of this name, once it is complete.
    #[must_use]
    pub fn collect(name: impl Into<String>) -> Self {
        Self::Collect(name.into())
    }

    /// The event's name, the chunk's name or the path.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Start => "START",
            Self::Event(name) | Self::Chunk(name) | Self::State(name) | Self::Collect(name) => name,
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Start => "start".to_owned(),
            Self::Event(name) => format!("event {name}"),
            Self::Chunk(name) => format!("chunk {name}"),
            Self::State(path) => format!("state {path}"),
            Self::Collect(name) => format!("collect {name}"),
        }
    }
}

impl From<&str> for Trigger {
    fn from(event: &str) -> Self {
        Self::Event(event.to_owned())
    }
}

impl From<String> for Trigger {
    fn from(event: String) -> Self {
        Self::Event(event)
    }
}

/// How a join treats a second value of an event that it has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Join {
    /// The newer value replaces the older.
    #[default]
    Latest,
    /// Values pair up in the order in which they came; none is lost.
    Queue,
}

/// Who hears a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// A source stage; the slot says which of its triggers it was.
    Stage { node: NodeIdx, slot: u32 },
    /// A slot of a join.
    Join { join: u32, slot: u32 },
}

/// A `when_all` or a `collect`.
#[derive(Clone, Debug)]
pub(crate) struct JoinSpec {
    pub(crate) name: Option<Arc<str>>,
    /// The names of its slots: the keys of what it gives.
    pub(crate) slots: Vec<String>,
    /// What fills them, for a `when_all`.
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) mode: Join,
    /// The stages that fire.
    pub(crate) stages: Vec<NodeIdx>,
    pub(crate) listeners: Vec<Listener>,
}

/// A child flow at a stage.
#[derive(Clone)]
pub(crate) struct SubFlow {
    pub(crate) flow: TriggerFlow,
    /// Filled when the parent is frozen.
    pub(crate) definition: Option<Arc<Definition>>,
    pub(crate) capture: Vec<(StatePath, Capture)>,
    pub(crate) write_back: Vec<(StatePath, WriteBack)>,
}

/// Where a captured value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Capture {
    Input(StatePath),
    State(StatePath),
}

/// Where a value written back comes from.
#[derive(Clone, Debug)]
pub(crate) enum WriteBack {
    Result(StatePath),
    Snapshot(StatePath),
}

/// A flow that changes no more.
#[derive(Default)]
pub(crate) struct Definition {
    pub(crate) name: Arc<str>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) joins: Vec<JoinSpec>,
    pub(crate) events: BTreeMap<Arc<str>, Vec<Listener>>,
    pub(crate) watchers: Vec<(StatePath, Listener)>,
    pub(crate) names: BTreeMap<Arc<str>, NodeIdx>,
    /// One line a stage, in order: what the fingerprint stands for.
    pub(crate) stages: Vec<String>,
    pub(crate) fingerprint: String,
}

impl Definition {
    pub(crate) fn node(&self, index: NodeIdx) -> Option<&Node> {
        self.nodes.get(index as usize)
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("name", &self.name)
            .field("stages", &self.stages)
            .finish_non_exhaustive()
    }
}
