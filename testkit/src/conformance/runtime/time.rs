use std::future::{pending, ready, Future};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, SystemTime};

use futures_util::future::{select, Either};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::FutureExt;

use super::Subject;
use crate::conformance::{ensure, same, wrong, Verified};

const SHORT: Duration = Duration::from_millis(20);

/// 2001-01-01 and a hundred years on, in seconds of Unix time.
const THIS_CENTURY: std::ops::Range<u64> = 978_307_200..4_133_980_800;

pub(super) fn now_moves_with_sleep(subject: &mut Subject) -> Verified {
    let began = subject.runtime.now();
    subject.wait(subject.runtime.sleep(SHORT))?;
    let slept = subject.runtime.now().saturating_duration_since(began);
    ensure(slept >= SHORT, "the sleep ended early, by `now()`")
}

pub(super) fn wall_is_this_century(subject: &mut Subject) -> Verified {
    let wall = subject
        .runtime
        .wall()
        .duration_since(SystemTime::UNIX_EPOCH);
    ensure(
        wall.is_ok_and(|since| THIS_CENTURY.contains(&since.as_secs())),
        "`wall()` is not a date of this century",
    )
}

pub(super) fn sleep_works_in_tasks(subject: &mut Subject) -> Verified {
    let runtime = subject.runtime.clone();
    let task = subject.runtime.spawn(async move {
        let began = runtime.now();
        runtime.sleep(SHORT).await;
        runtime.now().saturating_duration_since(began)
    });
    let slept = subject
        .wait(task)?
        .map_err(|error| wrong(format!("the task failed: {error}")))?;
    ensure(slept >= SHORT, "the sleep ended early, by `now()`")
}

pub(super) fn sleep_of_zero_ends(subject: &mut Subject) -> Verified {
    subject.wait(subject.runtime.sleep(Duration::ZERO))
}

pub(super) fn sleep_counts_from_its_call(subject: &mut Subject) -> Verified {
    let runtime = &subject.runtime;
    let first = runtime.sleep(5 * SHORT);
    let winner = subject.wait(async {
        runtime.sleep(6 * SHORT).await;
        // Due already, though it is polled for the first time.
        select(first, runtime.sleep(2 * SHORT)).await
    })?;
    ensure(
        matches!(winner, Either::Left(_)),
        "the time began at the first poll, not at the call of `sleep`",
    )
}

pub(super) fn sleep_of_ages_is_no_fault(subject: &mut Subject) -> Verified {
    let runtime = &subject.runtime;
    let winner =
        subject.wait(async { select(runtime.sleep(Duration::MAX), runtime.sleep(SHORT)).await })?;
    ensure(
        matches!(winner, Either::Right(_)),
        "a sleep of `Duration::MAX` ended",
    )
}

pub(super) fn timers_fire_in_order(subject: &mut Subject) -> Verified {
    let runtime = &subject.runtime;
    let order = subject.wait(
        [6, 2, 4, 8]
            .into_iter()
            .map(|part| runtime.sleep(part * SHORT).map(move |()| part))
            .collect::<FuturesUnordered<_>>()
            .collect::<Vec<_>>(),
    )?;
    same("the order", order, vec![2, 4, 6, 8])
}

pub(super) fn a_dropped_sleep_wakes_nobody(subject: &mut Subject) -> Verified {
    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    {
        let mut sleep = pin!(subject.runtime.sleep(3 * SHORT));
        let polled = sleep.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            // A machine that stood still this long shows nothing.
            return Ok(());
        }
    }
    subject.wait(subject.runtime.sleep(5 * SHORT))?;
    ensure(!flag.0.load(Ordering::SeqCst), "its waker was called")
}

pub(super) fn a_timeout_elapses(subject: &mut Subject) -> Verified {
    let outcome = subject.wait(subject.runtime.timeout(SHORT, pending::<()>()))?;
    let limit = outcome.map_err(|elapsed| elapsed.limit());
    same("the result", limit, Err(SHORT))
}

pub(super) fn a_timeout_lets_through(subject: &mut Subject) -> Verified {
    let runtime = &subject.runtime;
    let quick = async {
        runtime.sleep(SHORT).await;
        8
    };
    let outcome = subject.wait(runtime.timeout(Duration::from_secs(25), quick))?;
    same("the result", outcome.ok(), Some(8))
}

pub(super) fn a_timeout_asks_the_future_first(subject: &mut Subject) -> Verified {
    let outcome = subject.wait(subject.runtime.timeout(Duration::ZERO, ready(9)))?;
    same("the result", outcome.ok(), Some(9))
}
