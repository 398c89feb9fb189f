//! The tokio runtime for Agently.
//!
//! | you have | you call | you get |
//! |---|---|---|
//! | nothing | [`runtime()`] | a background runtime on threads of its own, shared by the whole process |
//! | a tokio runtime | [`with_handle`] | a [`Runtime`] on that one |
//! | a wish to shut it down | [`Tokio::new`] | an independent background runtime |
//!
//! No ambient handle is ever captured: what runs where is decided by the call above and by nothing
//! else. That is why two `#[tokio::test]` functions, one after the other, can share one process.
//!
//! ```
//! use std::time::Duration;
//!
//! let runtime = agently_backend_tokio::runtime()?;
//! let task = runtime.spawn({
//!     let runtime = runtime.clone();
//!     async move {
//!         runtime.sleep(Duration::from_millis(1)).await;
//!         6 * 7
//!     }
//! });
//! assert_eq!(runtime.block_on(task)??, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Blocking calls
//!
//! A call that blocks is refused inside any tokio task, ours or not, and inside
//! `tokio::runtime::Runtime::block_on`; it works on plain threads, in `spawn_blocking`, and in a
//! `block_in_place` that is not inside a task of ours. How that is told apart, and its one limit
//! (`tokio::task::unconstrained`), is written at [`with_handle`].

mod clock;
mod connector;
mod executor;
mod liveness;

use std::io;
use std::sync::{Arc, OnceLock};

use agently_api::rt::Runtime;
use tokio::runtime::Handle;

use crate::clock::TokioClock;
use crate::connector::TokioConnector;
use crate::executor::TokioExecutor;
use crate::liveness::Liveness;

/// Worker threads of a background runtime. The work is waiting for sockets, not computing.
const WORKERS: usize = 2;

/// The background runtime that the whole process shares: two worker threads named `agently-tokio`,
/// started by the first call.
///
/// It belongs to no runtime of the caller and lives as long as the process.
///
/// # Errors
///
/// What the system said when the threads could not be started. The next call tries again.
pub fn runtime() -> io::Result<Runtime> {
    static SHARED: OnceLock<Tokio> = OnceLock::new();
    if let Some(shared) = SHARED.get() {
        return Ok(shared.runtime());
    }
    // Two first calls at the same moment may both build one; the second is dropped unused.
    let built = Tokio::new()?;
    Ok(SHARED.get_or_init(|| built).runtime())
}

/// A [`Runtime`] on the tokio runtime behind `handle`.
///
/// That runtime needs its drivers: build it with `enable_all()`, as `#[tokio::main]` does. tokio
/// panics when a timer or a socket is made on one without. It may be shut down by whoever owns it
/// at any time: new tasks are then refused, sockets give errors, and timers end at once, so that
/// nothing waits for ever. To notice that, one idle task is added to it, which ends with the last
/// clone of the [`Runtime`].
///
/// # Blocking calls
///
/// tokio gives each poll of a task, and of the future in `block_on`, a budget of operations, and
/// none to `spawn_blocking`, `block_in_place` and plain threads (with or without
/// `Handle::enter`). That is what tells them apart. A future inside `tokio::task::unconstrained`
/// has no budget either and looks like a plain thread: a blocking call there holds the worker up.
///
/// A current-thread runtime moves only while its owner is inside `block_on`. A blocking call from
/// another thread waits for that; if the owner never drives it, the call waits for ever. In a
/// program that is not async, use [`runtime()`] instead.
///
/// ```
/// let owner = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// let runtime = agently_backend_tokio::with_handle(owner.handle());
/// let answer = owner.block_on(async { runtime.spawn(async { 42 }).await })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn with_handle(handle: &Handle) -> Runtime {
    bundle(handle, Arc::new(Liveness::watch(handle)))
}

fn bundle(handle: &Handle, alive: Arc<Liveness>) -> Runtime {
    let clock = TokioClock::new(handle.clone(), Arc::clone(&alive));
    Runtime::new(
        TokioExecutor::new(handle.clone(), Arc::clone(&alive)),
        clock.clone(),
        TokioConnector::new(handle.clone(), clock, alive),
    )
}

/// An independent background runtime, which its owner can shut down.
///
/// It also shuts down when this and every [`Runtime`] made from it have been dropped. A timer holds
/// it until it is over; a socket does not, and gives errors from then on.
///
/// ```
/// use agently_api::rt::JoinErrorKind;
///
/// let tokio = agently_backend_tokio::Tokio::new()?;
/// let runtime = tokio.runtime();
/// tokio.shutdown();
/// let refused = runtime.block_on(runtime.spawn(async {}))?.unwrap_err();
/// assert_eq!(refused.kind(), JoinErrorKind::Refused);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Tokio {
    runtime: Runtime,
    alive: Arc<Liveness>,
}

impl Tokio {
    /// Starts a runtime with two worker threads named `agently-tokio`.
    ///
    /// # Errors
    ///
    /// What the system said when the threads could not be started.
    pub fn new() -> io::Result<Self> {
        Self::with_workers(WORKERS)
    }

    /// Starts a runtime with `workers` worker threads; 0 counts as 1.
    ///
    /// # Errors
    ///
    /// What the system said when the threads could not be started.
    pub fn with_workers(workers: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers.max(1))
            .thread_name("agently-tokio")
            .enable_io()
            .enable_time()
            .build()?;
        let handle = runtime.handle().clone();
        let alive = Arc::new(Liveness::own(runtime));
        Ok(Self {
            runtime: bundle(&handle, Arc::clone(&alive)),
            alive,
        })
    }

    /// The runtime to hand to Agently. Every call gives a clone of the same one.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        self.runtime.clone()
    }

    /// Refuses new tasks from now on and drops those that run, each at its next `.await`.
    ///
    /// It does not wait for that. Blocking jobs that have begun run to their end; sockets give
    /// errors and timers end at once.
    pub fn shutdown(&self) {
        self.alive.shutdown();
    }
}
