use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::block_on::{marked, BlockingInAsync};
use super::{Clock, Connector, Executor, Sleep, Task, Timeout};

/// An executor, a clock and a connector: what Agently needs of a runtime, as one cheap clone.
///
/// The backends make it (`agently_backend_tokio::runtime()`, `agently_backend_smol::runtime()`);
/// so can anybody else, with [`Runtime::new`].
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

struct Inner {
    id: u64,
    executor: Arc<dyn Executor>,
    clock: Arc<dyn Clock>,
    connector: Arc<dyn Connector>,
}

impl Runtime {
    /// Bundles the three parts.
    #[must_use]
    pub fn new(executor: impl Executor, clock: impl Clock, connector: impl Connector) -> Self {
        Self::from_parts(Arc::new(executor), Arc::new(clock), Arc::new(connector))
    }

    /// Like [`new`](Self::new), for parts that are shared already.
    #[must_use]
    pub fn from_parts(
        executor: Arc<dyn Executor>,
        clock: Arc<dyn Clock>,
        connector: Arc<dyn Connector>,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            inner: Arc::new(Inner {
                id: NEXT.fetch_add(1, Ordering::Relaxed),
                executor,
                clock,
                connector,
            }),
        }
    }

    /// Runs `future` in the background. Dropping the [`Task`] cancels it.
    ///
    /// After the executor's shutdown the task's result is an error; this call never fails.
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        Task::spawn(self.executor(), future)
    }

    /// Runs `job` on a thread where blocking is allowed.
    pub fn spawn_blocking<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Task<T> {
        Task::spawn_blocking(self.executor(), job)
    }

    /// Waits for `future` on the current thread.
    ///
    /// # Errors
    ///
    /// [`BlockingInAsync`] inside an async task, where waiting could last for ever. The future is
    /// dropped without having been polled.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, BlockingInAsync> {
        if super::in_task() || !self.executor().may_block() {
            return Err(BlockingInAsync::new());
        }
        Ok(pollster::block_on(marked(future)))
    }

    /// Limits `future` to `limit`, counted from now.
    pub fn timeout<F: Future>(&self, limit: Duration, future: F) -> Timeout<F> {
        Timeout::new(future, self.sleep(limit), limit)
    }

    /// A future that is ready after `duration`.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.clock().sleep(duration)
    }

    /// Monotonic time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock().now()
    }

    /// Calendar time.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        self.clock().wall()
    }

    /// The executor.
    #[must_use]
    pub fn executor(&self) -> &dyn Executor {
        &*self.inner.executor
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// The connector.
    #[must_use]
    pub fn connector(&self) -> &dyn Connector {
        &*self.inner.connector
    }

    /// Which runtime this is: clones are equal, and no two others are.
    ///
    /// Connection pools are keyed by it, because a connection belongs to the runtime that opened
    /// it.
    #[must_use]
    pub fn id(&self) -> RuntimeId {
        RuntimeId(self.inner.id)
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("executor", &self.inner.executor)
            .field("clock", &self.inner.clock)
            .field("connector", &self.inner.connector)
            .finish()
    }
}

/// The identity of a [`Runtime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuntimeId(u64);
