use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use agently_api::rt::Sleep;
use agently_api::sink::{SinkClosed, StreamSink};
use futures_core::Stream;
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;

use crate::driver::Driver;
use crate::engine::{Key, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::execution::Execution;
use crate::shared::Shared;

/// The items that an execution puts into its stream.
///
/// Every reader sees every item from the first on, however late it was made, until the close. An
/// execution that failed or was cancelled ends it with an error item.
///
/// # Cancel safety
///
/// `next()` is cancel safe.
#[must_use = "streams do nothing unless polled"]
pub struct RuntimeStream {
    source: Source,
    driver: Option<Driver>,
    /// Keeps the execution alive.
    _handle: Option<Execution>,
    limit: Option<(Duration, Sleep)>,
}

enum Source {
    Open { shared: Arc<Shared>, reader: Key },
    Ended(Option<Error>),
}

impl RuntimeStream {
    pub(crate) fn new(shared: Arc<Shared>, handle: Option<Execution>) -> Self {
        let (reader, gone) = shared.with(|engine| engine.open_reader());
        let source = Source::Open { shared, reader };
        let mut stream = Self {
            source,
            driver: None,
            _handle: handle,
            limit: None,
        };
        if gone > 0 {
            stream.end(Some(lagged(gone)));
        }
        stream
    }

    pub(crate) fn driven(shared: Arc<Shared>, driver: Driver) -> Self {
        let mut stream = Self::new(shared, None);
        stream.driver = Some(driver);
        stream
    }

    pub(crate) fn refused(error: Error) -> Self {
        Self {
            source: Source::Ended(Some(error)),
            driver: None,
            _handle: None,
            limit: None,
        }
    }

    /// Waits no longer than `limit` for an item; then the last item is an error of kind
    /// [`ReadTimeout`](ErrorKind::ReadTimeout).
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        if let Source::Open { shared, .. } = &self.source {
            self.limit = Some((limit, shared.runtime.sleep(limit)));
        }
        self
    }

    /// Sends every item into a sink, until the stream ends or the sink is closed.
    ///
    /// # Errors
    ///
    /// The error item the stream ended with. A closed sink is a normal stop.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may lose the item that was being sent.
    pub async fn pipe(mut self, mut sink: impl StreamSink<Value>) -> Result<()> {
        while let Some(item) = self.next().await {
            if let Err(SinkClosed) = sink.send(item?).await {
                return Ok(());
            }
        }
        // A sink that is closed has nothing to flush.
        let _ = sink.finish().await;
        Ok(())
    }

    fn end(&mut self, error: Option<Error>) {
        self.close();
        self.source = Source::Ended(error);
    }

    fn close(&mut self) {
        if let Source::Open { shared, reader } = &self.source {
            shared.with(|engine| engine.close_reader(*reader));
        }
    }
}

impl Stream for RuntimeStream {
    type Item = Result<Value>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut driven = false;
        loop {
            let (shared, reader) = match &mut this.source {
                Source::Ended(error) => return Poll::Ready(error.take().map(Err)),
                Source::Open { shared, reader } => (shared, *reader),
            };
            match shared.with(|engine| engine.read(reader, cx)) {
                Read::Item(item) => {
                    if let Some((limit, sleep)) = &mut this.limit {
                        *sleep = shared.runtime.sleep(*limit);
                    }
                    let item = Arc::try_unwrap(item).unwrap_or_else(|item| (*item).clone());
                    return Poll::Ready(Some(Ok(item)));
                }
                Read::Lagged(gone) => this.end(Some(lagged(gone))),
                Read::Ended(error) => this.end(error),
                Read::Pending => {
                    if let Some(driver) = this.driver.as_mut().filter(|_| !driven) {
                        driven = true;
                        if driver.poll_unpin(cx).is_ready() {
                            this.driver = None;
                        }
                        continue;
                    }
                    if let Some((limit, sleep)) = &mut this.limit {
                        if sleep.poll_unpin(cx).is_ready() {
                            let error = Error::new(
                                ErrorKind::ReadTimeout,
                                format!(
                                    "no stream item came within {limit:?}; the execution may put more"
                                ),
                            );
                            this.end(Some(error));
                            continue;
                        }
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}

impl Drop for RuntimeStream {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for RuntimeStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeStream").finish_non_exhaustive()
    }
}

fn lagged(gone: u64) -> Error {
    Error::new(
        ErrorKind::StreamLagged,
        format!(
            "{gone} stream items are gone: this stream has a capacity, and its readers must be \
             there from the start"
        ),
    )
}
