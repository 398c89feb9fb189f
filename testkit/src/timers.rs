use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use agently_api::rt::Sleep;

use crate::sync::lock;

/// Longer sleeps never end, so that no sum of times overflows.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A clock that timers can be put on.
pub(crate) trait TimeSource: Send + Sync + 'static {
    /// The time. Must not lock [`timers`](Self::timers).
    fn now(&self) -> Instant;

    /// The timers. Time is only moved while they are locked, so that none is missed.
    fn timers(&self) -> &Mutex<Timers>;

    /// A timer was added.
    fn added(&self) {}
}

/// Wakers by deadline; in the order they were added where deadlines are equal.
#[derive(Default)]
pub(crate) struct Timers {
    waiting: BTreeMap<(Instant, u64), Waker>,
    next_id: u64,
}

impl Timers {
    /// The first deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.waiting.keys().next().map(|(deadline, _)| *deadline)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes out what is due, in order. Wake them after unlocking.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let later = self.waiting.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.waiting, later)
            .into_values()
            .collect()
    }
}

/// A sleep on `source`, counted from now.
pub(crate) fn sleep(source: Arc<impl TimeSource>, duration: Duration) -> Sleep {
    let deadline = (duration < FOREVER)
        .then(|| source.now().checked_add(duration))
        .flatten();
    Sleep::new(Alarm {
        source,
        deadline,
        key: None,
    })
}

struct Alarm<S: TimeSource> {
    source: Arc<S>,
    /// `None` never comes.
    deadline: Option<Instant>,
    key: Option<(Instant, u64)>,
}

impl<S: TimeSource> Future for Alarm<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let source = Arc::clone(&self.source);
        let mut timers = lock(source.timers());
        let old = self.key.take().and_then(|key| timers.waiting.remove(&key));
        let due = source.now() >= deadline;
        if !due {
            let key = (deadline, timers.next_id);
            timers.next_id += 1;
            timers.waiting.insert(key, cx.waker().clone());
            self.key = Some(key);
        }
        drop(timers);
        // Dropping a waker may run code of others.
        drop(old);
        if due {
            return Poll::Ready(());
        }
        source.added();
        Poll::Pending
    }
}

impl<S: TimeSource> Drop for Alarm<S> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let old = lock(self.source.timers()).waiting.remove(&key);
            drop(old);
        }
    }
}
