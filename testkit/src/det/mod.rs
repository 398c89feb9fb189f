//! A deterministic runtime: one thread, an order that a seed chooses, virtual time, and a network
//! in memory.
//!
//! A test that depends on the order of events runs here under many seeds; a seed that fails is a
//! reproduction.

mod network;
mod parts;
mod scheduler;

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use agently_api::rt::Runtime;

pub use network::Listener;
use network::Network;
use parts::{DetClock, DetConnector, DetExecutor};
use scheduler::{Scheduler, Turn};

use crate::clock::VirtualTime;

/// Polls in one moment of virtual time after which a run counts as going round in circles.
const MOST_POLLS: u64 = 1_000_000;

/// A deterministic runtime.
///
/// [`block_on`](Self::block_on) polls one ready task after the other; which one, the seed decides.
/// When nothing is ready, time jumps to the next timer, so that a minute of sleep costs nothing.
/// When there is no timer either, everything is stuck, and that is an error instead of a hang.
/// One seed gives one order, bit for bit, as long as the code under test starts no threads and
/// iterates over no `HashMap`.
///
/// Blocking jobs run in line, as tasks; blocking calls are refused everywhere, since nothing would
/// move while they wait. Dropping the `Det` drops its tasks.
///
/// ```
/// use std::time::Duration;
/// use agently_testkit::det::Det;
///
/// let det = Det::new(7);
/// let runtime = det.runtime();
/// let slept = det.block_on(async {
///     let began = runtime.now();
///     runtime.sleep(Duration::from_secs(3600)).await;
///     runtime.now() - began
/// })?;
/// assert_eq!(slept, Duration::from_secs(3600));
/// # Ok::<(), agently_testkit::det::Stuck>(())
/// ```
pub struct Det {
    runtime: Runtime,
    scheduler: Arc<Scheduler>,
    time: Arc<VirtualTime>,
    network: Arc<Network>,
    running: Cell<bool>,
    seed: u64,
}

impl Det {
    /// A runtime whose order `seed` chooses.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let time = Arc::new(VirtualTime::new());
        let scheduler = Arc::new(Scheduler::new(seed, Arc::clone(&time)));
        let network = Arc::new(Network::new(seed));
        Self {
            runtime: Runtime::new(
                DetExecutor(Arc::clone(&scheduler)),
                DetClock(Arc::clone(&time)),
                DetConnector(Arc::clone(&network)),
            ),
            scheduler,
            time,
            network,
            running: Cell::new(false),
            seed,
        }
    }

    /// The runtime to hand to the code under test. Every call gives a clone of the same one.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        self.runtime.clone()
    }

    /// Runs everything until `future` is done. Other tasks stay as they are for the next call.
    ///
    /// # Errors
    ///
    /// [`Stuck`] when `future` cannot get any further.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Stuck> {
        let _running =
            Running::begin(&self.running).ok_or_else(|| self.stuck(StuckKind::Nested))?;
        let mut future = pin!(future);
        let main = self.scheduler.begin_main();
        let mut polls_now = 0;
        loop {
            match self.scheduler.turn() {
                Turn::Main => {
                    let mut cx = Context::from_waker(&main);
                    if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                        return Ok(output);
                    }
                }
                Turn::Task => {}
                Turn::Idle if self.time.jump() => {
                    polls_now = 0;
                    continue;
                }
                Turn::Idle => return Err(self.stuck(StuckKind::Deadlock)),
            }
            polls_now += 1;
            if polls_now >= MOST_POLLS {
                return Err(self.stuck(StuckKind::Livelock));
            }
        }
    }

    /// Opens a port of `host` for connections of this runtime.
    ///
    /// Reads on both ends of a connection are cut at places that the seed chooses.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if it is open already.
    pub fn listen(&self, host: &str, port: u16) -> io::Result<Listener> {
        Network::listen(&self.network, host, port)
    }

    /// Virtual time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.time.elapsed()
    }

    /// A number that stands for everything that has run so far: which task was polled, in which
    /// order, at which moment. Two equal runs have the same.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.scheduler.fingerprint()
    }

    /// Refuses new tasks from now on and drops those there are.
    pub fn shutdown(&self) {
        self.scheduler.shutdown();
    }

    fn stuck(&self, kind: StuckKind) -> Stuck {
        Stuck {
            kind,
            seed: self.seed,
            elapsed: self.elapsed(),
            tasks: self.scheduler.tasks(),
        }
    }
}

impl Drop for Det {
    fn drop(&mut self) {
        // Tasks usually hold the runtime that holds them.
        self.shutdown();
    }
}

impl fmt::Debug for Det {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Det")
            .field("seed", &self.seed)
            .field("elapsed", &self.elapsed())
            .field("tasks", &self.scheduler.tasks())
            .finish_non_exhaustive()
    }
}

/// Says that a run is going on, also when it ends by a panic.
struct Running<'a>(&'a Cell<bool>);

impl<'a> Running<'a> {
    fn begin(running: &'a Cell<bool>) -> Option<Self> {
        (!running.replace(true)).then_some(Self(running))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A run of [`Det`] cannot get any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    kind: StuckKind,
    seed: u64,
    elapsed: Duration,
    tasks: usize,
}

/// The kinds of [`Stuck`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StuckKind {
    /// Nothing is ready and no timer is set: nobody will ever wake anybody.
    Deadlock,
    /// A million polls, and no time has passed: something wakes itself for ever.
    Livelock,
    /// `block_on` was called inside `block_on`.
    Nested,
}

impl Stuck {
    /// What it is stuck in.
    #[must_use]
    pub fn kind(&self) -> StuckKind {
        self.kind
    }

    /// The seed that leads here.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            elapsed,
            tasks,
            ..
        } = self;
        match self.kind {
            StuckKind::Deadlock => write!(
                f,
                "deadlock with seed {seed} at {elapsed:?}: the future and {tasks} tasks wait, \
                 nothing is ready and no timer is set"
            ),
            StuckKind::Livelock => write!(
                f,
                "livelock with seed {seed} at {elapsed:?}: {MOST_POLLS} polls and no time has \
                 passed, with {tasks} tasks; something wakes itself for ever"
            ),
            StuckKind::Nested => write!(
                f,
                "`Det::block_on` was called inside itself (seed {seed}); await the future instead"
            ),
        }
    }
}

impl Error for Stuck {}
