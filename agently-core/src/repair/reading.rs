//! A reading of the text so far: one of several that are followed side by side.

use super::cost::Cost;
use super::frames::FrameId;
use super::glyph::Quote;
use super::plan::SpecId;
use super::prose::Prose;
use super::trail::Mark;

/// What must come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// A value.
    Value,
    /// A value or the end of the list.
    Item,
    /// A key or the end of the object.
    Key,
    Colon,
    /// A comma or the end of the container.
    After,
    /// The rest of a string.
    Text(Text),
}

/// An open string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Text {
    pub(super) quote: Quote,
    pub(super) key: bool,
    /// Whether it holds an unescaped quote of its own kind.
    pub(super) broken: bool,
    pub(super) prose: Prose,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) state: State,
    /// Where an open string's text begins.
    pub(super) text_start: usize,
    pub(super) frame: FrameId,
    /// Where in the schema the next value stands, after a key.
    pub(super) expect: SpecId,
    pub(super) cost: Cost,
    /// Whether it needs no fault: what it departs from the text in is a matter of spelling.
    pub(super) clean: bool,
    /// Where it was found that another reading is as good, or that this one is not to be trusted.
    pub(super) doubt: Option<usize>,
    pub(super) mark: Mark,
}

impl Reading {
    /// Whether both have the same future, whatever they have read.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.state == other.state && self.frame == other.frame && self.expect == other.expect
    }

    /// The better of two readings with the same future; if neither is, one in doubt.
    pub(super) fn merge(self, other: Self, at: usize) -> Self {
        if self.cost.beats(other.cost) {
            return self;
        }
        if other.cost.beats(self.cost) {
            return other;
        }
        let doubt = match (self.doubt, other.doubt) {
            (None, None) => (self.mark.digest != other.mark.digest).then_some(at),
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            cost: self.cost.meet(other.cost),
            doubt,
            ..self
        }
    }

    pub(super) fn fault(mut self) -> Self {
        self.cost.add(1);
        self.clean = false;
        self
    }
}
