use std::future::{pending, ready};
use std::time::Duration;

use agently_api::rt::{Clock, Timeout};
use futures_util::FutureExt;

use crate::virtual_clock::VirtualClock;
use crate::Dropped;

const LIMIT: Duration = Duration::from_secs(2);

fn limited<F: std::future::Future>(clock: &VirtualClock, limit: Duration, future: F) -> Timeout<F> {
    Timeout::new(future, clock.sleep(limit), limit)
}

#[test]
fn a_future_that_is_ready_in_time_gives_its_output() {
    let clock = VirtualClock::new();
    let work = clock.sleep(Duration::from_secs(1)).map(|()| "done");
    assert_eq!(clock.run(limited(&clock, LIMIT, work)), Ok("done"));
    assert_eq!(clock.elapsed(), Duration::from_secs(1));
}

#[test]
fn a_future_that_is_late_gives_the_limit_in_words() {
    let clock = VirtualClock::new();
    let error = clock
        .run(limited(&clock, LIMIT, pending::<()>()))
        .unwrap_err();
    assert_eq!(error.limit(), LIMIT);
    assert_eq!(error.to_string(), "not ready within 2s");
    assert_eq!(clock.elapsed(), LIMIT);
}

#[test]
fn a_future_that_is_ready_at_the_very_limit_is_not_lost() {
    let clock = VirtualClock::new();
    assert_eq!(
        clock.run(limited(&clock, Duration::ZERO, ready("done"))),
        Ok("done")
    );
    let at_the_limit = clock.sleep(LIMIT).map(|()| "done");
    assert_eq!(clock.run(limited(&clock, LIMIT, at_the_limit)), Ok("done"));
}

#[test]
fn dropping_the_limit_drops_the_work() {
    let clock = VirtualClock::new();
    let dropped = Dropped::default();
    let guard = dropped.guard();
    let timeout = limited(&clock, LIMIT, async move {
        let _guard = guard;
        pending::<()>().await;
    });
    assert!(!dropped.get());
    drop(timeout);
    assert!(dropped.get());
}
