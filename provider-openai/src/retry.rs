//! The tries of a call.

use agently_api::error::{FailedAttempt, ProviderError};

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
    let mut maybe_billed = false;
    loop {
        let error = match call.attempt().await {
            Ok(answer) => {
                provider.budget.succeeded();
                return Ok(answer);
            }
            Err(error) => error,
        };
        maybe_billed |= error.maybe_billed();
        let failed_for_good = |error: ProviderError, failed| {
            Err(error.with_maybe_billed(maybe_billed).with_attempts(failed))
        };
        let Some(delay) = provider.retry.delay(retries, &error) else {
            return failed_for_good(error, failed);
        };
        if call.time_left().is_some_and(|left| left <= delay) {
            let hint = format!(
                "the next try, due in {} ms, would come after the call's deadline: allow the call more time",
                delay.as_millis()
            );
            return failed_for_good(with_further_hint(error, &hint), failed);
        }
        if !is_invited(&error) && !provider.budget.try_retry() {
            let hint = "the retry budget is used up, because many calls failed of late; wait until the server is well";
            return failed_for_good(with_further_hint(error, hint), failed);
        }
        failed.push(error.to_attempt());
        retries += 1;
        call.context.runtime.sleep(delay).await;
    }
}

/// Whether the server itself asked for another try, at a time that it named: it knows its load, so
/// this is no try that could drown it.
fn is_invited(error: &ProviderError) -> bool {
    matches!(error.status(), Some(429 | 503))
        && error.retry_after().is_some_and(|asked| !asked.is_zero())
}

fn with_further_hint(error: ProviderError, further: &str) -> ProviderError {
    let hint = match error.hint() {
        Some(hint) => format!("{hint}; {further}"),
        None => further.to_owned(),
    };
    error.with_hint(hint)
}
