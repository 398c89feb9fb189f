//! What happens to an answer that is not what was asked for.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently::mock::{MockProvider, MockServer, Reply};
use agently::prelude::*;
use agently::types::data::CompletionSource;
use agently::types::error::ProviderErrorKind;
use agently::types::model::{FinishReason, Usage};
use agently::types::rt::Runtime;
use support::{
    agent, instant_items, lines, on_each_runtime, open_ai, seed, seed_data, served, SEED_ANSWER,
};

on_each_runtime! {
    a_missing_field_is_asked_for_again,
    an_empty_required_list_is_asked_for_again,
    the_budget_of_retries_is_kept,
    without_retries_the_first_answer_counts,
    an_answer_without_a_document_is_asked_for_again,
    an_empty_answer_is_asked_for_again,
    a_broken_document_is_asked_for_again,
    usage_and_failures_are_told_per_attempt,
    a_refusal_is_an_error,
    a_length_limit_is_an_error,
    a_length_limit_can_be_accepted,
    a_cut_document_can_be_accepted,
    a_content_filter_is_an_error,
    tools_instead_of_the_answer_are_an_error,
    tools_are_an_answer_where_no_output_was_declared,
    an_answer_with_open_values_is_closed,
    a_provider_that_stops_in_the_middle_has_not_answered,
    a_failed_transport_is_no_reason_to_ask_again_here,
}

/// The text of the last message of the server's request at `index`.
fn prompt(server: &MockServer, index: usize) -> String {
    let requests = server.requests();
    let messages = requests[index].field("/messages").unwrap();
    let last = messages.as_array().unwrap().last().unwrap();
    last["content"].as_str().unwrap().to_owned()
}

