//! Whether an answer is what was asked for.

use std::collections::HashSet;
use std::fmt::Display;

use agently_api::data::{Node, Warning, WarningKind};
use agently_api::model::FinishReason;

use super::ensure::unmet;
use super::limits::broken_limits;
use super::log::Log;
use super::refusal::{bounded, Refusal};
use crate::error::{Error, ErrorKind};
use crate::format::Format;
use crate::instant::{Document, DocumentState};
use crate::options::Options;
use crate::prompt::Prompt;
use crate::repair::{repair, RepairReason};
use crate::schema::Schema;
use crate::typed::{Misfit, Typed};

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
        (Some(schema), Some(document)) => {
            judge_document(log, schema, options, &text, finish, document)
        }
        _ => Verdict::Accept(None),
    }
}

fn judge_document(
    log: &Log,
    schema: &Schema,
    options: &Options,
    text: &str,
    finish: Option<&FinishReason>,
    document: Document,
) -> Verdict {
    let data = match parse(log, schema, text, finish, document) {
        Ok(data) => data,
        Err(verdict) => return *verdict,
    };
    judge_data(schema, options.typed, data)
}

/// Whether the data is of the declared type and has what its schema asks for. All that is wrong is
/// told at once.
fn judge_data(schema: &Schema, typed: Option<Typed>, data: Node) -> Verdict {
    let unmet = unmet(schema, &data);
    let kind = if unmet.is_empty() {
        ErrorKind::Constraint
    } else {
        ErrorKind::Ensure
    };
    let mut faults: Vec<String> = unmet.iter().map(ToString::to_string).collect();
    faults.extend(broken_limits(schema, &data));
    let misfit = typed.and_then(|typed| Some((typed, typed.check(&data).err()?)));
    let Some((typed, misfit)) = misfit else {
        if faults.is_empty() {
            return Verdict::Accept(Some(data));
        }
        let list = faults.join("; ");
        return retry(kind, list.clone(), list);
    };
    if !is_told(&misfit, &faults) {
        faults.push(misfit.to_string());
    }
    let list = bounded(faults.join("; "));
    let message = format!("the answer is no `{}`: {list}", typed.name());
    retry(ErrorKind::Type, list, message)
}

/// Whether the schema has found the same, and said it in better words.
fn is_told(misfit: &Misfit, faults: &[String]) -> bool {
    let place = format!("`{}` ", misfit.path);
    faults.iter().any(|fault| fault.starts_with(&place))
        || (!faults.is_empty() && misfit.message.starts_with("missing field"))
}

/// The document as it was streamed, or, where that could not be read to its end, repaired.
fn parse(
    log: &Log,
    schema: &Schema,
    text: &str,
    finish: Option<&FinishReason>,
    mut document: Document,
) -> Result<Node, Box<Verdict>> {
    let repaired = match (document.state, document.value.take()) {
        (DocumentState::Complete, Some(value)) => {
            document.warnings.into_iter().for_each(|it| log.warn(it));
            return Ok(value);
        }
        // A cut answer comes this far only if the caller takes cut answers.
        (DocumentState::Open, Some(value)) if finish == Some(&FinishReason::Length) => {
            log.warn(Warning::new(
                WarningKind::Repair,
                "the answer was cut off at a length limit, and its open values were closed",
            ));
            return Ok(value);
        }
        (_, sent) => {
            document.value = sent;
            if document.format != Format::Json {
                return plain(log, schema, text, finish, document);
            }
            repair(text, document.range.clone(), schema, finish)
        }
    };
    match repaired {
        Ok(repaired) if replaces(&repaired.value, document.value.as_ref()) => {
            repaired.warnings.into_iter().for_each(|it| log.warn(it));
            log.reconcile(&document, &repaired.value);
            Ok(repaired.value)
        }
        Ok(_) => Err(broken(
            document.state,
            "read as a whole, it lacks fields that were streamed",
        )),
        Err(error) if error.reason == RepairReason::Missing => {
            Err(missing(log, document.format.describe_root(schema), text))
        }
        Err(error) if error.reason == RepairReason::Cut => Err(retry(
            ErrorKind::Malformed,
            "The JSON in the answer is not finished.".to_owned(),
            "the answer's JSON is not finished".to_owned(),
        )),
        Err(error) => Err(broken(document.state, error.reason)),
    }
    .map_err(Box::new)
}

/// A document in another format than JSON, where nothing is repaired.
fn plain(
    log: &Log,
    schema: &Schema,
    text: &str,
    finish: Option<&FinishReason>,
    document: Document,
) -> Result<Node, Box<Verdict>> {
    let form = document.format.noun();
    for warning in document.warnings {
        log.warn(warning);
    }
    let verdict = match (document.state, document.value) {
        (DocumentState::Open, Some(value)) if finish == Some(&FinishReason::Stop) => {
            log.warn(Warning::new(
                WarningKind::Repair,
                "the answer ended with open values, which were closed",
            ));
            return Ok(value);
        }
        (DocumentState::Open, _) => retry(
            ErrorKind::Malformed,
            format!("The {form} in the answer is not finished."),
            format!("the answer's {form} is not finished"),
        ),
        (DocumentState::Silenced { offset, fault }, _) => retry(
            ErrorKind::Malformed,
            format!("The {form} in the answer is broken: {fault}."),
            format!("the answer's {form} cannot be read with certainty: {fault} at byte {offset}"),
        ),
        _ => missing(log, document.format.describe_root(schema), text),
    };
    Err(Box::new(verdict))
}

/// Whether completions can lead from what was sent to this value: nothing takes a field of the
/// outermost container back, as that has no completion itself.
fn replaces(value: &Node, sent: Option<&Node>) -> bool {
    match (sent, value) {
        (None, _) => true,
        (Some(Node::Object(sent)), Node::Object(fields)) => {
            let keys: HashSet<&str> = fields.iter().map(|(key, _)| &**key).collect();
            sent.iter().all(|(key, _)| keys.contains(&**key))
        }
        (Some(Node::Array(sent)), Node::Array(items)) => sent.len() <= items.len(),
        _ => false,
    }
}

/// The document cannot be read with certainty.
fn broken(state: DocumentState, why: impl Display) -> Verdict {
    let (what, at) = match state {
        DocumentState::Silenced { offset, fault } => {
            (fault.to_string(), format!("{fault} at byte {offset}"))
        }
        DocumentState::Open => {
            let what = "the answer ends in the middle of a value";
            (what.to_owned(), what.to_owned())
        }
        DocumentState::Missing | DocumentState::Complete => {
            let what = "curly or full-width marks stand for quotes or brackets";
            (what.to_owned(), what.to_owned())
        }
    };
    retry(
        ErrorKind::Malformed,
        format!("The JSON in the answer is broken: {what}; {why}."),
        format!("the answer's JSON cannot be read with certainty: {at}; {why}"),
    )
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
    Verdict::Retry {
        refusal: Refusal::new(reason),
        error: Error::new(kind, message),
    }
}
