use std::time::Duration;

use agently_api::error::ProviderError;

/// The part of a `Retry-After` over which those who got it are spread: a tenth.
const SPREAD: u32 = 10;

/// How often to try again, and how long to wait before.
///
/// The wait is drawn evenly between nothing and a bound that doubles with each try ("full
/// jitter"), so that callers who failed together do not come back together. What the server asks
/// for in `Retry-After` is waited at least, and up to a tenth of it more, for the same reason; if
/// it is more than [`max_retry_after`](Self::max_retry_after), there is no further try. A server
/// that asks for no time at all gets the usual wait.
///
/// ```
/// use agently_api::error::{ProviderError, ProviderErrorKind};
/// use agently_http::retry::RetryPolicy;
/// use std::time::Duration;
///
/// let policy = RetryPolicy::default();
/// let lost = ProviderError::new(ProviderErrorKind::Truncated, "the connection was lost");
/// assert!(policy.delay(0, &lost).is_some_and(|wait| wait <= Duration::from_millis(500)));
/// assert!(policy.delay(2, &lost).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Tries after the first. 2.
    pub max_retries: u32,
    /// The bound of the first wait. 0.5 s.
    pub base: Duration,
    /// The bound of any wait that we choose ourselves. 8 s.
    pub cap: Duration,
    /// The longest `Retry-After` that is waited for. 120 s.
    pub max_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 2,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// One try only.
    #[must_use]
    pub fn never() -> Self {
        Self::default().with_max_retries(0)
    }

    /// Sets [`max_retries`](Self::max_retries).
    #[must_use]
    pub fn with_max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = max_retries;
        self
    }

    /// Sets [`base`](Self::base).
    #[must_use]
    pub fn with_base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets [`cap`](Self::cap).
    #[must_use]
    pub fn with_cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Sets [`max_retry_after`](Self::max_retry_after).
    #[must_use]
    pub fn with_max_retry_after(mut self, max_retry_after: Duration) -> Self {
        self.max_retry_after = max_retry_after;
        self
    }

    /// How long to wait before the next try, after `retries` earlier ones (0 at first); `None` to
    /// give up.
    #[must_use]
    pub fn delay(&self, retries: u32, error: &ProviderError) -> Option<Duration> {
        self.delay_at(retries, error, fastrand::f64())
    }

    /// As [`delay`](Self::delay), with the draw given: `draw` is within `0.0..1.0`.
    #[must_use]
    pub fn delay_at(&self, retries: u32, error: &ProviderError, draw: f64) -> Option<Duration> {
        if retries >= self.max_retries || !error.is_retryable() {
            return None;
        }
        let asked = error.retry_after().unwrap_or_default();
        if asked > self.max_retry_after {
            return None;
        }
        let factor = 1_u32.checked_shl(retries).unwrap_or(u32::MAX);
        let bound = self.base.saturating_mul(factor).min(self.cap);
        let draw = if draw.is_finite() {
            draw.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let spread = (asked / SPREAD).mul_f64(draw);
        Some(asked.max(bound.mul_f64(draw)).saturating_add(spread))
    }
}
