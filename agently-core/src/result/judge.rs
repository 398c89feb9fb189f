//! Whether an answer is what was asked for.

use agently_api::data::{Node, Warning, WarningKind};
use agently_api::model::FinishReason;

use super::driver::Call;
use super::ensure::unmet;
use super::log::Log;
use crate::error::{Error, ErrorKind};
use crate::instant::{Document, DocumentState};
use crate::schema::Schema;

/// The longest reason that is sent back to the model, in characters.
const MAX_REASON: usize = 300;

pub(super) enum Verdict {
    /// The answer is accepted; `None` means the text itself is the data.
    Accept(Option<Node>),
    /// Another attempt may do better. `reason` is what the model is told, `error` what the caller
    /// gets when no attempt is left.
    Retry { reason: String, error: Error },
    /// No further attempt would help.
    Fail(Error),
}

pub(super) fn judge(
    call: &Call,
    log: &Log,
    finish: Option<&FinishReason>,
    document: Option<Document>,
) -> Verdict {
    let cut = match finish {
        Some(FinishReason::Length) if !call.options.accept_length => Some(Error::new(
            ErrorKind::Length,
            "the model stopped at a length limit, so the answer is cut off; \
             raise `max_tokens`, or take what there is with `accept_length(true)`",
        )),
        Some(FinishReason::ContentFilter) => Some(Error::new(
            ErrorKind::ContentFilter,
            "the provider's content filter stopped the answer",
        )),
        _ => None,
    };
    if let Some(error) = cut {
        return Verdict::Fail(error);
    }
    let text = log.text();
    if text.trim().is_empty() && !log.refusal().is_empty() {
        return Verdict::Fail(Error::new(
            ErrorKind::Refusal,
            "the model declined to answer; its words are in the `All` stream",
        ));
    }
    match (call.prompt.output(), document) {
        (Some(schema), Some(document)) => judge_document(log, schema, &text, finish, document),
        _ => Verdict::Accept(None),
    }
}

fn judge_document(
    log: &Log,
    schema: &Schema,
    text: &str,
    finish: Option<&FinishReason>,
    document: Document,
) -> Verdict {
    let form = document.format.noun();
    for warning in document.warnings {
        log.warn(warning);
    }
    let data = match (document.state, document.value) {
        (DocumentState::Complete, Some(value)) => value,
        (DocumentState::Open, Some(value)) if finish == Some(&FinishReason::Stop) => {
            log.warn(Warning::new(
                WarningKind::Repair,
                "the answer ended with open values, which were closed",
            ));
            value
        }
        (DocumentState::Open, _) => {
            return retry(
                ErrorKind::Malformed,
                format!("The {form} in the answer is not finished."),
                format!("the answer's {form} is not finished"),
            );
        }
        (DocumentState::Silenced { offset, fault }, _) => {
            return retry(
                ErrorKind::Malformed,
                format!("The {form} in the answer is broken: {fault}."),
                format!(
                    "the answer's {form} cannot be read with certainty: {fault} at byte {offset}"
                ),
            );
        }
        _ => return missing(log, document.format.describe_root(schema), text),
    };
    let faults = unmet(schema, &data);
    if faults.is_empty() {
        return Verdict::Accept(Some(data));
    }
    let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
    retry(ErrorKind::Ensure, list.join("; "), list.join("; "))
}

/// There is no document in the answer.
fn missing(log: &Log, wanted: &str, text: &str) -> Verdict {
    let tools = log.tool_call_names();
    if !tools.is_empty() {
        return Verdict::Fail(Error::new(
            ErrorKind::ToolCalls,
            format!(
                "the model asked for tools ({}) instead of giving the declared answer; \
                 read them with `async_get_tool_calls`",
                tools.join(", ")
            ),
        ));
    }
    if text.trim().is_empty() {
        return retry(
            ErrorKind::NoDocument,
            format!("The answer is empty; it must be {wanted}."),
            format!("the answer is empty, but {wanted} was asked for"),
        );
    }
    retry(
        ErrorKind::NoDocument,
        format!("The answer must contain {wanted}."),
        format!("the answer does not contain {wanted}; its text is in `partial_text`"),
    )
}

fn retry(kind: ErrorKind, reason: String, message: String) -> Verdict {
    let reason = match reason.char_indices().nth(MAX_REASON) {
        Some((end, _)) => format!("{}…", reason.get(..end).unwrap_or_default()),
        None => reason,
    };
    Verdict::Retry {
        reason,
        error: Error::new(kind, message),
    }
}
