use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use agently_api::rt::{Clock, Sleep};

use crate::sync::lock;
use crate::timers::{self, TimeSource, Timers};

/// A clock with a thread that wakes the sleepers.
#[derive(Clone)]
pub(super) struct HandClock(Arc<Owner>);

impl HandClock {
    pub(super) fn start() -> io::Result<Self> {
        let alarms = Arc::new(Alarms::default());
        let owner = Arc::new(Owner(Arc::clone(&alarms)));
        thread::Builder::new()
            .name("hand-timers".to_owned())
            .spawn(move || alarms.ring())?;
        Ok(Self(owner))
    }
}

impl Clock for HandClock {
    fn now(&self) -> Instant {
        self.0.now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a runtime is where time comes from"
    )]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        timers::sleep(Arc::clone(&self.0), duration)
    }
}

impl fmt::Debug for HandClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandClock").finish_non_exhaustive()
    }
}

/// Held by the clock and its sleeps; the thread ends with the last of them.
struct Owner(Arc<Alarms>);

impl TimeSource for Owner {
    #[expect(
        clippy::disallowed_methods,
        reason = "a runtime is where time comes from"
    )]
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timers(&self) -> &Mutex<Timers> {
        &self.0.timers
    }

    fn added(&self) {
        self.0.changed.notify_one();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let timers = lock(&self.0.timers);
        self.0.over.store(true, Ordering::Relaxed);
        drop(timers);
        self.0.changed.notify_one();
    }
}

#[derive(Default)]
struct Alarms {
    timers: Mutex<Timers>,
    changed: Condvar,
    /// Written and read under the lock of `timers`.
    over: AtomicBool,
}

impl Alarms {
    #[expect(
        clippy::disallowed_methods,
        reason = "a runtime is where time comes from"
    )]
    fn ring(&self) {
        let mut timers = lock(&self.timers);
        while !self.over.load(Ordering::Relaxed) {
            let now = Instant::now();
            let due = timers.take_due(now);
            if !due.is_empty() {
                drop(timers);
                for waker in due {
                    waker.wake();
                }
                timers = lock(&self.timers);
                continue;
            }
            timers = match timers.next() {
                Some(next) => {
                    self.changed
                        .wait_timeout(timers, next.saturating_duration_since(now))
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self
                    .changed
                    .wait(timers)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}
