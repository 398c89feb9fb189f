use std::error::Error;
use std::fmt;

use crate::BoxFuture;

/// Runs futures and blocking jobs.
///
/// Implementors get boxed unit futures: results, cancellation and panics are dealt with once, in
/// [`Task`](super::Task), so that they behave the same on every runtime.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an executor",
    note = "implement `agently_api::rt::Executor`, or take one from `agently-backend-tokio` or `agently-backend-smol`"
)]
pub trait Executor: fmt::Debug + Send + Sync + 'static {
    /// Starts `future` in the background.
    ///
    /// The future never panics when it comes from [`Runtime::spawn`](super::Runtime::spawn): the
    /// panic is caught inside it.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] when the executor has been shut down; the future is dropped.
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError>;

    /// Runs `job` on a thread where blocking is allowed.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] when the executor has been shut down; the job is dropped.
    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError>;

    /// Whether the current thread may be blocked to wait for a future of this runtime.
    ///
    /// True on plain threads and inside [`spawn_blocking`](Self::spawn_blocking); false while a
    /// task is being polled. The default asks [`in_task`](super::in_task), which knows the tasks
    /// started through [`Runtime`](super::Runtime); a backend that can also recognise foreign
    /// tasks of its runtime says so here.
    fn may_block(&self) -> bool {
        !super::in_task()
    }
}

/// The executor has been shut down and takes no more work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnError(());

impl SpawnError {
    /// The error an executor returns after its shutdown.
    #[must_use]
    pub fn shutdown() -> Self {
        Self(())
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the runtime has been shut down and takes no new tasks")
    }
}

impl Error for SpawnError {}
