//! The seed program over a real socket: one request, and everything that is read from it.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently::mock::{MockServer, Reply};
use agently::prelude::*;
use agently::types::model::{FinishReason, Usage};
use agently::types::rt::Runtime;
use support::{
    agent, instant_items, lines, on_each_runtime, open_ai, seed, seed_data, served, SEED_ANSWER,
};

on_each_runtime! {
    the_seed_program,
    a_field_grows_while_the_server_still_sends,
    an_answer_in_one_piece_is_the_same_to_a_reader,
    a_request_can_be_awaited_itself,
    without_an_output_the_data_is_the_text,
    data_as_a_rust_type,
    data_that_is_not_of_the_type,
    many_requests_at_once,
    reasoning_is_no_part_of_the_answer,
    any_framing_of_the_bytes_is_the_same,
    a_cancelled_request_spoils_no_later_one,
    a_clone_of_a_request_is_another_request,
}

async fn the_seed_program(runtime: Runtime) {
    let reply = Reply::text(SEED_ANSWER)
        .chunked(9)
        .model("served-model")
        .id("answer-1")
        .request_id("req-1")
        .usage(Usage::new(12, 7));
    let (server, agent) = served(&runtime, reply);

    let result = seed(&agent).get_result();
    let items = instant_items(&result).await;
    assert_eq!(
        lines(&items),
        [
            "title + Async Fi",
            "title + rst",
            r#"title = "Async First""#,
            "items[0] + one",
            r#"items[0] = "one""#,
            "items[1] + two",
            r#"items[1] = "two""#,
            r#"items = ["one","two"]"#,
            r#"$status "completed" retry=false"#,
        ]
    );
    assert_eq!(items[3].wildcard_path(), "items[*]");
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    assert_eq!(result.async_get_text().await.unwrap(), SEED_ANSWER);

    let meta = result.async_get_meta().await.unwrap();
    assert_eq!(meta.provider, "openai");
    assert_eq!(meta.model.as_deref(), Some("served-model"));
    assert_eq!(meta.response_id.as_deref(), Some("answer-1"));
    assert_eq!(meta.request_id.as_deref(), Some("req-1"));
    assert_eq!(meta.finish_reason, Some(FinishReason::Stop));
    let usage = meta.usage.unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens),
        (Some(12), Some(7))
    );
    let timings = meta.timings;
    assert!(timings.to_first_token.unwrap() <= timings.to_first_field.unwrap());
    assert!(timings.to_first_field.unwrap() <= timings.total.unwrap());
    assert_eq!(meta.attempts.len(), 1);
    assert_eq!(meta.attempts[0].failure, None);
    assert_eq!(meta.warnings, []);

    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.connections(), 1);
}

async fn a_field_grows_while_the_server_still_sends(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(r#"{"title":"Async"#).hang());
    let result = seed(&agent).get_result();
    let mut events = result.get_async_generator(Instant);
    let first = events.next().await.unwrap().unwrap();
    assert_eq!(first.path, "title");
    assert_eq!(first.delta.as_deref(), Some("Async"));
    assert!(!first.is_complete);
    assert_eq!(result.partial_text(), r#"{"title":"Async"#);
    // The server has sent no more, and learns that nobody listens any longer.
    drop((events, result));
    assert!(server.wait_for_disconnects(1, Duration::from_secs(10)));
}

async fn an_answer_in_one_piece_is_the_same_to_a_reader(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER));
    let result = seed(&agent).stream(false).get_result();
    let items = instant_items(&result).await;
    assert_eq!(
        lines(&items),
        [
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
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    let meta = result.async_get_meta().await.unwrap();
    assert_eq!(meta.finish_reason, Some(FinishReason::Stop));
    assert_ne!(server.requests()[0].field("/stream"), Some(&json!(true)));
}

async fn a_request_can_be_awaited_itself(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER));
    server.push(Reply::text(SEED_ANSWER));
    assert_eq!(seed(&agent).await.unwrap(), seed_data());
    assert_eq!(seed(&agent).async_start().await.unwrap(), seed_data());
    assert_eq!(server.requests().len(), 2);
}

