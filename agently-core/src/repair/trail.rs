//! What readings have read: a tree of steps, so that a fork costs nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use super::fix::Fix;
use super::glyph::Quote;

/// One step of a reading.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Object,
    List,
    End,
    /// A key between its quotes; without quotes, it is bare.
    Key(Range<usize>, Option<Quote>),
    /// A text between its quotes.
    Text(Range<usize>, Quote),
    /// A text to which the answer's end came first.
    CutText(usize, Quote),
    /// A number or literal.
    Plain(Range<usize>),
}

#[derive(Debug)]
enum Entry {
    Step(Step),
    Fix(Fix),
}

/// A reading so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    last: Option<usize>,
    /// Stands for the value: two readings of the same value have the same.
    pub(super) digest: u64,
}

/// All readings so far.
#[derive(Debug, Default)]
pub(super) struct Trail(Vec<(Option<usize>, Entry)>);

impl Trail {
    pub(super) fn start() -> Mark {
        Mark {
            last: None,
            digest: 0,
        }
    }

    pub(super) fn step(&mut self, mark: Mark, step: Step) -> Mark {
        let mut hasher = DefaultHasher::new();
        (mark.digest, &step).hash(&mut hasher);
        let digest = hasher.finish();
        self.0.push((mark.last, Entry::Step(step)));
        Mark {
            last: Some(self.0.len() - 1),
            digest,
        }
    }

    /// Notes how the reading departs from the text. The value stays what it is.
    pub(super) fn fix(&mut self, mark: Mark, fix: Fix) -> Mark {
        self.0.push((mark.last, Entry::Fix(fix)));
        Mark {
            last: Some(self.0.len() - 1),
            digest: mark.digest,
        }
    }

    /// The steps of a reading, in order, and what it departs in.
    pub(super) fn walk(&self, mark: Mark) -> (Vec<&Step>, Vec<Fix>) {
        let (mut steps, mut fixes) = (Vec::new(), Vec::new());
        let mut next = mark.last;
        while let Some((before, entry)) = next.and_then(|at| self.0.get(at)) {
            match entry {
                Entry::Step(step) => steps.push(step),
                Entry::Fix(fix) => fixes.push(*fix),
            }
            next = *before;
        }
        steps.reverse();
        fixes.reverse();
        (steps, fixes)
    }
}
