//! Rules of the caller's own: asked in order, told to the model, and early where they can be.
#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use agently::mock::{MockProvider, Reply};
use agently::prelude::*;
use agently::types::rt::Runtime;
use agently::Judgment;
use support::in_virtual_time;

const GOOD: &str = r#"{"title":"Short","items":["one","two"]}"#;
const LONG: &str = r#"{"title":"A title that goes on and on","items":["one","two"]}"#;

fn asked(runtime: &Runtime, mock: &MockProvider) -> Request {
    let app = Agently::builder()
        .provider(mock.clone())
        .runtime(runtime.clone())
        .build()
        .unwrap();
    app.agent().input("Write.").output(output!({
        "title": (str, "Title", "not_null"),
        "items": [(str, "Point", true)],
    }))
}

fn short_title(data: &serde_json::Value) -> Judgment {
    let length = data["title"].as_str().unwrap_or_default().len();
    Judgment::pass_if(length < 10, format!("the title has {length} characters"))
}

#[test]
fn a_refused_answer_is_asked_for_again_with_the_reason() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new()
            .reply(Reply::text(LONG))
            .reply(Reply::text(GOOD));
        let result = asked(&runtime, &mock)
            .validate("short", |data, _| short_title(data))
            .get_result();
        assert_eq!(result.async_get_data().await.unwrap()["title"], "Short");
        let requests = mock.requests();
        assert_eq!(requests.len(), 2);
        let second = requests[1].messages.last().unwrap().text();
        assert!(second.contains("the title has 27 characters"), "{second}");
        let meta = result.async_get_meta().await.unwrap();
        assert_eq!(meta.attempts[0].validator.as_deref(), Some("short"));
        assert_eq!(meta.attempts[0].text.as_deref(), Some(LONG));
        assert!(!meta.attempts[0].stopped_early);
        assert_eq!(meta.attempts[1].failure, None);
    });
}

#[test]
fn validators_are_asked_in_order_until_one_refuses_and_once_per_attempt() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new()
            .reply(Reply::text(LONG))
            .reply(Reply::text(GOOD));
        let (first, last) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (in_first, in_last) = (Arc::clone(&first), Arc::clone(&last));
        let result = asked(&runtime, &mock)
            .validate("first", move |data, _| {
                in_first.fetch_add(1, Ordering::SeqCst);
                short_title(data)
            })
            .validate_async("last", move |_, context| {
                in_last.fetch_add(1, Ordering::SeqCst);
                async move {
                    assert_eq!(context.attempt(), 2);
                    assert_eq!(context.retries_left(), 2);
                    Judgment::Pass
                }
            })
            .get_result();
        result.async_get_data().await.unwrap();
        result.async_get_text().await.unwrap();
        assert_eq!(first.load(Ordering::SeqCst), 2);
        assert_eq!(last.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_validator_may_change_later_attempts_and_no_others() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new()
            .reply(Reply::text(LONG))
            .reply(Reply::text(GOOD));
        let request = asked(&runtime, &mock).validate("short", |data, context| {
            context.set_option("temperature", 0.0);
            context.set_model("bigger");
            context.change_prompt(|prompt| {
                prompt.add_instruct("Be brief.");
            });
            short_title(data)
        });
        request.clone().get_result().async_get_data().await.unwrap();
        let requests = mock.requests();
        assert_eq!(requests[0].model, None);
        assert!(!requests[0].options.contains_key("temperature"));
        assert_eq!(requests[1].model.as_deref(), Some("bigger"));
        assert_eq!(requests[1].options["temperature"], 0.0);
        assert!(requests[1]
            .messages
            .last()
            .unwrap()
            .text()
            .contains("Be brief."));
        // The request itself is as it was.
        assert!(!request.get_prompt_text().unwrap().contains("Be brief."));
    });
}

#[test]
fn stop_ends_the_request_and_raise_gives_the_callers_error() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new()
            .reply(Reply::text(GOOD))
            .reply(Reply::text(GOOD));
        let stopped = asked(&runtime, &mock)
            .validate("policy", |_, _| Judgment::stop("not allowed"))
            .get_result();
        let error = stopped.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stopped);
        assert!(!error.is_retryable());
        assert_eq!(
            error.to_string(),
            "the validator `policy` refused the answer: not allowed"
        );
        assert_eq!(error.partial_text(), Some(GOOD));

        let raised = asked(&runtime, &mock)
            .validate("table", |_, _| Judgment::raise("the table is gone"))
            .get_result();
        let error = raised.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validator);
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "the table is gone");
        assert_eq!(mock.requests().len(), 2);
    });
}

#[test]
fn a_spent_budget_gives_the_last_reason_and_the_whole_ledger() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new().reply(Reply::text(LONG)).repeat_last();
        let result = asked(&runtime, &mock)
            .max_retries(2)
            .validate("short", |data, _| short_title(data))
            .get_result();
        let error = result.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
        let attempts = &error.meta().unwrap().attempts;
        assert_eq!(attempts.len(), 3);
        assert!(attempts
            .iter()
            .all(|attempt| attempt.validator.as_deref() == Some("short")));
        assert_eq!(mock.requests().len(), 3);
    });
}

