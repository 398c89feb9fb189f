//! How a flow is written down, and what it is once it is frozen.

mod block;
mod chain;
mod draft;
mod freeze;
mod mermaid;
mod node;
mod sub_flow;

pub use block::{
    Block, Body, Case, CaseElse, Else, ForEach, If, Level, Match, OpenForEach, OpenIf, OpenMatch,
    Root, TakesCase, TakesElif,
};
pub(crate) use chain::operators;
pub(crate) use chain::Cursor;
pub use chain::{Branch, Chain, Concurrency, Hits};
pub(crate) use draft::{Attach, DraftRef};
pub(crate) use freeze::freeze;
pub(crate) use mermaid::{mermaid, Progress};
pub(crate) use node::{
    Capture as CaptureFrom, Definition, Listener, NodeIdx, Op, SubFlow, WriteBack as WriteFrom,
};
pub use node::{Join, Trigger};
pub use sub_flow::{Capture, WriteBack};
