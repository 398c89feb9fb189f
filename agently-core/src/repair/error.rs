use std::fmt;

use thiserror::Error;

/// An answer that cannot be repaired with certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the answer cannot be repaired with certainty: {reason}, at byte {offset}")]
#[non_exhaustive]
pub struct RepairError {
    /// The byte of the text at which this showed.
    pub offset: usize,
    /// What is in the way.
    pub reason: RepairReason,
}

impl RepairError {
    pub(super) fn new(offset: usize, reason: RepairReason) -> Self {
        Self { offset, reason }
    }
}

/// Why an answer cannot be repaired with certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepairReason {
    /// There is no document in it.
    Missing,
    /// It ends before the document does, and the model had not said that it was finished.
    Cut,
    /// There is no reading of it.
    Unreadable,
    /// There are several readings of it, and none of them is better than the others.
    Ambiguous,
    /// The one reading of it has a key twice in one object.
    RepeatedKey,
    /// It is nested deeper than 128 levels.
    TooDeep,
    /// So much of it is broken that its readings are too many.
    Tangled,
}

impl fmt::Display for RepairReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missing => "there is no JSON in it",
            Self::Cut => "it is cut off",
            Self::Unreadable => "it cannot be read as JSON",
            Self::Ambiguous => "it can be read in more than one way",
            Self::RepeatedKey => "a key is repeated where it was broken",
            Self::TooDeep => "it is nested deeper than 128 levels",
            Self::Tangled => "too much of it is broken",
        })
    }
}
