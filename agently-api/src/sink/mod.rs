//! Where streams can be sent.
//!
//! [`StreamSink`] is the contract. The adapters are types of their own, so that each can be named:
//!
//! | adapter | where the items go |
//! |---|---|
//! | [`channel`] | to another task, which reads them as a stream |
//! | [`FnSink`], [`AsyncFnSink`] | to a closure |
//! | [`Collect`] | to a list |
//! | [`FanOut`] | to several sinks |
//! | [`Map`] | to a sink of another item type |
//! | [`Null`] | nowhere |
//! | [`SseWriter`] | to a writer, as Server-Sent Events |
//! | [`JsonLinesWriter`] | to a writer, one JSON value a line |
//! | [`FromSink`] | to a `futures::Sink` |
//!
//! A sink by `&mut` or in a `Box` is a sink too. [`Compact`] keeps long strings from being written
//! again and again.

mod boxed;
mod channel;
mod closure;
mod collect;
mod compact;
mod fan_out;
mod from_sink;
mod json_lines;
mod map;
mod null;
mod outbox;
mod sse;

use std::error::Error;
use std::fmt;

use crate::BoxFuture;

pub use channel::{channel, ChannelSink, ChannelStream, TrySendError};
pub use closure::{AsyncFnSink, FnSink, SendOutcome};
pub use collect::Collect;
pub use compact::Compact;
pub use fan_out::FanOut;
pub use from_sink::FromSink;
pub use json_lines::JsonLinesWriter;
pub use map::Map;
pub use null::Null;
pub use sse::SseWriter;

/// Takes the items of a stream, one after the other.
///
/// `send` waits while the sink is full: that is how a slow consumer slows the model's stream down.
/// A closed sink is a normal reason to stop, not a failure.
///
/// ```
/// use agently_api::sink::{SinkClosed, StreamSink};
/// use agently_api::BoxFuture;
///
/// /// Counts the letters that pass.
/// struct Letters(usize);
///
/// impl StreamSink<String> for Letters {
///     fn send(&mut self, item: String) -> BoxFuture<'_, Result<(), SinkClosed>> {
///         self.0 += item.chars().count();
///         Box::pin(std::future::ready(Ok(())))
///     }
/// }
/// # pollster::block_on(async {
///
/// let mut letters = Letters(0);
/// letters.send("Async".to_owned()).await?;
/// letters.send("First".to_owned()).await?;
/// assert_eq!(letters.0, 10);
/// # Ok::<(), SinkClosed>(())
/// # })?;
/// # Ok::<(), SinkClosed>(())
/// ```
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
