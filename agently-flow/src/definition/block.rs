use std::fmt;
use std::marker::PhantomData;

use super::chain::{operators, Chain, Cursor, OpenBlock};
use super::{Attach, NodeIdx};
use crate::condition::IntoCondition;

/// A chain inside a block that is still open; `K` names the block.
///
/// Only the right end closes it. A block that is never closed is a fault of the flow, which then
/// refuses to start and names it.
///
/// ```compile_fail
/// # async fn work(_: agently_flow::FlowData) -> agently_flow::ChunkResult<()> { Ok(()) }
/// let flow = agently_flow::TriggerFlow::new("wrong");
/// flow.for_each(2).to(work).end_condition();
/// ```
#[must_use = "the block is open: close it with the end that belongs to it"]
pub struct Block<K> {
    cursor: Cursor,
    kind: PhantomData<fn() -> K>,
}

/// Outside of all blocks.
#[derive(Clone, Copy, Debug)]
pub struct Root(());

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<P>(PhantomData<fn() -> P>);

        impl<P> Level for $name<P> {
            type Chain = Block<Self>;

            fn chain(cursor: Cursor) -> Self::Chain {
                Block::from_cursor(cursor)
            }
        }
    )*};
}

kinds! {
    /// Inside `for_each`, before `end_for_each`.
    ForEach,
    /// Inside `if_condition` or `elif_condition`, before `end_condition`.
    If,
    /// Inside `else_condition`, before `end_condition`.
    Else,
    /// Behind `match_`, before the first `case`.
    Match,
    /// Inside a `case`, before `end_match`.
    Case,
    /// Inside `case_else`, before `end_match`.
    CaseElse
}

/// Where a chain stands: outside of all blocks, or in one.
pub trait Level: sealed::Sealed {
    /// The chain that stands there.
    type Chain;

    #[doc(hidden)]
    fn chain(cursor: Cursor) -> Self::Chain;
}

impl Level for Root {
    type Chain = Chain;

    fn chain(cursor: Cursor) -> Chain {
        Chain::from_cursor(cursor)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Root {}
    impl<P> Sealed for super::ForEach<P> {}
    impl<P> Sealed for super::If<P> {}
    impl<P> Sealed for super::Else<P> {}
    impl<P> Sealed for super::Match<P> {}
    impl<P> Sealed for super::Case<P> {}
    impl<P> Sealed for super::CaseElse<P> {}
}

/// A block whose inside takes stages.
#[diagnostic::on_unimplemented(
    message = "stages cannot stand directly in `{Self}`",
    note = "behind `match_` comes a `case`"
)]
pub trait Body: sealed::Sealed {}
impl<P> Body for ForEach<P> {}
impl<P> Body for If<P> {}
impl<P> Body for Else<P> {}
impl<P> Body for Case<P> {}
impl<P> Body for CaseElse<P> {}

/// A block that `end_for_each` closes.
#[diagnostic::on_unimplemented(
    message = "`end_for_each` closes a `for_each`, but the open block is `{Self}`",
    label = "the wrong end"
)]
pub trait OpenForEach<P>: sealed::Sealed {}
impl<P: Level> OpenForEach<P> for ForEach<P> {}

/// A block that `end_condition` closes.
#[diagnostic::on_unimplemented(
    message = "`end_condition` closes an `if_condition`, but the open block is `{Self}`",
    label = "the wrong end"
)]
pub trait OpenIf<P>: sealed::Sealed {}
impl<P: Level> OpenIf<P> for If<P> {}
impl<P: Level> OpenIf<P> for Else<P> {}

/// A block that takes another condition.
#[diagnostic::on_unimplemented(
    message = "another condition belongs behind `if_condition` or `elif_condition`, but the open block is `{Self}`"
)]
pub trait TakesElif<P>: sealed::Sealed {}
impl<P: Level> TakesElif<P> for If<P> {}

/// A block that takes another case.
#[diagnostic::on_unimplemented(
    message = "a case belongs behind `match_` or another `case`, but the open block is `{Self}`"
)]
pub trait TakesCase<P>: sealed::Sealed {}
impl<P: Level> TakesCase<P> for Match<P> {}
impl<P: Level> TakesCase<P> for Case<P> {}

/// A block that `end_match` closes.
#[diagnostic::on_unimplemented(
    message = "`end_match` closes a `match_`, but the open block is `{Self}`",
    label = "the wrong end"
)]
pub trait OpenMatch<P>: sealed::Sealed {}
impl<P: Level> OpenMatch<P> for Case<P> {}
impl<P: Level> OpenMatch<P> for CaseElse<P> {}

