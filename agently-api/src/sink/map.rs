use std::fmt;

use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

/// A sink in front of another one of a different item type.
///
/// ```
/// use agently_api::sink::{Collect, Map, StreamSink};
/// # pollster::block_on(async {
///
/// let lengths = Collect::new();
/// let mut sink = Map::new(lengths.clone(), |word: &'static str| word.len());
/// sink.send("title").await?;
/// assert_eq!(lengths.take(), [5]);
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// # })?;
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// ```
pub struct Map<S, F> {
    sink: S,
    convert: F,
}

impl<S, F> Map<S, F> {
    /// Hands `convert(item)` to `sink`.
    #[must_use]
    pub fn new(sink: S, convert: F) -> Self {
        Self { sink, convert }
    }

    /// The inner sink.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.sink
    }
}

impl<T, U, S, F> StreamSink<T> for Map<S, F>
where
    T: Send + 'static,
    U: Send + 'static,
    S: StreamSink<U>,
    F: FnMut(T) -> U + Send,
{
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        self.sink.send((self.convert)(item))
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        self.sink.finish()
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Map<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("sink", &self.sink)
            .finish_non_exhaustive()
    }
}
