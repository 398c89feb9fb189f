//! The smallest runtime that passes the suite, made by hand from `std`: an example to copy from.
//!
//! One thread runs the tasks, one waits for timers, each blocking job gets its own; sockets that
//! are not ready are asked again every millisecond. It is honest, and slow on purpose: read it, use
//! it as a third runtime in tests, and do better.

mod clock;
mod connector;
mod executor;

use std::io;
use std::sync::Arc;

use agently_api::rt::Runtime;

use clock::HandClock;
use connector::HandConnector;
use executor::{HandExecutor, Queue};

/// A runtime made by hand.
///
/// It shuts down when this and every [`Runtime`] made from it have been dropped, or when asked to.
///
/// ```
/// let hand = agently_testkit::hand::HandRuntime::new()?;
/// let runtime = hand.runtime();
/// assert_eq!(runtime.block_on(runtime.spawn(async { 42 }))??, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct HandRuntime {
    runtime: Runtime,
    queue: Arc<Queue>,
}

impl HandRuntime {
    /// Starts the two threads.
    ///
    /// # Errors
    ///
    /// What the system said when a thread could not be started.
    pub fn new() -> io::Result<Self> {
        let queue = Arc::new(Queue::start()?);
        let clock = HandClock::start()?;
        Ok(Self {
            runtime: Runtime::new(
                HandExecutor(Arc::clone(&queue)),
                clock.clone(),
                HandConnector(clock),
            ),
            queue,
        })
    }

    /// The runtime to hand to Agently. Every call gives a clone of the same one.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        self.runtime.clone()
    }

    /// Refuses new tasks from now on and drops those that run, each at its next `.await`.
    pub fn shutdown(&self) {
        self.queue.close();
    }
}