impl<K> Block<K> {
    pub(crate) fn opened(mut cursor: Cursor, opener: NodeIdx, entry: Option<Attach>) -> Self {
        cursor.blocks.push(OpenBlock {
            opener,
            tails: Vec::new(),
        });
        if let Some(entry) = entry {
            cursor.at = entry;
        }
        Self::from_cursor(cursor)
    }

    pub(crate) fn from_cursor(cursor: Cursor) -> Self {
        Self {
            cursor,
            kind: PhantomData,
        }
    }

    fn cursor(self) -> Cursor {
        self.cursor
    }

    /// Ends the branch and begins the next one.
    fn branch<N>(
        mut self,
        begin: impl FnOnce(&mut Cursor, NodeIdx) -> Attach,
        first: bool,
    ) -> Block<N> {
        let at = self.cursor.at;
        let opener = self.cursor.blocks.last_mut().map(|block| {
            if !first {
                block.tails.push(at);
            }
            block.opener
        });
        if let Some(opener) = opener {
            self.cursor.at = begin(&mut self.cursor, opener);
        }
        Block::from_cursor(self.cursor)
    }

    /// Closes the innermost block.
    fn close<P: Level>(mut self) -> P::Chain {
        if let Some(mut block) = self.cursor.blocks.pop() {
            block.tails.push(self.cursor.at);
            let end = self.cursor.draft.lock().close(block.opener, &block.tails);
            self.cursor.at = Attach::After(end);
        }
        P::chain(self.cursor)
    }
}

impl<K> Block<K> {
    operators!(self: Self => Self, K, [K: Body]);
}

impl<K> Block<K> {
    /// Closes the `for_each`: what follows gets the list of results.
    #[expect(
        clippy::must_use_candidate,
        reason = "the last operator of a chain is a statement"
    )]
    pub fn end_for_each<P: Level>(self) -> P::Chain
    where
        K: OpenForEach<P>,
    {
        self.close::<P>()
    }

    /// Another branch, if the conditions before it do not hold and this one does.
    pub fn elif_condition<M, P>(self, condition: impl IntoCondition<M>) -> Self
    where
        K: TakesElif<P>,
    {
        let condition = condition.into_condition();
        self.branch(
            |cursor, opener| cursor.draft.lock().case(opener, condition),
            false,
        )
    }

    /// The branch for when no condition holds.
    pub fn else_condition<P>(self) -> Block<Else<P>>
    where
        K: TakesElif<P>,
    {
        self.branch(|_, opener| Attach::Otherwise(opener), false)
    }

    /// Closes the `if_condition`: what follows gets the value of the branch that ran.
    #[expect(
        clippy::must_use_candidate,
        reason = "the last operator of a chain is a statement"
    )]
    pub fn end_condition<P: Level>(self) -> P::Chain
    where
        K: OpenIf<P>,
    {
        self.close::<P>()
    }

    /// A case: its branch runs if the condition holds, or if the value equals a plain one.
    pub fn case<M, P>(self, condition: impl IntoCondition<M>) -> Block<Case<P>>
    where
        K: TakesCase<P>,
    {
        let condition = condition.into_condition();
        let first = self.is_before_cases();
        self.branch(
            |cursor, opener| cursor.draft.lock().case(opener, condition),
            first,
        )
    }

    /// The case for when no other applies.
    pub fn case_else<P>(self) -> Block<CaseElse<P>>
    where
        K: TakesCase<P>,
    {
        let first = self.is_before_cases();
        self.branch(|_, opener| Attach::Otherwise(opener), first)
    }

    /// Closes the `match_`: what follows gets the value of the case that ran, or the list of
    /// values with [`Hits::All`](super::Hits::All).
    #[expect(
        clippy::must_use_candidate,
        reason = "the last operator of a chain is a statement"
    )]
    pub fn end_match<P: Level>(self) -> P::Chain
    where
        K: OpenMatch<P>,
    {
        self.close::<P>()
    }

    /// Whether this is a `match_` without a case so far: there is no branch to end then.
    fn is_before_cases(&self) -> bool {
        let opener = self.cursor.blocks.last().map(|block| block.opener);
        opener.is_some_and(|opener| self.cursor.draft.lock().has_no_cases(opener))
    }
}

impl<K> fmt::Debug for Block<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("at", &self.cursor.at)
            .finish_non_exhaustive()
    }
}
