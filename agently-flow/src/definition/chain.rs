use std::fmt;
use std::sync::Arc;

use super::draft::{Attach, DraftRef};
use super::node::NodeIdx;
use crate::chunk::Chunk;

/// The end of a chain of stages: the next operator goes on from here.
///
/// A clone is a fork: what is added to each gets the same value.
///
/// ```
/// use agently_flow::{ChunkResult, FlowData, TriggerFlow};
///
/// async fn read(_: FlowData) -> ChunkResult<u32> { Ok(4) }
/// async fn log(_: FlowData) -> ChunkResult<()> { Ok(()) }
/// async fn store(_: FlowData) -> ChunkResult<()> { Ok(()) }
///
/// let flow = TriggerFlow::new("fork");
/// let read = flow.to(read);
/// read.clone().to(log);
/// read.to(store);
/// ```
#[derive(Clone)]
pub struct Chain {
    pub(crate) cursor: Cursor,
}

/// A place in a draft, and the blocks around it.
#[derive(Clone)]
#[expect(
    missing_debug_implementations,
    reason = "a sealed trait's hidden method shows it"
)]
pub struct Cursor {
    pub(crate) draft: DraftRef,
    pub(crate) at: Attach,
    pub(crate) blocks: Vec<OpenBlock>,
}

/// A block that is still open.
#[derive(Clone)]
pub(crate) struct OpenBlock {
    pub(crate) opener: NodeIdx,
    /// Where its finished branches ended.
    pub(crate) tails: Vec<Attach>,
}

impl Cursor {
    pub(crate) fn after(draft: &DraftRef, node: NodeIdx) -> Self {
        Self {
            draft: draft.clone(),
            at: Attach::After(node),
            blocks: Vec::new(),
        }
    }

    /// The same, behind `node`.
    pub(crate) fn moved(mut self, node: NodeIdx) -> Self {
        self.at = Attach::After(node);
        self
    }
}

impl Chain {
    /// Puts the value into a slot of a named collection. The chain goes on once all slots are
    /// filled, with an object of them; so does every other chain that fills a slot of it.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "the last operator of a chain is a statement"
    )]
    pub fn collect(self, name: &str, slot: &str) -> Self {
        let node = self.cursor.draft.lock().collect(self.cursor.at, name, slot);
        Self {
            cursor: self.cursor.moved(node),
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("at", &self.cursor.at)
            .finish_non_exhaustive()
    }
}

/// How many items of a `for_each` or branches of a `batch` run at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concurrency(pub(crate) Option<usize>);

impl Concurrency {
    /// No limit.
    pub const UNLIMITED: Self = Self(None);
}

impl From<usize> for Concurrency {
    fn from(limit: usize) -> Self {
        Self(Some(limit))
    }
}

impl From<Option<usize>> for Concurrency {
    fn from(limit: Option<usize>) -> Self {
        Self(limit)
    }
}

/// Which cases of a `match_` run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hits {
    /// The first one that applies.
    #[default]
    First,
    /// All that apply, side by side; their values are a list in the order of the cases.
    All,
}

/// One branch of a `batch`: a chunk under its name.
#[derive(Clone, Debug)]
pub struct Branch {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) chunk: Chunk,
}

impl From<Chunk> for Branch {
    fn from(chunk: Chunk) -> Self {
        Self { name: None, chunk }
    }
}

impl From<(&str, Chunk)> for Branch {
    fn from((name, chunk): (&str, Chunk)) -> Self {
        Self {
            name: Some(name.into()),
            chunk,
        }
    }
}

