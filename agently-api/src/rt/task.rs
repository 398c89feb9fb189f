use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use futures_util::future::{AbortHandle, Abortable, FutureExt};

use super::block_on::marked;
use super::{Executor, SpawnError};

/// A handle to background work: its result, and its life.
///
/// The same on every runtime: awaiting gives the result; **dropping the handle cancels the work**;
/// [`detach`](Self::detach) lets it run on by itself; a panic inside is an error value.
///
/// # Cancel safety
///
/// Awaiting `&mut task` is cancel safe. Dropping the task cancels the work: its future is dropped
/// at its next wake-up, which the drop causes. Blocking jobs cannot be interrupted; if they have
/// not begun they do not run, else their result is discarded.
#[must_use = "dropping a task cancels it; await it or call `detach`"]
pub struct Task<T> {
    result: oneshot::Receiver<Result<T, JoinError>>,
    abort: Option<AbortHandle>,
}

impl<T: Send + 'static> Task<T> {
    pub(super) fn spawn(
        executor: &dyn Executor,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        let (sender, result) = oneshot::channel();
        let (abort, registration) = AbortHandle::new_pair();
        // The block owns the future, so that a panic while it is dropped is caught as well.
        let work = async move { Abortable::new(future, registration).await };
        let work = marked(AssertUnwindSafe(work).catch_unwind());
        let spawned = executor.spawn(Box::pin(async move {
            let outcome = match work.await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(_aborted)) => Err(JoinError::cancelled()),
                Err(panic) => Err(JoinError::panicked(panic.as_ref())),
            };
            // A receiver that is gone has detached or cancelled: nobody waits for this.
            let _ = sender.send(outcome);
        }));
        Self::started(result, abort, spawned)
    }

    pub(super) fn spawn_blocking(
        executor: &dyn Executor,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        let (sender, result) = oneshot::channel();
        let (abort, _registration) = AbortHandle::new_pair();
        let aborted = abort.clone();
        let spawned = executor.spawn_blocking(Box::new(move || {
            if aborted.is_aborted() {
                return;
            }
            let outcome = std::panic::catch_unwind(AssertUnwindSafe(job))
                .map_err(|panic| JoinError::panicked(panic.as_ref()));
            let _ = sender.send(outcome);
        }));
        Self::started(result, abort, spawned)
    }

    fn started(
        result: oneshot::Receiver<Result<T, JoinError>>,
        abort: AbortHandle,
        spawned: Result<(), SpawnError>,
    ) -> Self {
        match spawned {
            Ok(()) => Self {
                result,
                abort: Some(abort),
            },
            Err(error) => {
                let (sender, result) = oneshot::channel();
                let _ = sender.send(Err(JoinError::refused(error)));
                Self {
                    result,
                    abort: None,
                }
            }
        }
    }
}

impl<T> Task<T> {
    /// Lets the work run on without the handle; its result is discarded.
    pub fn detach(mut self) {
        self.abort = None;
    }

    /// Asks the work to stop. Awaiting the task then gives [`JoinErrorKind::Cancelled`], unless it
    /// had finished already, or is a blocking job that had begun.
    pub fn cancel(&self) {
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.result.poll_unpin(cx).map(|outcome| match outcome {
            Ok(outcome) => outcome,
            // The executor dropped the future: it was shut down.
            Err(oneshot::Canceled) => Err(JoinError::cancelled()),
        })
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

/// Why a [`Task`] has no result.
#[derive(Clone, Debug)]
pub struct JoinError {
    kind: JoinErrorKind,
    message: Option<String>,
}

/// The kinds of [`JoinError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinErrorKind {
    /// The work was cancelled, or its runtime was shut down while it ran.
    Cancelled,
    /// The work panicked. The message is in the error's `Display`.
    Panicked,
    /// The runtime had been shut down before the work was given to it.
    Refused,
}

impl JoinError {
    fn cancelled() -> Self {
        Self {
            kind: JoinErrorKind::Cancelled,
            message: None,
        }
    }

    fn refused(error: SpawnError) -> Self {
        Self {
            kind: JoinErrorKind::Refused,
            message: Some(error.to_string()),
        }
    }

    fn panicked(panic: &(dyn Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Self {
            kind: JoinErrorKind::Panicked,
            message,
        }
    }

    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> JoinErrorKind {
        self.kind
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.as_deref();
        match self.kind {
            JoinErrorKind::Cancelled => f.write_str("the task was cancelled"),
            JoinErrorKind::Refused => f.write_str(message.unwrap_or("the task was refused")),
            JoinErrorKind::Panicked => match message {
                Some(message) => write!(f, "the task panicked: {message}"),
                None => f.write_str("the task panicked"),
            },
        }
    }
}

impl Error for JoinError {}
