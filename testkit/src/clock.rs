//! Time that moves when the test says so.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use agently_api::rt::{Clock, Sleep};

use crate::sync::lock;
use crate::timers::{self, TimeSource, Timers};

/// What virtual calendar clocks show at first, in seconds: the beginning of 2026, UTC.
const WALL_START: Duration = Duration::from_secs(1_767_225_600);

/// A clock that stands still until [`advance`](Self::advance) moves it. Clones are the same clock.
///
/// It works with any executor.
///
/// ```
/// use std::time::Duration;
/// use agently_api::rt::Clock;
/// use agently_testkit::clock::ManualClock;
/// use futures_util::FutureExt;
///
/// let clock = ManualClock::new();
/// let mut sleep = clock.sleep(Duration::from_secs(60));
/// assert!((&mut sleep).now_or_never().is_none());
/// clock.advance(Duration::from_secs(60));
/// assert!((&mut sleep).now_or_never().is_some());
/// ```
#[derive(Clone)]
pub struct ManualClock(Arc<VirtualTime>);

impl ManualClock {
    /// A clock that shows midnight of the first of January 2026, UTC.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(VirtualTime::new()))
    }

    /// Moves time forward and wakes every sleeper whose time has come, in the order of deadlines.
    ///
    /// Time jumps at once: a sleep that such a sleeper starts afterwards counts from the new time.
    pub fn advance(&self, duration: Duration) {
        self.0.move_to(self.0.now() + duration);
    }

    /// Moves time to the next deadline and gives how far that was, or `None` if nobody sleeps.
    #[must_use = "`None` means that time did not move"]
    pub fn advance_to_next(&self) -> Option<Duration> {
        let before = self.elapsed();
        self.0.jump().then(|| self.elapsed() - before)
    }

    /// How many sleeps are being waited for.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        lock(&self.0.timers).len()
    }

    /// How far this clock has been moved.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        timers::sleep(Arc::clone(&self.0), duration)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock")
            .field("elapsed", &self.elapsed())
            .field("sleepers", &self.sleepers())
            .finish()
    }
}

/// Time that is a number.
pub(crate) struct VirtualTime {
    base: Instant,
    /// Nanoseconds since `base`: room for 584 years.
    offset: AtomicU64,
    timers: Mutex<Timers>,
}

impl VirtualTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "an `Instant` to count from; which one makes no difference"
    )]
    pub(crate) fn new() -> Self {
        Self {
            base: Instant::now(),
            offset: AtomicU64::new(0),
            timers: Mutex::default(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.offset.load(Ordering::SeqCst))
    }

    pub(crate) fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + WALL_START + self.elapsed()
    }

    /// Moves time to the next deadline, if there is one, and says whether there was.
    pub(crate) fn jump(&self) -> bool {
        let next = lock(&self.timers).next();
        if let Some(next) = next {
            self.move_to(next);
        }
        next.is_some()
    }

    /// Moves time forward to `instant` and wakes whoever is due.
    fn move_to(&self, instant: Instant) {
        let offset = instant.saturating_duration_since(self.base).as_nanos();
        let mut timers = lock(&self.timers);
        self.offset
            .fetch_max(u64::try_from(offset).unwrap_or(u64::MAX), Ordering::SeqCst);
        let due = timers.take_due(self.now());
        drop(timers);
        for waker in due {
            waker.wake();
        }
    }
}

impl TimeSource for VirtualTime {
    fn now(&self) -> Instant {
        self.base + self.elapsed()
    }

    fn timers(&self) -> &Mutex<Timers> {
        &self.timers
    }
}
