//! The tries of a call.

use std::time::Duration;

use agently_api::error::{FailedAttempt, ProviderError, ProviderErrorKind};

use crate::stream::{Answer, Call};

/// Tries until an answer has begun or another try makes no sense.
///
/// Nothing of an answer has been handed out yet when a try fails in here, so that the next one can
/// start from nothing.
pub(crate) async fn run(call: &Call) -> Result<Answer, ProviderError> {
    let provider = &call.provider;
    let mut failed: Vec<FailedAttempt> = Vec::new();
    let mut retries = 0;
    provider.budget.call();
    loop {
        let error = match call.attempt().await {
            Ok(answer) => {
                provider.budget.succeeded();
                return Ok(answer);
            }
            Err(error) => error,
        };
        let Some(delay) = provider.retry.delay(retries, &error) else {
            return Err(error.with_attempts(failed));
        };
        if !provider.budget.try_retry() {
            return Err(error.with_attempts(failed));
        }
        if let Some(left) = call.time_left() {
            if left <= delay {
                return Err(deadline(delay, error, failed));
            }
        }
        failed.push(error.to_attempt());
        retries += 1;
        call.context.runtime.sleep(delay).await;
    }
}

fn deadline(delay: Duration, last: ProviderError, mut failed: Vec<FailedAttempt>) -> ProviderError {
    failed.push(last.to_attempt());
    ProviderError::new(
        ProviderErrorKind::Deadline,
        format!(
            "the call's deadline comes before its next try, which is due in {} ms",
            delay.as_millis()
        ),
    )
    .with_hint("allow the call more time")
    .with_maybe_billed(last.maybe_billed())
    .with_attempts(failed)
    .with_source(last)
}
