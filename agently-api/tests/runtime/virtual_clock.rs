//! A clock that jumps to the next timer when nothing else can happen.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant, SystemTime};

use agently_api::rt::{Clock, Sleep};

#[derive(Clone, Debug)]
pub(crate) struct VirtualClock {
    start: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    elapsed: Duration,
    timers: Vec<(Duration, Waker)>,
}

impl VirtualClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "an `Instant` can be made in no other way; only its distance to later ones counts"
    )]
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            state: Arc::default(),
        }
    }

    /// Virtual time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.state.lock().unwrap().elapsed
    }

    /// Runs `future` to its end, jumping from timer to timer.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let woken = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            if !woken.0.swap(false, Ordering::SeqCst) {
                self.jump();
            }
        }
    }

    /// Goes to the earliest timer and fires what is due.
    fn jump(&self) {
        let mut state = self.state.lock().unwrap();
        let next = state.timers.iter().map(|(at, _)| *at).min();
        let next = next.expect("the future waits for something that cannot happen");
        state.elapsed = state.elapsed.max(next);
        let (due, later) = std::mem::take(&mut state.timers)
            .into_iter()
            .partition::<Vec<_>, _>(|(at, _)| *at <= next);
        state.timers = later;
        drop(state);
        for (_, waker) in due {
            waker.wake();
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.start + self.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let at = self.elapsed() + duration;
        let state = Arc::clone(&self.state);
        Sleep::new(std::future::poll_fn(move |cx| {
            let mut state = state.lock().unwrap();
            if state.elapsed >= at {
                return Poll::Ready(());
            }
            state.timers.push((at, cx.waker().clone()));
            Poll::Pending
        }))
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
