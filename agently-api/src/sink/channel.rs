use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::mpsc;
use futures_core::stream::{FusedStream, Stream};

use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

/// A sink whose items another task reads as a stream, in the order in which they were sent.
///
/// `capacity` items may lie in between (0 is taken as 1); `send` waits while it is full. Each
/// clone of the sink adds one place, so that no sender can starve another.
///
/// ```
/// use agently_api::sink::{channel, StreamSink};
/// use futures_util::StreamExt;
/// # pollster::block_on(async {
///
/// let (mut sink, mut stream) = channel(8);
/// sink.send("title").await?;
/// sink.finish().await?;
///
/// assert_eq!(stream.next().await, Some("title"));
/// assert_eq!(stream.next().await, None);
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// # })?;
/// # Ok::<(), agently_api::sink::SinkClosed>(())
/// ```
pub fn channel<T: Send + 'static>(capacity: usize) -> (ChannelSink<T>, ChannelStream<T>) {
    // The channel below gives every sender one place beside the shared ones.
    let (sender, receiver) = mpsc::channel(capacity.saturating_sub(1));
    (ChannelSink(sender), ChannelStream(receiver))
}

/// The sending end of a [`channel`].
///
/// It is closed once the [`ChannelStream`] is dropped or closed. The stream ends once every clone
/// of the sink is finished or dropped.
pub struct ChannelSink<T>(mpsc::Sender<T>);

impl<T: Send + 'static> ChannelSink<T> {
    /// Hands over one item if there is room now.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] with the item, when there is no room or the receiving end is gone.
    pub fn try_send(&mut self, item: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(item).map_err(|error| {
            if error.is_full() {
                TrySendError::Full(error.into_inner())
            } else {
                TrySendError::Closed(error.into_inner())
            }
        })
    }

    /// Whether the receiving end is gone, or this sink is finished.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T: Send + 'static> StreamSink<T> for ChannelSink<T> {
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            std::future::poll_fn(|cx| self.0.poll_ready(cx))
                .await
                .and_then(|()| self.0.start_send(item))
                .map_err(|_closed| SinkClosed)
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        let outcome = if self.0.is_closed() {
            Err(SinkClosed)
        } else {
            self.0.disconnect();
            Ok(())
        };
        Box::pin(std::future::ready(outcome))
    }
}

impl<T> Clone for ChannelSink<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for ChannelSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelSink")
            .field("closed", &self.0.is_closed())
            .finish()
    }
}

/// The receiving end of a [`channel`]: a stream of its items.
///
/// # Cancel safety
///
/// Waiting for the next item is cancel safe. Dropping the stream closes the sink and drops the
/// items in between.
#[must_use = "streams do nothing unless polled"]
pub struct ChannelStream<T>(mpsc::Receiver<T>);

impl<T> ChannelStream<T> {
    /// Takes no more items; those in between can still be read.
    pub fn close(&mut self) {
        self.0.close();
    }
}

impl<T> Stream for ChannelStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.0).poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> FusedStream for ChannelStream<T> {
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }
}

impl<T> fmt::Debug for ChannelStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelStream").finish_non_exhaustive()
    }
}

/// An item that [`ChannelSink::try_send`] could not hand over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room now.
    Full(T),
    /// The receiving end is gone.
    Closed(T),
}

impl<T> TrySendError<T> {
    /// The item itself.
    pub fn into_item(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Full(_) => "Full",
            Self::Closed(_) => "Closed",
        }
    }
}

// Items can be large and private, and need no `Debug`: errors never show them.
impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.name()).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the channel is full; wait with `send`, or drop the item"),
            Self::Closed(_) => fmt::Display::fmt(&SinkClosed, f),
        }
    }
}

impl<T> Error for TrySendError<T> {}
