use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::runtime::{Handle, Runtime};
use tokio::task::AbortHandle;

/// Knows whether the tokio runtime behind a handle still runs, and keeps it from going away for a
/// moment.
///
/// tokio panics when a timer is polled after the shutdown, and a handle cannot be asked. But on
/// shutdown tokio drops every task before it stops its drivers: a task that only waits, and closes
/// the gate when it is dropped, closes it in time.
pub(crate) struct Liveness {
    gate: Arc<Gate>,
    sentinel: AbortHandle,
    owned: Mutex<Option<Runtime>>,
}

impl Liveness {
    /// Watches a runtime that belongs to somebody else.
    pub(crate) fn watch(handle: &Handle) -> Self {
        let gate = Arc::new(Gate::default());
        let sentinel = Sentinel(Arc::clone(&gate));
        let task = handle.spawn(async move {
            let _sentinel = sentinel;
            pending::<()>().await;
        });
        Self {
            gate,
            sentinel: task.abort_handle(),
            owned: Mutex::new(None),
        }
    }

    /// Watches `runtime` and holds it until the shutdown.
    pub(crate) fn own(runtime: Runtime) -> Self {
        let mut watching = Self::watch(runtime.handle());
        watching.owned = Mutex::new(Some(runtime));
        watching
    }

    /// Calls `f` if the runtime has not been shut down; it is not shut down meanwhile.
    pub(crate) fn hold<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        let closed = self
            .gate
            .closed
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        (!*closed).then(f)
    }

    /// Whether the runtime has been shut down.
    pub(crate) fn is_over(&self) -> bool {
        *self
            .gate
            .closed
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Shuts the runtime down, if it is held here.
    pub(crate) fn shutdown(&self) {
        self.gate.close();
        let owned = self
            .owned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(runtime) = owned {
            // A plain drop would wait, which tokio forbids inside a task.
            runtime.shutdown_background();
        }
    }
}

impl Drop for Liveness {
    fn drop(&mut self) {
        self.sentinel.abort();
        self.shutdown();
    }
}

impl fmt::Debug for Liveness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Liveness")
            .field("is_over", &self.is_over())
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Gate {
    closed: RwLock<bool>,
}

impl Gate {
    fn close(&self) {
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

/// Lives in a task of the runtime.
struct Sentinel(Arc<Gate>);

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.0.close();
    }
}
