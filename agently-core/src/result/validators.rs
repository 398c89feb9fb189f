//! Asking the caller's validators.

use std::sync::{Arc, Mutex};

use agently_api::data::Node;
use serde_json::Value;

use super::judge::Verdict;
use super::log::Log;
use super::refusal::Refusal;
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::validate::{Judgment, Next, ValidationContext, Validator};

/// Asks each validator in order, until one does not pass the answer.
pub(super) async fn validate(
    log: &Log,
    options: &Options,
    attempt: u32,
    next: &Arc<Mutex<Next>>,
    data: Option<Node>,
) -> Verdict {
    if options.validators.is_empty() {
        return Verdict::Accept(data);
    }
    let context = ValidationContext::new(
        log.text_view(),
        attempt + 1,
        options.max_retries.saturating_sub(attempt),
        Arc::clone(next),
    );
    let value = data
        .as_ref()
        .map_or_else(|| Value::String(context.text()), Node::to_value);
    for validator in &options.validators {
        if let Asked::Refused(verdict) = one(validator, "", value.clone(), context.clone()).await {
            return verdict;
        }
    }
    Verdict::Accept(data)
}

/// What asking one validator came to.
pub(super) enum Asked {
    Passed,
    Refused(Verdict),
}

/// Asks one validator. `place` goes before its reason and says what it judged.
pub(super) async fn one(
    validator: &Validator,
    place: &str,
    value: Value,
    context: ValidationContext,
) -> Asked {
    let name = &*validator.name;
    Asked::Refused(match validator.judge(value, context).await {
        Judgment::Pass => return Asked::Passed,
        Judgment::Fail { reason, payload } => {
            let reason = format!("{place}{reason}");
            let error = refused(ErrorKind::Validation, name, &reason);
            let mut refusal = Refusal::new(reason);
            refusal.validator = Some(name.to_owned());
            refusal.payload = payload;
            Verdict::Retry { refusal, error }
        }
        Judgment::Stop { reason } => Verdict::Fail(refused(
            ErrorKind::Stopped,
            name,
            &format!("{place}{reason}"),
        )),
        Judgment::Raise(error) => Verdict::Fail(Error::with_boxed_source(
            ErrorKind::Validator,
            format!("the validator `{name}` failed"),
            error,
        )),
    })
}

fn refused(kind: ErrorKind, name: &str, reason: &str) -> Error {
    Error::new(
        kind,
        format!("the validator `{name}` refused the answer: {reason}"),
    )
}
