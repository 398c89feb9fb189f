use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

/// A sink that drops every item: for running a stream to its end for its effects alone.
///
/// ```
/// use agently_api::sink::{Null, StreamSink};
/// # pollster::block_on(async {
///
/// assert!(Null.send("title").await.is_ok());
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Null;

impl<T: Send + 'static> StreamSink<T> for Null {
    fn send(&mut self, _item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