async fn without_an_output_the_data_is_the_text(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::text(SEED_ANSWER));
    let result = agent.input("Anything.").get_result();
    assert_eq!(result.async_get_data().await.unwrap(), json!(SEED_ANSWER));
    assert_eq!(result.async_get_text().await.unwrap(), SEED_ANSWER);
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Post {
    title: String,
    items: Vec<String>,
}

async fn data_as_a_rust_type(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::text(SEED_ANSWER));
    let result = seed(&agent).get_result();
    let post: Post = result.async_get_data_object().await.unwrap();
    assert_eq!(post.title, "Async First");
    assert_eq!(post.items, ["one", "two"]);
}

async fn data_that_is_not_of_the_type(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER));
    let result = seed(&agent).get_result();
    let error = result.async_get_data_object::<u32>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    support::assert_says(&error, &["u32", "async_get_data"]);
    // The data itself is not lost by it.
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    assert_eq!(server.requests().len(), 1);
}

async fn many_requests_at_once(runtime: Runtime) {
    let server = MockServer::builder()
        .respond_with(|request| {
            let asked = request.field("/messages/0/content").unwrap();
            Reply::text(format!("You said: {}", asked.as_str().unwrap())).chunked(5)
        })
        .start()
        .unwrap();
    let agent = agent(&runtime, open_ai(server.base_url()).build().unwrap());
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let request = agent.input(format!("number {number}"));
            runtime.spawn(request.async_start())
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        let said = task.await.unwrap().unwrap();
        assert_eq!(said, json!(format!("You said: number {number}")));
    }
    assert_eq!(server.requests().len(), 16);
}

async fn reasoning_is_no_part_of_the_answer(runtime: Runtime) {
    let replies = [
        Reply::text(SEED_ANSWER).reasoning("Let me think."),
        Reply::text(format!("<think>Let me think.</think>{SEED_ANSWER}")).chunked(3),
    ];
    for reply in replies {
        let (_server, agent) = served(&runtime, reply);
        let result = seed(&agent).get_result();
        assert_eq!(result.async_get_data().await.unwrap(), seed_data());
        assert_eq!(result.async_get_text().await.unwrap(), SEED_ANSWER);
        assert_eq!(result.async_get_reasoning().await.unwrap(), "Let me think.");
    }
}

async fn any_framing_of_the_bytes_is_the_same(runtime: Runtime) {
    let text = r#"{"title":"Größe 🦀","items":["a\nb","\u00e9"]}"#;
    let reply = || agently::mock::WireReply::from(Reply::text(text).chunked(4));
    let mut seen = Vec::new();
    for reply in [reply(), reply().close_delimited(), reply().fragmented(7)] {
        let (_server, agent) = served(&runtime, reply);
        let result = seed(&agent).get_result();
        seen.push(lines(&instant_items(&result).await));
        assert_eq!(
            result.async_get_data().await.unwrap(),
            json!({ "title": "Größe 🦀", "items": ["a\nb", "é"] })
        );
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

async fn a_cancelled_request_spoils_no_later_one(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(r#"{"title":"As"#).hang());
    for _ in 0..3 {
        server.push(Reply::text(SEED_ANSWER).chunked(4));
        server.push(Reply::text(r#"{"title":"As"#).hang());
    }
    for round in 1..=3 {
        // Left in the middle, its connection cannot be used for another.
        let mut events = seed(&agent).get_result().get_async_generator(Instant);
        assert_eq!(events.next().await.unwrap().unwrap().path, "title");
        drop(events);
        assert_eq!(seed(&agent).await.unwrap(), seed_data());
        assert_eq!(server.requests().len(), 2 * round);
    }
    assert!(server.wait_for_disconnects(3, Duration::from_secs(10)));
}

async fn a_clone_of_a_request_is_another_request(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text("one"));
    server.push(Reply::text("two"));
    let request = agent.input("Hi.");
    let copy = request.clone();
    assert_eq!(request.await.unwrap(), "one");
    assert_eq!(copy.await.unwrap(), "two");
    assert_eq!(server.requests().len(), 2);
}
