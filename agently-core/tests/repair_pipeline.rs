//! Repair as a reader of a result sees it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::sync::Arc;

use agently_api::data::{
    AttemptState, CompletionSource, ResultMeta, Segment, StreamingData, WarningKind,
};
use agently_api::model::FinishReason;
use agently_core::{output, Agent, Error, ErrorKind, Instant, Schema};
use agently_provider_mock::{MockProvider, Reply};
use agently_testkit::det::Det;
use futures_util::StreamExt;
use serde_json::{json, Value};

struct Outcome {
    items: Vec<StreamingData>,
    data: Result<Value, Error>,
    meta: Option<ResultMeta>,
    prompts: Vec<String>,
}

fn ask(schema: Schema, replies: impl IntoIterator<Item = Reply>) -> Outcome {
    let replies: Vec<Reply> = replies.into_iter().collect();
    let retries = u32::try_from(replies.len()).unwrap() - 1;
    let mock = replies
        .into_iter()
        .fold(MockProvider::new(), MockProvider::reply);
    let det = Det::new(3);
    let agent = Agent::new(Arc::new(mock.clone()), det.runtime());
    let result = agent
        .input("x")
        .output(schema)
        .max_retries(retries)
        .get_result();
    det.block_on(async move {
        let mut generator = result.get_async_generator(Instant);
        let mut items = Vec::new();
        while let Some(Ok(item)) = generator.next().await {
            items.push(item);
        }
        let requests = mock.requests();
        let prompts = requests.iter().map(|request| {
            let messages = request.messages.iter().map(|message| message.text());
            messages.collect::<Vec<_>>().join("\n")
        });
        Outcome {
            items,
            data: result.async_get_data().await,
            meta: result.async_get_meta().await.ok(),
            prompts: prompts.collect(),
        }
    })
    .unwrap()
}

/// The fields of the last attempt, as a consumer has them who clears on a retry.
fn last_fields(items: &[StreamingData]) -> Value {
    let mut fields = json!({});
    for item in items {
        if item.status().is_some_and(|status| status.retry) {
            fields = json!({});
        }
        if let ([Segment::Key(key)], true) = (item.path.segments().as_slice(), item.is_complete) {
            fields[&**key] = item.value().to_value();
        }
    }
    fields
}

fn report() -> Schema {
    output!({ "title": (str, "Title", true), "tags": [str] })
}

fn sources(items: &[StreamingData], path: &str) -> Vec<CompletionSource> {
    let of_path = items.iter().filter(|item| item.path == path);
    of_path.filter_map(|item| item.completion_source).collect()
}

const QUOTES: &str = r#"{"title": "The "good" bread", "tags": ["food", "home"]}"#;

#[test]
fn what_the_stream_could_not_read_comes_before_the_status() {
    for size in [1, 3, 7, 1000] {
        let outcome = ask(report(), [Reply::text(QUOTES).chunked(size)]);
        let data = json!({"title": "The \"good\" bread", "tags": ["food", "home"]});
        assert_eq!(outcome.data.unwrap(), data);
        assert_eq!(last_fields(&outcome.items), data);
        assert_eq!(
            sources(&outcome.items, "title"),
            [
                CompletionSource::ObservedBoundary,
                CompletionSource::FinalReconciliation
            ],
        );
        assert_eq!(
            sources(&outcome.items, "tags[1]"),
            [CompletionSource::FinalReconciliation]
        );
        let last = outcome.items.last().unwrap().status().unwrap();
        assert_eq!(last.status, AttemptState::Completed);
    }
}

#[test]
fn repair_is_told_in_meta() {
    let outcome = ask(report(), [Reply::text(QUOTES)]);
    let warnings = outcome.meta.unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0].kind, WarningKind::Repair);
    assert_eq!(
        warnings[0].message,
        "the answer was repaired: 2 unescaped quotes were read as meant, the first at byte 15"
    );
}

#[test]
fn a_document_in_curly_marks_is_found_at_the_end() {
    let outcome = ask(
        report(),
        [Reply::text("｛“title”：“A”，“tags”：［“b”］｝").chunked(2)],
    );
    assert_eq!(outcome.data.unwrap(), json!({"title": "A", "tags": ["b"]}));
    assert_eq!(
        sources(&outcome.items, "title"),
        [CompletionSource::FinalReconciliation]
    );
}

