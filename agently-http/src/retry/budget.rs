use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// Tokens are counted in tenths.
const RETRY_COST: u32 = 10;
/// What each call adds: one retry for every ten calls.
const PER_CALL: u32 = 1;
/// What each success adds.
const PER_SUCCESS: u32 = 5;
/// What a new budget holds: enough that single calls get their retries.
const START: u32 = 10 * RETRY_COST;
/// The most it holds.
const MAX: u32 = 50 * RETRY_COST;

/// A budget of retries that many callers share.
///
/// When a server is down, each caller by itself would send every request three times. The budget
/// lets through ten retries at once and one for every ten calls after that, so that a dead server
/// gets about a tenth more requests, and single failures are still retried. Clones share it.
///
/// ```
/// use agently_http::retry::RetryBudget;
///
/// let budget = RetryBudget::new();
/// let retried = (0..1_000).filter(|_| {
///     budget.call();
///     budget.try_retry()
/// });
/// assert!(retried.count() <= 120);
/// ```
#[derive(Clone)]
pub struct RetryBudget {
    tokens: Arc<AtomicU32>,
}

impl RetryBudget {
    /// A budget with its starting stock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tokens: Arc::new(AtomicU32::new(START)),
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
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                tokens.checked_sub(RETRY_COST)
            })
            .is_ok()
    }

    fn add(&self, tokens: u32) {
        // Never fails: the closure always has a new value.
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                Some(held.saturating_add(tokens).min(MAX))
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
                &(self.tokens.load(Ordering::Relaxed) / RETRY_COST),
            )
            .finish()
    }
}
