use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

/// A sink that keeps every item in a list, without a bound.
///
/// A clone is another handle on the same list: give one away, read with the other.
///
/// ```
/// use agently_api::sink::{Collect, StreamSink};
/// # pollster::block_on(async {
///
/// let list = Collect::new();
/// let mut sink = list.clone();
/// sink.send(1).await?;
/// sink.send(2).await?;
/// assert_eq!(list.take(), [1, 2]);
/// assert!(list.is_empty());
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// # })?;
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// ```
pub struct Collect<T>(Arc<Mutex<Vec<T>>>);

impl<T> Collect<T> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Takes the items out, in the order in which they came.
    #[must_use]
    pub fn take(&self) -> Vec<T> {
        mem::take(&mut *self.lock())
    }

    /// Lends the items to `read`. None can come meanwhile, so `read` should be short.
    pub fn with<R>(&self, read: impl FnOnce(&[T]) -> R) -> R {
        read(&self.lock())
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // A panic in `with` cannot leave the list half-made, so poisoning means nothing here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> StreamSink<T> for Collect<T> {
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            self.lock().push(item);
            Ok(())
        })
    }
}

impl<T> Default for Collect<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Collect<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Collect<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collect")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