async fn a_missing_field_is_asked_for_again(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(r#"{"items":["x"]}"#));
    server.push(Reply::text(SEED_ANSWER));
    let result = seed(&agent).get_result();
    let items = instant_items(&result).await;
    assert_eq!(
        lines(&items),
        [
            "items[0] + x",
            r#"items[0] = "x""#,
            r#"items = ["x"]"#,
            r#"$status "failed" retry=true"#,
            "title + Async First",
            r#"title = "Async First""#,
            "items[0] + one",
            r#"items[0] = "one""#,
            "items[1] + two",
            r#"items[1] = "two""#,
            r#"items = ["one","two"]"#,
            r#"$status "completed" retry=false"#,
        ]
    );
    assert_eq!(
        items[3].value().to_value(),
        json!({
            "status": "failed",
            "retry": true,
            "attempt_index": 1,
            "reason": "`title` is missing",
            "next_attempt_index": 2,
        })
    );
    let attempts: Vec<u32> = items.iter().map(|item| item.attempt).collect();
    assert_eq!(attempts, [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]);
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    assert_eq!(result.async_get_text().await.unwrap(), SEED_ANSWER);

    // The model is told what was wrong; the question is the same.
    assert_eq!(server.requests().len(), 2);
    assert!(!prompt(&server, 0).contains("is missing"));
    let second = prompt(&server, 1);
    assert!(second.contains("`title` is missing"), "{second}");
    assert!(second.contains("Give me a title and two bullets."));
    assert!(second.contains("[OUTPUT REQUIREMENT]"));
}

async fn an_empty_required_list_is_asked_for_again(runtime: Runtime) {
    let mock = MockProvider::new()
        .reply(Reply::text(r#"{"title":"T","items":[]}"#))
        .reply(Reply::text(r#"{"title":"T","items":[" "]}"#))
        .reply(Reply::text(SEED_ANSWER));
    let schema = Schema::from_value(&json!({
        "title": ["str", "Title", true],
        "items": [["str", "Bullet point", "not_null"]],
    }));
    let result = agent(&runtime, mock.clone())
        .input("Hi.")
        .output(schema.unwrap())
        .get_result();
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    let meta = result.async_get_meta().await.unwrap();
    let failures: Vec<_> = meta.attempts.iter().map(|a| a.failure.clone()).collect();
    assert_eq!(
        failures,
        [
            Some("`items` must not be empty".to_owned()),
            Some("`items[0]` must not be empty".to_owned()),
            None,
        ]
    );
    assert_eq!(mock.requests().len(), 3);
}

async fn the_budget_of_retries_is_kept(runtime: Runtime) {
    let mock = MockProvider::new()
        .reply(Reply::text(r#"{"items":["first"]}"#))
        .reply(Reply::text(r#"{"items":["last"]}"#))
        .repeat_last();
    let result = seed(&agent(&runtime, mock.clone()))
        .max_retries(2)
        .get_result();
    let items: Vec<_> = result.get_async_generator(Instant).collect().await;
    let error = items.last().unwrap().as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ensure);
    support::assert_says(error, &["`title` is missing"]);
    assert!(error.is_retryable());
    assert_eq!(error.partial_text(), Some(r#"{"items":["last"]}"#));
    assert_eq!(error.meta().unwrap().attempts.len(), 3);
    assert_eq!(result.partial_text(), r#"{"items":["last"]}"#);
    assert_eq!(mock.requests().len(), 3);

    let status = items[items.len() - 2].as_ref().unwrap().status().unwrap();
    assert!(!status.retry);
    assert_eq!((status.attempt_index, status.next_attempt_index), (3, None));
    // The getters say the same.
    let kind = result.async_get_data().await.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::Ensure);
}

async fn without_retries_the_first_answer_counts(runtime: Runtime) {
    let mock = MockProvider::new().reply(Reply::text("{}"));
    let request = seed(&agent(&runtime, mock.clone()).max_retries(0));
    let error = request.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ensure);
    assert_eq!(mock.requests().len(), 1);
}

async fn an_answer_without_a_document_is_asked_for_again(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text("I would rather talk about ships."));
    server.push(Reply::text(format!(
        "Sorry! Here it is:\n```json\n{SEED_ANSWER}\n```\nDone."
    )));
    let result = seed(&agent).get_result();
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    let told = prompt(&server, 1);
    assert!(told.contains("JSON object"), "{told}");
    // The model's own words are not quoted back to it.
    assert!(!told.contains("ships"), "{told}");
}

async fn an_empty_answer_is_asked_for_again(runtime: Runtime) {
    let mock = MockProvider::new()
        .reply(Reply::empty())
        .reply(Reply::text(" \n"))
        .reply(Reply::text(SEED_ANSWER));
    let request = seed(&agent(&runtime, mock.clone()));
    assert_eq!(request.await.unwrap(), seed_data());
    assert_eq!(mock.requests().len(), 3);

    let mock = MockProvider::new().reply(Reply::empty());
    let request = seed(&agent(&runtime, mock)).max_retries(0);
    let error = request.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDocument);
    support::assert_says(&error, &["empty"]);
}

async fn a_broken_document_is_asked_for_again(runtime: Runtime) {
    let mock = MockProvider::new()
        .reply(Reply::text(r#"{"title": oops, "items": []}"#))
        .reply(Reply::text(SEED_ANSWER));
    let result = seed(&agent(&runtime, mock.clone())).get_result();
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    assert_eq!(mock.requests().len(), 2);

    let mock = MockProvider::new().reply(Reply::text(r#"{"title": oops}"#));
    let request = seed(&agent(&runtime, mock)).max_retries(0);
    let error = request.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    support::assert_says(&error, &["byte"]);
}

async fn usage_and_failures_are_told_per_attempt(runtime: Runtime) {
    let mock = MockProvider::new()
        .reply(Reply::text("{}").usage(Usage::new(10, 1)))
        .reply(Reply::text(SEED_ANSWER).usage(Usage::new(20, 9)));
    let result = seed(&agent(&runtime, mock)).get_result();
    let meta = result.async_get_meta().await.unwrap();
    let told: Vec<_> = meta
        .attempts
        .iter()
        .map(|attempt| (attempt.index, attempt.usage, attempt.failure.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            (1, Some(Usage::new(10, 1)), true),
            (2, Some(Usage::new(20, 9)), false),
        ]
    );
    assert_eq!(meta.usage, Some(Usage::new(20, 9)));
}

async fn a_refusal_is_an_error(runtime: Runtime) {
    let reply = Reply::empty().refusal("I cannot help with that.");
    let (server, agent) = served(&runtime, reply);
    let error = seed(&agent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refusal);
    support::assert_says(&error, &["declined"]);
    assert!(!error.is_retryable());
    assert_eq!(server.requests().len(), 1);
}

async fn a_length_limit_is_an_error(runtime: Runtime) {
    for schema in [true, false] {
        let reply = Reply::text(r#"{"title":"As"#).finish(FinishReason::Length);
        let (server, agent) = served(&runtime, reply);
        let request = if schema {
            seed(&agent)
        } else {
            agent.input("Hi.")
        };
        let error = request.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Length);
        support::assert_says(&error, &["max_tokens", "accept_length"]);
        assert_eq!(error.partial_text(), Some(r#"{"title":"As"#));
        let finish = error.meta().unwrap().finish_reason.clone();
        assert_eq!(finish, Some(FinishReason::Length));
        assert_eq!(server.requests().len(), 1);
    }
}

async fn a_length_limit_can_be_accepted(runtime: Runtime) {
    let reply = Reply::text("Once upon a").finish(FinishReason::Length);
    let (_server, agent) = served(&runtime, reply);
    let result = agent.input("Hi.").accept_length(true).get_result();
    assert_eq!(result.async_get_text().await.unwrap(), "Once upon a");
    let meta = result.async_get_meta().await.unwrap();
    assert_eq!(meta.finish_reason, Some(FinishReason::Length));
}

async fn a_cut_document_can_be_accepted(runtime: Runtime) {
    let text = r#"{"title":"Async First","items":["one","tw"#;
    let reply = Reply::text(text).finish(FinishReason::Length);
    let (server, agent) = served(&runtime, reply);
    let result = seed(&agent).accept_length(true).get_result();
    assert_eq!(
        result.async_get_data().await.unwrap(),
        json!({ "title": "Async First", "items": ["one", "tw"] })
    );
    assert_eq!(server.requests().len(), 1);
}

async fn a_content_filter_is_an_error(runtime: Runtime) {
    let reply = Reply::text("Well, ").finish(FinishReason::ContentFilter);
    let (server, agent) = served(&runtime, reply);
    let error = agent.input("Hi.").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContentFilter);
    assert_eq!(error.partial_text(), Some("Well, "));
    assert_eq!(server.requests().len(), 1);
}

async fn tools_instead_of_the_answer_are_an_error(runtime: Runtime) {
    let reply = Reply::empty().tool("call-1", "weather", "{}");
    let (server, agent) = served(&runtime, reply);
    let error = seed(&agent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ToolCalls);
    support::assert_says(&error, &["weather", "async_get_tool_calls"]);
    assert_eq!(server.requests().len(), 1);
}

async fn tools_are_an_answer_where_no_output_was_declared(runtime: Runtime) {
    let reply = Reply::empty().tool("call-1", "weather", "");
    let (_server, agent) = served(&runtime, reply);
    let result = agent.input("Hi.").get_result();
    let calls = result.async_get_tool_calls().await.unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].arguments, "{}");
    assert_eq!(result.async_get_text().await.unwrap(), "");
}

async fn an_answer_with_open_values_is_closed(runtime: Runtime) {
    // The model said that it had finished: only the brackets are missing.
    let (_server, agent) = served(&runtime, Reply::text(r#"{"title":"T","items":["one""#));
    let result = seed(&agent).get_result();
    let items = instant_items(&result).await;
    let last = &items[items.len() - 2];
    assert_eq!(last.path, "items");
    assert_eq!(
        last.completion_source,
        Some(CompletionSource::SyntheticRepair)
    );
    assert_eq!(
        result.async_get_data().await.unwrap(),
        json!({ "title": "T", "items": ["one"] })
    );
    assert!(!result.async_get_meta().await.unwrap().warnings.is_empty());
}

async fn a_provider_that_stops_in_the_middle_has_not_answered(runtime: Runtime) {
    // The document is whole, but nobody said that it is all.
    let mock = MockProvider::new().reply(Reply::text(SEED_ANSWER).cut());
    let result = seed(&agent(&runtime, mock)).get_result();
    let error = result.async_get_data().await.unwrap_err();
    let kind = ErrorKind::Provider(ProviderErrorKind::Truncated);
    assert_eq!(error.kind(), kind);
    assert_eq!(error.partial_text(), Some(SEED_ANSWER));
    assert_eq!(result.async_get_meta().await.unwrap_err().kind(), kind);
}

async fn a_failed_transport_is_no_reason_to_ask_again_here(runtime: Runtime) {
    let server = MockServer::builder()
        .reply(agently::mock::WireReply::from(
            Reply::text(SEED_ANSWER).take(0).cut(),
        ))
        .repeat_last()
        .start()
        .unwrap();
    let agent = agent(&runtime, open_ai(server.base_url()).build().unwrap());
    seed(&agent).await.unwrap_err();
    // The provider was told to try once.
    assert_eq!(server.requests().len(), 1);
}
