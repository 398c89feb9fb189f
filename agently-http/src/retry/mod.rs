//! When to try again: plain arithmetic, no I/O and no clock.
//!
//! Whoever sends requests drives the loop: [`RetryPolicy::delay`] says whether a failure is worth
//! another try and how long to wait, [`RetryBudget`] keeps many callers together from drowning a
//! server that is down, [`parse_retry_after`] reads what the server asked for.

mod budget;
mod policy;
mod retry_after;

pub use budget::RetryBudget;
pub use policy::RetryPolicy;
pub use retry_after::{parse_retry_after, parse_should_retry, RetryAfter};

use http::StatusCode;

/// Whether a status is worth another try: 408, 409, 429 and the server's own failures, but for 501
/// and 505, which say that it will never know how.
#[must_use]
pub fn is_retryable_status(status: StatusCode) -> bool {
    match status.as_u16() {
        408 | 409 | 429 => true,
        501 | 505 => false,
        _ => status.is_server_error(),
    }
}

/// Whether a request that failed with this status may have cost money all the same: the gateway
/// gave up, the model behind it perhaps not.
#[must_use]
pub fn is_maybe_billed_status(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502 | 504 | 524)
}
