use std::fmt;

use agently_api::data::{AttemptStatus, DeltaText, Path, StreamingData};

use super::decode::decode;
use super::{FieldPath, Output};

/// A finished field as a `T`, while the answer it belongs to has not been accepted yet.
///
/// It may still be withdrawn: when another field is refused, the whole attempt is. Accepted data
/// comes from [`async_get_data_object`](crate::ModelResult::async_get_data_object).
#[derive(Clone)]
pub struct Provisional<T> {
    value: T,
    path: Path,
    attempt: u32,
}

impl<T> Provisional<T> {
    /// The value.
    #[must_use]
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The value, whatever becomes of the answer it is part of.
    #[must_use]
    pub fn into_unaccepted(self) -> T {
        self.value
    }

    /// Where it is in the answer, as in `sections[2]`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which attempt it belongs to, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

impl<T> fmt::Debug for Provisional<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value is answer text: it stays out of logs.
        f.debug_struct("Provisional")
            .field("path", &self.path)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// What happens at a [`FieldPath`] while the model is writing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FieldEvent<T> {
    /// The field grew by this text. Only fields without parts grow.
    Delta {
        /// Which field.
        path: Path,
        /// What it grew by.
        delta: DeltaText,
        /// Which attempt this belongs to, from 1.
        attempt: u32,
    },
    /// The field is finished.
    Done(Provisional<T>),
    /// The attempt was given up and another follows: forget what came before.
    Withdrawn(AttemptStatus),
}

impl<T> FieldEvent<T> {
    /// The finished field.
    #[must_use]
    pub fn done(self) -> Option<Provisional<T>> {
        match self {
            Self::Done(value) => Some(value),
            _ => None,
        }
    }
}

impl<T: Output> FieldEvent<T> {
    /// What this item of the `Instant` stream means at `path`; `None` if nothing.
    ///
    /// A finished field that is no `T` is nothing: the attempt it belongs to will be refused.
    pub(super) fn of<P: FieldPath<Target = T>>(path: &P, item: &StreamingData) -> Option<Self> {
        if let Some(status) = item.status() {
            return status.retry.then(|| Self::Withdrawn(status.clone()));
        }
        if !path.steps().lead_to(&item.path) {
            return None;
        }
        if let Some(delta) = &item.delta {
            return Some(Self::Delta {
                path: item.path.clone(),
                delta: delta.clone(),
                attempt: item.attempt,
            });
        }
        let value = decode(item.value().node()).ok()?;
        item.is_complete.then(|| {
            Self::Done(Provisional {
                value,
                path: item.path.clone(),
                attempt: item.attempt,
            })
        })
    }
}
