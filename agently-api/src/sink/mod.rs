//! Where streams can be sent.

use std::error::Error;
use std::fmt;

use crate::BoxFuture;

/// Takes the items of a stream, one after the other.
///
/// `send` waits while the sink is full: that is how a slow consumer slows the model's stream down.
/// A closed sink is a normal reason to stop, not a failure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sink for `{T}`",
    note = "wrap it: `agently_api::sink` has adapters for closures, vectors, channels, writers and `futures::Sink`"
)]
pub trait StreamSink<T: Send + 'static>: Send {
    /// Hands over one item, waiting while there is no room.
    ///
    /// # Errors
    ///
    /// [`SinkClosed`] when the receiving end is gone; the item is dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may lose the item it was given, never an earlier one.
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>>;

    /// Says that no more items follow, and flushes. The default does nothing.
    ///
    /// # Errors
    ///
    /// [`SinkClosed`] when the receiving end is gone.
    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The receiving end of a sink is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkClosed;

impl fmt::Display for SinkClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the receiving end of the sink is gone")
    }
}

impl Error for SinkClosed {}
