//! The open containers of many readings at once.

use std::collections::HashMap;

use super::plan::SpecId;

/// The deepest nesting that is read, counting the outermost container: that of the stream parser.
const DEPTH: u8 = 128;

/// A stack of open containers, by its innermost one.
pub(super) type FrameId = usize;

/// An open container. Two readings with equal frames have the same future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    pub(super) parent: Option<FrameId>,
    pub(super) object: bool,
    /// Where it stands in the schema.
    pub(super) spec: SpecId,
    /// Which declared keys it has so far.
    pub(super) seen: u128,
    depth: u8,
}

/// All frames, each kept once.
#[derive(Debug, Default)]
pub(super) struct Frames {
    all: Vec<Frame>,
    known: HashMap<Frame, FrameId>,
}

impl Frames {
    pub(super) fn get(&self, id: FrameId) -> Option<Frame> {
        self.all.get(id).copied()
    }

    /// Opens a container inside another; `None` if that is too deep.
    pub(super) fn push(
        &mut self,
        parent: Option<FrameId>,
        object: bool,
        spec: SpecId,
    ) -> Option<FrameId> {
        let depth = match parent {
            None => 1,
            Some(parent) => self.get(parent)?.depth + 1,
        };
        (depth <= DEPTH).then(|| {
            self.keep(Frame {
                parent,
                object,
                spec,
                seen: 0,
                depth,
            })
        })
    }

    /// The same container with one more key.
    pub(super) fn with_key(&mut self, mut frame: Frame, bit: u128) -> FrameId {
        frame.seen |= bit;
        self.keep(frame)
    }

    fn keep(&mut self, frame: Frame) -> FrameId {
        let next = self.all.len();
        let id = *self.known.entry(frame).or_insert(next);
        if id == next {
            self.all.push(frame);
        }
        id
    }
}
