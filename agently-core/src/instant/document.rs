use std::ops::Range;

use agently_api::data::{Node, StreamingData, Warning};

use super::{reconcile, Fault};
use crate::format::Format;

/// What a [`FieldParser`](super::FieldParser) found in an answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Document {
    /// How it ended.
    pub state: DocumentState,
    /// What was read: exactly what the completions said, and, if it was silenced, what its open
    /// containers hold so far. `None` if there is no document.
    pub value: Option<Node>,
    /// What was read otherwise than it was written.
    pub warnings: Vec<Warning>,
    /// Which bytes of the answer's text it is, to the end of the text if it was not complete. The
    /// caller keeps that text, should it want to repair it.
    pub range: Option<Range<usize>>,
    /// The format in which it was read.
    pub format: Format,
    /// The places of the containers in `value` that have had no completion, from the root on.
    pub(crate) open: Vec<usize>,
}

/// How a [`Document`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentState {
    /// The answer holds no document.
    Missing,
    /// Its last bracket was read.
    Complete,
    /// The answer ended before it did: its open values were completed as they stood.
    Open,
    /// It could not be read on with certainty, and nothing was added from there.
    Silenced {
        /// The byte of the answer's text at which this showed.
        offset: usize,
        /// What was wrong there.
        fault: Fault,
    },
}

impl Document {
    /// Gives the completions that lead from what was sent to the accepted value.
    ///
    /// See [`reconcile`]; besides, a container whose end was never sent gets its completion though
    /// its content is unchanged.
    pub fn reconcile(&self, accepted: &Node, attempt: u32, out: &mut impl FnMut(StreamingData)) {
        reconcile::run(
            self.value.as_ref(),
            Some(&self.open),
            accepted,
            attempt,
            out,
        );
    }
}
