//! The smol runtime for Agently: `async-executor`, `async-io` and `blocking`, and no tokio.
//!
//! | you have | you call | you get |
//! |---|---|---|
//! | nothing, or smol's own executor | [`runtime()`] | a background runtime on threads of its own, shared by the whole process |
//! | a wish to shut it down | [`Smol::new`] | an independent background runtime |
//!
//! Tasks run on threads of Agently's own, not on smol's global executor; timers and sockets use
//! the one reactor that `async-io` keeps for the process. Futures made here can be awaited
//! anywhere, inside `smol::block_on` and `smol::spawn` too.
//!
//! ```
//! use std::time::Duration;
//!
//! let runtime = agently_backend_smol::runtime()?;
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
//! A call that blocks is refused inside the tasks of this runtime. Inside a foreign task, as of
//! `smol::spawn`, it cannot be told from a plain thread and holds that executor's thread up; it
//! does end, since this runtime's threads are others.

mod clock;
mod connector;
mod executor;
mod keep_alive;

use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use agently_api::rt::Runtime;

use crate::clock::SmolClock;
use crate::connector::SmolConnector;
use crate::executor::{SmolExecutor, Workers};

/// The most threads a runtime starts by itself. The work is waiting for sockets, not computing.
const MOST_THREADS: usize = 4;

/// The background runtime that the whole process shares, started by the first call.
///
/// It has as many threads as the machine has cores, but at most 4, named `agently-smol`, and lives
/// as long as the process.
///
/// # Errors
///
/// What the system said when the threads could not be started. The next call tries again.
pub fn runtime() -> io::Result<Runtime> {
    static SHARED: OnceLock<Smol> = OnceLock::new();
    if let Some(shared) = SHARED.get() {
        return Ok(shared.runtime());
    }
    // Two first calls at the same moment may both build one; the second is dropped unused.
    let built = Smol::new()?;
    Ok(SHARED.get_or_init(|| built).runtime())
}

/// An independent background runtime, which its owner can shut down.
///
/// It also shuts down when this and every [`Runtime`] made from it have been dropped.
///
/// ```
/// use agently_api::rt::JoinErrorKind;
///
/// let smol = agently_backend_smol::Smol::new()?;
/// let runtime = smol.runtime();
/// smol.shutdown();
/// let refused = runtime.block_on(runtime.spawn(async {}))?.unwrap_err();
/// assert_eq!(refused.kind(), JoinErrorKind::Refused);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Smol {
    runtime: Runtime,
    workers: Arc<Workers>,
}

impl Smol {
    /// Starts a runtime with as many threads as the machine has cores, but at most 4.
    ///
    /// # Errors
    ///
    /// What the system said when the threads could not be started.
    pub fn new() -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, usize::from);
        Self::with_threads(cores.min(MOST_THREADS))
    }

    /// Starts a runtime with `threads` threads named `agently-smol`; 0 counts as 1.
    ///
    /// # Errors
    ///
    /// What the system said when the threads could not be started.
    pub fn with_threads(threads: usize) -> io::Result<Self> {
        let workers = Arc::new(Workers::start(threads.max(1))?);
        Ok(Self {
            runtime: Runtime::new(
                SmolExecutor::new(Arc::clone(&workers)),
                SmolClock,
                SmolConnector,
            ),
            workers,
        })
    }

    /// The runtime to hand to Agently. Every call gives a clone of the same one.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        self.runtime.clone()
    }

    /// Refuses new tasks from now on and drops those that run, each at its next `.await`.
    ///
    /// It does not wait for that. Blocking jobs that have begun run to their end. Timers and
    /// sockets that exist keep working where they are awaited outside: they belong to the process.
    pub fn shutdown(&self) {
        self.workers.shutdown();
    }
}
