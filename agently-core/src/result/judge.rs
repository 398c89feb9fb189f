//! Whether an answer is what was asked for.

use agently_api::data::{Node, Warning, WarningKind};
use agently_api::model::FinishReason;
use serde_json::Value;

use super::ensure::unmet;
use super::log::Log;
use crate::error::{Error, ErrorKind};
use crate::instant::{Document, DocumentState};
use crate::options::Options;
use crate::prompt::Prompt;
use crate::schema::Schema;

/// The longest reason that is sent back to the model, in characters.
const MAX_REASON: usize = 300;

pub(super) enum Verdict {
    /// The answer is accepted; `None` means the text itself is the data.
    Accept(Option<Node>),
    /// Another attempt may do better. `refusal` is what the model is told, `error` what the caller
    /// gets when no attempt is left.
    Retry { refusal: Refusal, error: Error },
    /// No further attempt would help.
    Fail(Error),
}

impl Verdict {
    /// The same, on an answer that was still being written.
    pub(super) fn early(mut self) -> Self {
        if let Self::Retry { refusal, .. } = &mut self {
            refusal.early = true;
        }
        self
    }
}

/// Why an answer was refused.
pub(super) struct Refusal {
    /// In words for the model, of bounded length.
    pub(super) reason: String,
    /// The validator that refused it; `None` if the pipeline did.
    pub(super) validator: Option<String>,
    /// More about it, for the caller.
    pub(super) payload: Option<Value>,
    /// Whether the answer was still being written.
    pub(super) early: bool,
}

impl Refusal {
    pub(super) fn new(reason: String) -> Self {
        let reason = match reason.char_indices().nth(MAX_REASON) {
            Some((end, _)) => format!("{}…", reason.get(..end).unwrap_or_default()),
            None => reason,
        };
        Self {
            reason,
            validator: None,
            payload: None,
            early: false,
        }
    }
}

pub(super) fn judge(
    prompt: &Prompt,
    options: &Options,
    log: &Log,
    finish: Option<&FinishReason>,
    document: Option<Document>,
) -> Verdict {
    let cut = match finish {
        Some(FinishReason::Length) if !options.accept_length => Some(Error::new(
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
    let answered = matches!(&document, Some(document) if document.state == DocumentState::Complete);
    if !answered && !log.refusal().is_empty() {
        return Verdict::Fail(Error::new(
            ErrorKind::Refusal,
            "the model declined to answer; its words are in `refusal()` of this error",
        ));
    }
    match (prompt.output(), document) {
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
    for warning in document.warnings {
        log.warn(warning);
    }
    let data = match (document.state, document.value) {
        (DocumentState::Complete, Some(value)) => value,
        // A cut answer comes this far only if the caller takes cut answers.
        (DocumentState::Open, Some(value))
            if matches!(finish, Some(FinishReason::Stop | FinishReason::Length)) =>
        {
            log.warn(Warning::new(
                WarningKind::Repair,
                "the answer ended with open values, which were closed",
            ));
            value
        }
        (DocumentState::Open, _) => {
            return retry(
                ErrorKind::Malformed,
                "The JSON in the answer is not finished.".to_owned(),
                "the answer's JSON is not finished".to_owned(),
            );
        }
        (DocumentState::Silenced { offset, fault }, _) => {
            return retry(
                ErrorKind::Malformed,
                format!("The JSON in the answer is broken: {fault}."),
                format!(
                    "the answer's JSON cannot be read with certainty: {fault} at byte {offset}"
                ),
            );
        }
        _ => return missing(log, schema, text),
    };
    let faults = unmet(schema, &data);
    if faults.is_empty() {
        return Verdict::Accept(Some(data));
    }
    let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
    retry(ErrorKind::Ensure, list.join("; "), list.join("; "))
}

/// There is no document in the answer.
fn missing(log: &Log, schema: &Schema, text: &str) -> Verdict {
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
    let wanted = schema.describe_root();
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
    Verdict::Retry {
        refusal: Refusal::new(reason),
        error: Error::new(kind, message),
    }
}
