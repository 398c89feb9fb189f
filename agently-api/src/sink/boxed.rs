use super::{SinkClosed, StreamSink};
use crate::BoxFuture;

impl<T, S> StreamSink<T> for Box<S>
where
    T: Send + 'static,
    S: StreamSink<T> + ?Sized,
{
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        (**self).send(item)
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        (**self).finish()
    }
}

impl<T, S> StreamSink<T> for &mut S
where
    T: Send + 'static,
    S: StreamSink<T> + ?Sized,
{
    fn send(&mut self, item: T) -> BoxFuture<'_, Result<(), SinkClosed>> {
        (**self).send(item)
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), SinkClosed>> {
        (**self).finish()
    }
}
