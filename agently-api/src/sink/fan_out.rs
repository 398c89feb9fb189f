use std::fmt;

use futures_util::future::join_all;

use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

/// A sink that hands each item to several sinks.
///
/// They are served side by side, and the next item is taken when all have this one: the slowest
/// sets the pace. A sink that closes is dropped and the others go on; the fan-out is closed when
/// none is left, so one without sinks is closed from the start.
///
/// ```
/// use agently_api::sink::{channel, Collect, FanOut, StreamSink};
/// # pollster::block_on(async {
///
/// let (queue, stream) = channel(4);
/// let list = Collect::new();
/// let mut sink = FanOut::new().with(queue).with(list.clone());
/// sink.send("title").await?;
/// drop(stream);
/// sink.send("items").await?;
/// assert_eq!(list.take(), ["title", "items"]);
/// assert_eq!(sink.len(), 1);
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// # })?;
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// ```
pub struct FanOut<T>(Vec<Box<dyn StreamSink<T>>>);

impl<T: Clone + Send + 'static> FanOut<T> {
    /// A fan-out without sinks.
    #[must_use]
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a sink, which gets the items from now on.
    #[must_use]
    pub fn with(mut self, sink: impl StreamSink<T> + 'static) -> Self {
        self.push(sink);
        self
    }

    /// Adds a sink, which gets the items from now on.
    pub fn push(&mut self, sink: impl StreamSink<T> + 'static) {
        self.0.push(Box::new(sink));
    }

    /// How many sinks are open, as far as is known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no sink is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops the sinks that have closed.
    fn keep_open(&mut self, outcomes: &[Result<(), SinkClosed>]) -> Result<(), SinkClosed> {
        let mut outcomes = outcomes.iter();
        self.0
            .retain(|_| outcomes.next().is_some_and(Result::is_ok));
        if self.0.is_empty() {
            Err(SinkClosed)
        } else {
            Ok(())
        }
    }
}

impl<T: Clone + Send + 'static> StreamSink<T> for FanOut<T> {
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            let sends = self.0.iter_mut().map(|sink| sink.send(item.clone()));
            let outcomes = join_all(sends).await;
            self.keep_open(&outcomes)
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            let outcomes = join_all(self.0.iter_mut().map(|sink| sink.finish())).await;
            self.keep_open(&outcomes)
        })
    }
}

impl<T: Clone + Send + 'static> Default for FanOut<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for FanOut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FanOut")
            .field("sinks", &self.0.len())
            .finish()
    }
}
