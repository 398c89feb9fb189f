use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// Tokens are counted in tenths.
const RETRY_COST: u32 = 10;
/// What each call adds: one retry for every ten calls.
const PER_CALL: u32 = 1;
/// What each success adds.
const PER_SUCCESS: u32 = 5;
/// What a new budget holds: enough for a burst of calls that all meet one short failure.
const RETRIES: u32 = 100;

/// A budget of retries that many callers share.
///
/// When a server is down, each caller by itself would send every request three times. The budget
/// lets through a hundred retries at once and one for every ten calls after that, so that a dead
/// server gets at most a fifth more of a thousand requests, and single failures are still retried.
/// Clones share it.
///
/// A wait that the server itself asked for (`Retry-After`) needs no budget: it has said when it
/// can take more.
///
/// ```
/// use agently_http::retry::RetryBudget;
///
/// let budget = RetryBudget::new();
/// let retried = (0..1_000).filter(|_| {
///     budget.call();
///     budget.try_retry()
/// });
/// assert!(retried.count() <= 200);
/// ```
#[derive(Clone)]
pub struct RetryBudget {
    inner: Arc<Inner>,
}

struct Inner {
    tokens: AtomicU32,
    most: u32,
}

impl RetryBudget {
    /// A budget of a hundred retries.
    #[must_use]
    pub fn new() -> Self {
        Self::with_retries(RETRIES)
    }

    /// A budget that holds `retries` retries, now and at most. None at all leaves nothing to try
    /// again with.
    ///
    /// ```
    /// use agently_http::retry::RetryBudget;
    ///
    /// let budget = RetryBudget::with_retries(1);
    /// assert!(budget.try_retry());
    /// assert!(!budget.try_retry());
    /// ```
    #[must_use]
    pub fn with_retries(retries: u32) -> Self {
        let most = retries.saturating_mul(RETRY_COST);
        Self {
            inner: Arc::new(Inner {
                tokens: AtomicU32::new(most),
                most,
            }),
        }
    }

    /// A call begins: to be said once a call, not for its retries.
    pub fn call(&self) {
        self.add(PER_CALL);
    }

    /// A call succeeded.
    pub fn succeeded(&self) {
        self.add(PER_SUCCESS);
    }

    /// Takes one retry out of the budget; `false` when there is none.
    #[must_use]
    pub fn try_retry(&self) -> bool {
        self.inner
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                tokens.checked_sub(RETRY_COST)
            })
            .is_ok()
    }

    fn add(&self, tokens: u32) {
        // Never fails: the closure always has a new value.
        let _ = self
            .inner
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                Some(held.saturating_add(tokens).min(self.inner.most))
            });
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget")
            .field(
                "retries_left",
                &(self.inner.tokens.load(Ordering::Relaxed) / RETRY_COST),
            )
            .finish()
    }
}
