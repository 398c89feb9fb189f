//! How the blocking twins wait: what `#[syncify]` calls.

use std::fmt;
use std::future::Future;

use agently_api::rt::Runtime;
use futures_core::Stream;
use futures_util::{FutureExt, StreamExt};

use crate::error::{Error, ErrorKind, Result};

/// Waits on the current thread, or refuses inside an async task.
#[derive(Clone, Debug)]
pub(crate) struct Blocker {
    runtime: Option<Runtime>,
}

impl Blocker {
    pub(crate) fn new(runtime: impl Into<Option<Runtime>>) -> Self {
        Self {
            runtime: runtime.into(),
        }
    }

    pub(crate) fn run<T>(
        &self,
        twin: &'static str,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match &self.runtime {
            Some(runtime) => runtime
                .block_on(future)
                .unwrap_or_else(|_| Err(Error::blocking_in_async(twin))),
            // Without a runtime nothing runs, and the future is ready with the reason.
            None => future.now_or_never().unwrap_or_else(|| {
                Err(Error::new(
                    ErrorKind::NoRuntime,
                    "a blocking call needs a runtime; give the flow one with `with_runtime`",
                ))
            }),
        }
    }

    pub(crate) fn iter<S: Stream>(&self, twin: &'static str, stream: S) -> BlockingStream<S> {
        BlockingStream {
            twin,
            stream: Some(stream),
            blocker: self.clone(),
        }
    }
}

/// A [`RuntimeStream`](crate::RuntimeStream) for blocking code: an iterator that waits for each
/// item.
///
/// Inside an async task it yields one error of kind
/// [`BlockingInAsync`](crate::ErrorKind::BlockingInAsync) and ends.
#[must_use = "iterators do nothing unless advanced"]
pub struct BlockingStream<S> {
    twin: &'static str,
    stream: Option<S>,
    blocker: Blocker,
}

impl<S, T> Iterator for BlockingStream<S>
where
    S: Stream<Item = Result<T>> + Unpin,
{
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let stream = self.stream.as_mut()?;
        let next = self
            .blocker
            .run(self.twin, stream.next().map(Option::transpose));
        if !matches!(next, Ok(Some(_))) {
            self.stream = None;
        }
        next.transpose()
    }
}

impl<S> fmt::Debug for BlockingStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingStream").finish_non_exhaustive()
    }
}