#[test]
fn a_field_is_judged_the_moment_it_closes_and_a_bad_one_stops_the_answer() {
    in_virtual_time([1, 2, 3], |runtime| async move {
        // A delta a second: the title is closed after second 30, the answer would take 60.
        let mock = MockProvider::new()
            .reply(Reply::text(LONG).chunked(1).delay(Duration::from_secs(1)))
            .reply(Reply::text(GOOD));
        let start = runtime.now();
        let result = asked(&runtime, &mock)
            .validate_field("title", "short", |title, _| {
                let length = title.as_str().unwrap_or_default().len();
                Judgment::pass_if(length < 10, format!("it has {length} characters"))
            })
            .get_result();
        assert_eq!(result.async_get_data().await.unwrap()["title"], "Short");
        let closed = LONG.find("\",").unwrap() as u64;
        assert_eq!((runtime.now() - start).as_secs(), closed);
        assert_eq!(mock.cancelled(), 1);
        let meta = result.async_get_meta().await.unwrap();
        assert!(meta.attempts[0].stopped_early);
        assert_eq!(
            meta.attempts[0].failure.as_deref(),
            Some("`title`: it has 27 characters")
        );
        let kept = meta.attempts[0].text.as_deref().unwrap();
        assert!(LONG.starts_with(kept) && kept.len() < LONG.len());
    });
}

#[test]
fn an_empty_field_that_must_not_be_stops_the_answer_when_it_closes() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new()
            .reply(
                Reply::text(r#"{"title":" ","items":["one","two"]}"#)
                    .chunked(1)
                    .delay(Duration::from_secs(1)),
            )
            .reply(Reply::text(GOOD));
        let result = asked(&runtime, &mock).get_result();
        let mut paths = Vec::new();
        let mut events = result.get_async_generator(Instant);
        while let Some(item) = events.next().await {
            let item = item.unwrap();
            if item.status().is_some_and(|status| status.retry) {
                paths.clear();
            } else if item.is_complete {
                paths.push(format!("{} {}", item.attempt, item.path));
            }
        }
        assert_eq!(paths, ["2 title", "2 items[0]", "2 items[1]", "2 items"]);
        assert_eq!(mock.cancelled(), 1);
    });
}

#[test]
fn a_panicking_validator_is_an_error() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new().reply(Reply::text(GOOD));
        let result = asked(&runtime, &mock)
            .validate("bad", |data, _| {
                assert!(data.is_null(), "not this one");
                Judgment::Pass
            })
            .get_result();
        let error = result.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panic);
        assert!(error.to_string().contains("not this one"), "{error}");
    });
}

#[test]
fn a_rule_for_a_field_that_is_not_there_is_the_error_of_the_first_read() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new().reply(Reply::text(GOOD)).repeat_last();
        let read = |request: Request| async move {
            let error = request.get_result().async_get_data().await.unwrap_err();
            (error.kind(), error.to_string())
        };
        let pass = |_: &serde_json::Value, _: &agently::ValidationContext| Judgment::Pass;
        let request = asked(&runtime, &mock).validate_field("titel", "any", pass);
        let (kind, message) = read(request).await;
        assert_eq!(kind, ErrorKind::Schema);
        assert_eq!(
            message,
            "there is no field `titel` for the rule on `titel`; there are `title`, `items`"
        );
        let request = asked(&runtime, &mock).validate_field("title[*]", "any", pass);
        let (kind, message) = read(request).await;
        assert_eq!(kind, ErrorKind::Schema);
        assert!(message.contains("no list"), "{message}");
        let app = Agently::builder()
            .provider(mock.clone())
            .runtime(runtime.clone())
            .build()
            .unwrap();
        let request = app.agent().input("Hi").validate_field("title", "any", pass);
        let (kind, message) = read(request).await;
        assert_eq!(kind, ErrorKind::Config);
        assert!(message.contains("no output was declared"), "{message}");
        assert_eq!(mock.requests().len(), 0);
    });
}

#[test]
fn a_key_with_a_dot_is_no_path() {
    in_virtual_time([1], |runtime| async move {
        // The rule is for the key `a.b`; the extra field `a` has a `b` that is empty.
        let answer = r#"{"a":{"b":""},"a.b":"good"}"#;
        let mock = MockProvider::new().reply(Reply::text(answer));
        let app = Agently::builder()
            .provider(mock.clone())
            .runtime(runtime)
            .build()
            .unwrap();
        let result = app
            .agent()
            .input("Write.")
            .output(output!({ "a.b": (str, "Text", "not_null") }))
            .get_result();
        assert_eq!(result.async_get_data().await.unwrap()["a.b"], "good");
        assert_eq!(mock.requests().len(), 1);
    });
}

#[test]
fn a_context_can_be_used_while_it_changes_the_prompt() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new().reply(Reply::text(GOOD));
        let result = asked(&runtime, &mock)
            .validate("nested", |_, context| {
                context.change_prompt(|prompt| {
                    context.set_model("other");
                    prompt.add_info(context.text());
                });
                Judgment::Pass
            })
            .get_result();
        result.async_get_data().await.unwrap();
    });
}
