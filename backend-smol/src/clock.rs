use std::time::{Duration, Instant, SystemTime};

use agently_api::rt::{Clock, Sleep};
use async_io::Timer;

#[derive(Clone, Copy, Debug)]
pub(crate) struct SmolClock;

impl Clock for SmolClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a backend is where time comes from"
    )]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a backend is where time comes from"
    )]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let timer = Timer::after(duration);
        Sleep::new(async move {
            timer.await;
        })
    }
}