#[test]
fn what_is_missing_at_the_end_is_put_there_after_stop() {
    let cut = r#"{"title": "A", "tags": ["b""#;
    let outcome = ask(report(), [Reply::text(cut).finish(FinishReason::Stop)]);
    let data = json!({"title": "A", "tags": ["b"]});
    assert_eq!(outcome.data.unwrap(), data);
    assert_eq!(last_fields(&outcome.items), data);
    // The stream had closed it in the same way.
    assert_eq!(
        sources(&outcome.items, "tags"),
        [CompletionSource::SyntheticRepair]
    );
    assert_eq!(outcome.meta.unwrap().warnings[0].kind, WarningKind::Repair);
}

#[test]
fn a_missing_bracket_before_the_end_is_not_closed_at_the_end() {
    let schema = output!({ "a": { "x": int }, "b": int });
    let outcome = ask(schema, [Reply::text(r#"{"a": {"x": 1, "b": 2}"#)]);
    let data = json!({"a": {"x": 1}, "b": 2});
    assert_eq!(outcome.data.unwrap(), data);
    assert_eq!(last_fields(&outcome.items), data);
    assert_eq!(
        sources(&outcome.items, "a"),
        [
            CompletionSource::ObservedBoundary,
            CompletionSource::FinalReconciliation
        ]
    );
}

#[test]
fn a_cut_for_length_is_no_document() {
    let cut = r#"{"title": "A", "tags": ["b""#;
    let outcome = ask(report(), [Reply::text(cut).finish(FinishReason::Length)]);
    assert_eq!(outcome.data.unwrap_err().kind(), ErrorKind::Length);
    let outcome = ask(report(), [Reply::text(cut).finish(FinishReason::Unknown)]);
    assert_eq!(outcome.data.unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn what_is_not_certain_is_asked_for_again_with_the_reason() {
    let unclear = r#"{"title": "A", "tags": ["5" pipe", "6" pipe"]}"#;
    let whole = r#"{"title": "A", "tags": ["pipe"]}"#;
    let outcome = ask(
        report(),
        [Reply::text(unclear).chunked(4), Reply::text(whole)],
    );
    assert_eq!(
        outcome.data.unwrap(),
        json!({"title": "A", "tags": ["pipe"]})
    );
    assert_eq!(
        last_fields(&outcome.items),
        json!({"title": "A", "tags": ["pipe"]})
    );
    let first = outcome
        .items
        .iter()
        .find_map(StreamingData::status)
        .unwrap();
    assert!(first.retry);
    let reason = first.reason.as_deref().unwrap();
    assert!(
        reason.starts_with("The JSON in the answer is broken: "),
        "{reason}"
    );
    assert!(
        reason.contains("an unescaped quote in a string"),
        "{reason}"
    );
    assert!(
        reason.ends_with("it can be read in more than one way."),
        "{reason}"
    );
    assert!(
        outcome.prompts[1].contains(reason),
        "{}",
        outcome.prompts[1]
    );
    // Nothing of an uncertain reading was sent.
    let attempts = outcome.items.iter().filter(|item| item.attempt == 1);
    assert!(attempts
        .filter_map(|item| item.completion_source)
        .all(|source| source == CompletionSource::ObservedBoundary));
}

#[test]
fn a_document_that_ends_before_a_value_is_asked_for_again() {
    let outcome = ask(report(), [Reply::text(r#"{"title": "A", "tags":"#)]);
    let error = outcome.data.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert_eq!(
        error.to_string(),
        "the answer's JSON cannot be read with certainty: the answer ends in the middle of a \
         value; it cannot be read as JSON"
    );
}

#[test]
fn a_repaired_answer_is_judged_like_any_other() {
    let outcome = ask(report(), [Reply::text(r#"{"tags": ["food" "home"]}"#)]);
    let error = outcome.data.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ensure);
    assert!(error.to_string().contains("`title` is missing"), "{error}");
}

#[test]
fn a_field_that_was_sent_is_never_left_without_a_word() {
    // Read as a whole, `note` is part of the title; but it was streamed as a field.
    let text = r#"{"title": "a", "note": "b" c", "tags": ["d"]}"#;
    let outcome = ask(report(), [Reply::text(text).chunked(3)]);
    match outcome.data {
        Ok(data) => assert_eq!(last_fields(&outcome.items), data),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Malformed),
    }
}