/// The operators that a flow, a chain and a block share. `$level` is the block they stand in.
macro_rules! operators {
    ($self:ident: $this:ty => $out:ty, $level:ty, [$($bound:tt)*]) => {
        /// Runs a chunk on the value; what it returns goes on.
        ///
        /// Takes an async function, a closure, a [`Chunk`](crate::Chunk), or the name of a chunk
        /// that the flow knows.
        pub fn to<M>($self: $this, chunk: impl crate::chunk::IntoChunk<M>) -> $out
        where $($bound)*
        {
            let cursor = $self.cursor();
            let node = cursor.draft.lock().chunk(Some(cursor.at), chunk.into_chunk(), false);
            <$out>::from_cursor(cursor.moved(node))
        }

        /// Like [`to`](Self::to), for a function that blocks: it runs on a thread where that is
        /// allowed.
        pub fn to_blocking<F, T>($self: $this, function: F) -> $out
        where
            F: Fn(crate::FlowData) -> crate::ChunkResult<T> + Send + Sync + 'static,
            T: serde::Serialize + Send + 'static,
            $($bound)*
        {
            let cursor = $self.cursor();
            let chunk = crate::Chunk::blocking(function);
            let node = cursor.draft.lock().chunk(Some(cursor.at), chunk, false);
            <$out>::from_cursor(cursor.moved(node))
        }

        /// Runs a chunk on the value beside the chain, which goes on with the value at once.
        pub fn side_branch<M>($self: $this, chunk: impl crate::chunk::IntoChunk<M>) -> $out
        where $($bound)*
        {
            let cursor = $self.cursor();
            let cursor = cursor.anchored();
            cursor.draft.lock().chunk(Some(cursor.at), chunk.into_chunk(), true);
            <$out>::from_cursor(cursor)
        }

        /// Runs what follows, up to `end_for_each`, for each item of a list, `concurrency` at once.
        ///
        /// Anything but a list is one item; an empty list gives an empty list. The results keep
        /// the order of the items.
        #[must_use = "the block is open: close it with `end_for_each()`"]
        pub fn for_each(
            $self: $this,
            concurrency: impl Into<crate::definition::Concurrency>,
        ) -> crate::definition::Block<crate::definition::ForEach<$level>>
        where $($bound)*
        {
            let cursor = $self.cursor();
            let opener = cursor.draft.lock().open_for_each(cursor.at, concurrency.into().0);
            crate::definition::Block::opened(cursor, opener, Some(crate::definition::Attach::Body(opener)))
        }

        /// Runs several chunks on the same value, `concurrency` at once; gives an object of their
        /// values in the order of the branches.
        pub fn batch<B: Into<crate::definition::Branch>>(
            $self: $this,
            branches: impl IntoIterator<Item = B>,
            concurrency: impl Into<crate::definition::Concurrency>,
        ) -> $out
        where $($bound)*
        {
            let cursor = $self.cursor();
            let branches = branches
                .into_iter()
                .map(Into::into)
                .map(|branch: crate::definition::Branch| (branch.name, branch.chunk))
                .collect();
            let end = cursor.draft.lock().batch(cursor.at, branches, concurrency.into().0);
            <$out>::from_cursor(cursor.moved(end))
        }

        /// Runs what follows, up to the next condition, only if `condition` holds.
        ///
        /// If no condition holds and there is no `else_condition`, the value passes through.
        #[must_use = "the block is open: close it with `end_condition()`"]
        pub fn if_condition<M>(
            $self: $this,
            condition: impl crate::condition::IntoCondition<M>,
        ) -> crate::definition::Block<crate::definition::If<$level>>
        where $($bound)*
        {
            let cursor = $self.cursor();
            let (opener, entry) = {
                let mut draft = cursor.draft.lock();
                let opener = draft.open_branch(cursor.at, false, false);
                (opener, draft.case(opener, condition.into_condition()))
            };
            crate::definition::Block::opened(cursor, opener, Some(entry))
        }

        /// Begins a choice between cases.
        #[must_use = "the block is open: close it with `end_match()`"]
        pub fn match_(
            $self: $this,
            hits: crate::definition::Hits,
        ) -> crate::definition::Block<crate::definition::Match<$level>>
        where $($bound)*
        {
            let cursor = $self.cursor();
            let all = hits == crate::definition::Hits::All;
            let opener = cursor.draft.lock().open_branch(cursor.at, all, true);
            crate::definition::Block::opened(cursor, opener, None)
        }

        /// Runs another flow on the value, inside the same execution.
        ///
        /// Without a write-back, what goes on is the child's state when it has ended.
        pub fn to_sub_flow(
            $self: $this,
            child: &crate::TriggerFlow,
            capture: crate::definition::Capture,
            write_back: crate::definition::WriteBack,
        ) -> $out
        where $($bound)*
        {
            let cursor = $self.cursor();
            let node = cursor.draft.lock().sub_flow(cursor.at, child, capture, write_back);
            <$out>::from_cursor(cursor.moved(node))
        }

        /// A place where pending interventions for `target` are handed to what follows.
        pub fn intervention_point($self: $this, target: impl Into<std::sync::Arc<str>>) -> $out
        where $($bound)*
        {
            let cursor = $self.cursor();
            let op = crate::definition::Op::InterventionPoint(target.into());
            let node = cursor.draft.lock().operator(cursor.at, op);
            <$out>::from_cursor(cursor.moved(node))
        }
    };
}
pub(crate) use operators;

impl Chain {
    operators!(self: Self => Self, super::Root, []);

    pub(crate) fn from_cursor(cursor: Cursor) -> Self {
        Self { cursor }
    }

    fn cursor(self) -> Cursor {
        self.cursor
    }
}

impl Cursor {
    /// The same place, behind a stage: at the entry of a branch, an empty stage is put there.
    pub(crate) fn anchored(self) -> Self {
        match self.at {
            Attach::After(_) => self,
            at => {
                let node = self.draft.lock().operator(at, super::Op::Pass);
                self.moved(node)
            }
        }
    }
}
