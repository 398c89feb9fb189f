//! Real time. A server's client is in the world, so its pauses are too; nothing else in this
//! crate reads this clock.

use std::time::{Duration, Instant};

#[expect(
    clippy::disallowed_methods,
    reason = "a real socket is paced in real time; no test result depends on it"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// What is left until `at`, or `None` once it has come.
pub(super) fn left_until(at: Instant) -> Option<Duration> {
    let left = at.saturating_duration_since(now());
    (!left.is_zero()).then_some(left)
}
