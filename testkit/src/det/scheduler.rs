use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Wake, Waker};

use agently_api::rt::SpawnError;
use agently_api::BoxFuture;

use crate::clock::VirtualTime;
use crate::sync::lock;

/// The future of `block_on`.
const MAIN: u64 = 0;

/// Tasks, and which of them is polled next.
pub(super) struct Scheduler {
    state: Mutex<State>,
    time: Arc<VirtualTime>,
}

struct State {
    rng: fastrand::Rng,
    ready: Vec<u64>,
    tasks: BTreeMap<u64, Slot>,
    next_id: u64,
    closed: bool,
    fingerprint: u64,
}

struct Slot {
    /// `None` while it is being polled, and always for the main future.
    future: Option<BoxFuture<'static, ()>>,
    waker: Waker,
    queued: bool,
}

/// A task taken out to be polled.
type Work = (BoxFuture<'static, ()>, Waker);

/// What a turn came to.
pub(super) enum Turn {
    /// The main future is to be polled.
    Main,
    /// A task was polled.
    Task,
    /// Nothing was ready.
    Idle,
}

impl Scheduler {
    pub(super) fn new(seed: u64, time: Arc<VirtualTime>) -> Self {
        Self {
            state: Mutex::new(State {
                rng: fastrand::Rng::with_seed(seed),
                ready: Vec::new(),
                tasks: BTreeMap::new(),
                next_id: MAIN + 1,
                closed: false,
                fingerprint: 0,
            }),
            time,
        }
    }

    pub(super) fn spawn(
        self: &Arc<Self>,
        future: BoxFuture<'static, ()>,
    ) -> Result<(), SpawnError> {
        let mut state = lock(&self.state);
        if state.closed {
            drop(state);
            return Err(SpawnError::shutdown());
        }
        let id = state.next_id;
        state.next_id += 1;
        state.add(id, Some(future), self.waker(id));
        Ok(())
    }

    /// Makes the main future ready and gives its waker.
    pub(super) fn begin_main(self: &Arc<Self>) -> Waker {
        let waker = self.waker(MAIN);
        let mut state = lock(&self.state);
        state.ready.retain(|id| *id != MAIN);
        state.add(MAIN, None, waker.clone());
        waker
    }

    /// Takes one of what is ready and polls it, unless it is the main future.
    pub(super) fn turn(&self) -> Turn {
        let Some((id, work)) = self.next() else {
            return Turn::Idle;
        };
        if id == MAIN {
            return Turn::Main;
        }
        // A task may have ended since it was woken.
        if let Some((mut future, waker)) = work {
            let ended = future.as_mut().poll(&mut Context::from_waker(&waker));
            let mut state = lock(&self.state);
            // The slot is gone after a shutdown.
            match state.tasks.get_mut(&id) {
                Some(slot) if ended.is_pending() => slot.future = Some(future),
                _ => {
                    let slot = state.tasks.remove(&id);
                    drop(state);
                    drop((slot, future));
                }
            }
        }
        Turn::Task
    }

    fn next(&self) -> Option<(u64, Option<Work>)> {
        let mut state = lock(&self.state);
        if state.ready.is_empty() {
            return None;
        }
        let count = state.ready.len();
        let chosen = state.rng.usize(..count);
        let id = state.ready.swap_remove(chosen);
        let now = u64::try_from(self.time.elapsed().as_nanos()).unwrap_or(u64::MAX);
        for word in [id, now] {
            // FNV-1a, word by word.
            state.fingerprint = (state.fingerprint ^ word).wrapping_mul(0x0100_0000_01b3);
        }
        let work = state.tasks.get_mut(&id).and_then(|slot| {
            slot.queued = false;
            Some((slot.future.take()?, slot.waker.clone()))
        });
        Some((id, work))
    }

    pub(super) fn shutdown(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let main = state.tasks.remove(&MAIN);
        let dropped = std::mem::take(&mut state.tasks);
        if let Some(main) = main {
            state.tasks.insert(MAIN, main);
        }
        state.ready.retain(|id| *id == MAIN);
        drop(state);
        // Outside the lock: the drops of futures may spawn and wake.
        drop(dropped);
    }

    /// How many tasks there are, without the main future.
    pub(super) fn tasks(&self) -> usize {
        lock(&self.state)
            .tasks
            .keys()
            .filter(|id| **id != MAIN)
            .count()
    }

    pub(super) fn fingerprint(&self) -> u64 {
        lock(&self.state).fingerprint
    }

    fn wake(&self, id: u64) {
        let mut state = lock(&self.state);
        if let Some(slot) = state.tasks.get_mut(&id) {
            if !std::mem::replace(&mut slot.queued, true) {
                state.ready.push(id);
            }
        }
    }

    fn waker(self: &Arc<Self>, id: u64) -> Waker {
        Waker::from(Arc::new(TaskWaker {
            id,
            scheduler: Arc::downgrade(self),
        }))
    }
}

impl State {
    fn add(&mut self, id: u64, future: Option<BoxFuture<'static, ()>>, waker: Waker) {
        let slot = Slot {
            future,
            waker,
            queued: true,
        };
        self.tasks.insert(id, slot);
        self.ready.push(id);
    }
}

struct TaskWaker {
    id: u64,
    scheduler: Weak<Scheduler>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(scheduler) = self.scheduler.upgrade() {
            scheduler.wake(self.id);
        }
    }
}
