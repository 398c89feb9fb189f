use std::future::{poll_fn, Future};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use agently_api::rt::{Clock, Sleep};
use tokio::runtime::Handle;

use crate::liveness::Liveness;

/// tokio's timers and its (in tests perhaps paused) time.
#[derive(Clone, Debug)]
pub(crate) struct TokioClock {
    handle: Handle,
    alive: Arc<Liveness>,
}

impl TokioClock {
    pub(crate) fn new(handle: Handle, alive: Arc<Liveness>) -> Self {
        Self { handle, alive }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        let _entered = self.handle.enter();
        tokio::time::Instant::now().into_std()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a backend is where time comes from"
    )]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let timer = {
            let _entered = self.handle.enter();
            tokio::time::sleep(duration)
        };
        let alive = Arc::clone(&self.alive);
        Sleep::new(async move {
            let mut timer = pin!(timer);
            // After a shutdown no timer would ever fire: it ends at once instead.
            poll_fn(|cx| {
                alive
                    .hold(|| timer.as_mut().poll(cx))
                    .unwrap_or(Poll::Ready(()))
            })
            .await;
        })
    }
}
