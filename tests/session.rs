//! Conversations: what a request is asked with, and what becomes of its answer.

#![cfg(all(feature = "mock", feature = "openai", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use agently::mock::{MockProvider, Reply};
use agently::prelude::*;
use agently::types::error::{ProviderError, ProviderErrorKind};
use agently::types::model::{FinishReason, Message, ModelRequest, ToolCallDelta};
use agently::types::rt::Runtime;
use agently::{Judgment, Sessions};
use futures_util::future::{join, join_all};
use support::{agent, assert_says, in_virtual_time, on_each_runtime, seed, seed_data, SEED_ANSWER};

on_each_runtime! {
    an_accepted_answer_becomes_a_turn,
    only_what_was_accepted_is_remembered,
    a_refused_attempt_leaves_no_trace,
}

/// The messages of a request, as lines.
fn asked(request: &ModelRequest) -> Vec<String> {
    request
        .messages
        .iter()
        .map(|message| format!("{}: {}", message.role.as_str(), message.text()))
        .collect()
}

fn said(session: &Session) -> Vec<String> {
    session.messages().iter().map(Message::text).collect()
}

/// Answers `re: ` and the last message.
fn echo() -> MockProvider {
    MockProvider::respond_with(|request| {
        Reply::text(format!("re: {}", request.messages.last().unwrap().text()))
    })
}

async fn an_accepted_answer_becomes_a_turn(runtime: Runtime) {
    let mock = echo();
    let session = Session::new();
    let agent = agent(&runtime, mock.clone())
        .role("A clerk.")
        .chat_history([Message::user("example"), Message::assistant("like this")])
        .session(&session);
    agent.input("one").await.unwrap();
    let request = agent
        .input("two")
        .chat_history([Message::assistant("by the way")]);
    let preview = request.get_messages().unwrap();
    assert!(request.get_prompt_text().unwrap().contains("re: one"));
    request.await.unwrap();
    assert_eq!(said(&session), ["one", "re: one", "two", "re: two"]);
    let second = &mock.requests()[1];
    assert_eq!(
        asked(second),
        [
            "system: A clerk.",
            "user: example",
            "assistant: like this",
            "user: one",
            "assistant: re: one",
            "assistant: by the way",
            "user: two",
        ]
    );
    assert_eq!(second.messages, preview);
}

async fn only_what_was_accepted_is_remembered(runtime: Runtime) {
    let lost = || ProviderError::new(ProviderErrorKind::Truncated, "lost");
    let call = ToolCallDelta::start(0, "1", "find");
    let mock = MockProvider::new()
        .reply(Reply::text("half").error(lost))
        .reply(Reply::text("cut").finish(FinishReason::Length))
        .reply(
            Reply::empty()
                .tool_call(call)
                .finish(FinishReason::ToolCalls),
        )
        .reply(Reply::text("never read to its end").chunked(1))
        .reply(Reply::text("yes"));
    let session = Session::new();
    let agent = agent(&runtime, mock).session(&session);
    assert!(agent.input("lost").await.is_err());
    assert!(agent.input("cut").await.is_err());
    let result = agent.input("tool").get_result();
    assert_eq!(result.async_get_tool_calls().await.unwrap().len(), 1);
    let result = agent.input("dropped").get_result();
    let mut words = result.get_async_generator(Delta);
    assert!(words.next().await.unwrap().is_ok());
    drop((words, result));
    assert!(said(&session).is_empty());
    let result = agent.input("good").get_result();
    // However often it is read, it is one turn.
    for _ in 0..2 {
        assert_eq!(result.async_get_text().await.unwrap(), "yes");
    }
    assert_eq!(said(&session), ["good", "yes"]);
}

async fn a_refused_attempt_leaves_no_trace(runtime: Runtime) {
    let mock = MockProvider::new()
        .reply(Reply::text("{}"))
        .reply(Reply::text(SEED_ANSWER));
    let session = Session::new();
    session.append([Message::user("hi"), Message::assistant("hello")]);
    let agent = agent(&runtime, mock.clone()).session(&session);
    assert_eq!(seed(&agent).await.unwrap(), seed_data());
    // The turn is what was asked, without the rules for the output and the correction.
    assert_eq!(
        said(&session),
        [
            "hi",
            "hello",
            "Give me a title and two bullets.",
            SEED_ANSWER
        ]
    );
    let retry = &mock.requests()[1];
    assert_eq!(asked(retry)[..2], ["user: hi", "assistant: hello"]);
    assert_eq!(retry.messages.len(), 3);
}

#[test]
fn the_turn_is_there_when_the_answer_is() {
    in_virtual_time(0..20, |runtime| async move {
        let session = Session::new();
        let agent = agent(&runtime, echo()).session(&session);
        let result = agent.input("one").get_result();
        let (session, seen) = (session.clone(), Arc::new(AtomicUsize::new(0)));
        let readers = (0..4).map(|_| {
            let (result, session, seen) = (result.clone(), session.clone(), Arc::clone(&seen));
            runtime.spawn(async move {
                result.async_get_text().await.unwrap();
                assert_eq!(said(&session), ["one", "re: one"]);
                seen.fetch_add(1, Ordering::Relaxed);
            })
        });
        for reader in join_all(readers).await {
            reader.unwrap();
        }
        assert_eq!(seen.load(Ordering::Relaxed), 4);
    });
}

#[test]
fn concurrent_requests_see_the_history_at_their_start_and_never_interleave() {
    in_virtual_time(0..20, |runtime| async move {
        let mock = MockProvider::respond_with(|request| {
            let input = request.messages.last().unwrap().text();
            let seconds = input.trim_start_matches('q').parse().unwrap();
            Reply::text(format!("a{seconds}")).delay(Duration::from_secs(seconds))
        });
        let session = Session::new();
        session.append([Message::user("q0"), Message::assistant("a0")]);
        let agent = agent(&runtime, mock.clone()).session(&session);
        let tasks = [3, 1, 2].map(|seconds| {
            let request = agent.input(format!("q{seconds}"));
            runtime.spawn(async move { request.await.unwrap() })
        });
        for task in join_all(tasks).await {
            task.unwrap();
        }
        // In the order of acceptance, each turn in one piece.
        assert_eq!(
            said(&session),
            ["q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"]
        );
        for request in mock.requests() {
            assert_eq!(request.messages.len(), 3);
        }
    });
}

#[test]
fn a_result_starts_at_its_first_read() {
    in_virtual_time(0..3, |runtime| async move {
        let mock = echo();
        let session = Session::new();
        let agent = agent(&runtime, mock.clone()).session(&session);
        let early = agent.input("made first").get_result();
        agent.input("asked first").await.unwrap();
        early.async_get_text().await.unwrap();
        assert_eq!(mock.requests()[1].messages.len(), 3);
        assert_eq!(said(&session)[0], "asked first");
    });
}

#[test]
fn sessions_by_id_belong_to_the_agent_and_its_clones() {
    in_virtual_time(0..3, |runtime| async move {
        let mock = echo();
        let agent = agent(&runtime, mock.clone())
            .sessions(Sessions::new(|session| session.max_messages(2)));
        let ada = agent.clone().activate_session("ada");
        ada.input("one").await.unwrap();
        ada.input("two").await.unwrap();
        agent
            .clone()
            .activate_session("ben")
            .input("other")
            .await
            .unwrap();
        agent.input("alone").await.unwrap();
        agent
            .clone()
            .activate_session("ada")
            .input("three")
            .await
            .unwrap();
        ada.clone().without_session().input("four").await.unwrap();
        let lengths: Vec<_> = mock.requests().iter().map(|r| r.messages.len()).collect();
        assert_eq!(lengths, [1, 3, 1, 1, 3, 1]);
        assert_eq!(ada.active_session().unwrap().messages().len(), 6);
        let error = agent
            .activate_session("no id")
            .input("x")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Session);
        assert_says(&error, &["1 to 128 letters"]);
        assert_eq!(mock.requests().len(), 6);
    });
}

#[test]
fn the_memo_is_part_of_every_request_and_of_no_turn() {
    in_virtual_time(0..3, |runtime| async move {
        let mock = echo();
        let session = Session::new().max_messages(0);
        session.remember("name", "Ada");
        let agent = agent(&runtime, mock.clone()).session(&session);
        agent.input("Who am I?").await.unwrap();
        assert_eq!(
            asked(&mock.requests()[0]),
            ["user: [INFO]:\nmemo:\n  name: Ada\n\n[INPUT]:\nWho am I?"]
        );
        assert_eq!(said(&session)[0], "Who am I?");
    });
}

#[test]
fn a_handler_is_called_over_the_limit_and_its_work_is_kept() {
    in_virtual_time(0..3, |runtime| async move {
        let mock = echo();
        let calls = Arc::new(AtomicUsize::new(0));
        let (counted, clock) = (Arc::clone(&calls), runtime.clone());
        let session = Session::new()
            .max_messages(4)
            .resize_async(move |mut conversation| {
                counted.fetch_add(1, Ordering::Relaxed);
                let sleep = clock.sleep(Duration::from_secs(5));
                async move {
                    sleep.await;
                    let turns = conversation.messages.len() / 2;
                    conversation.memo.insert("turns".into(), turns.into());
                    conversation.messages = vec![Message::system("summary")];
                    Ok(conversation)
                }
            });
        let agent = agent(&runtime, mock.clone()).session(&session);
        for input in ["1", "2", "3", "4", "5"] {
            agent.input(input).await.unwrap();
        }
        let lengths: Vec<_> = mock.requests().iter().map(|r| r.messages.len()).collect();
        // 0, 2 and 4 messages fit; 6 become the summary, which then grows by a turn.
        assert_eq!(lengths, [1, 3, 5, 2, 4]);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(session.memo()["turns"], 3);
        assert!(asked(&mock.requests()[4])[0].contains("summary"));
        assert_eq!(session.messages().len(), 10);
        // What stands for older turns is stored with them.
        let stored = Session::from_json(&session.to_json()).unwrap();
        let stored = stored.max_messages(4);
        assert_eq!(stored.window(), session.window());
    });
}

#[test]
fn a_turn_that_ends_while_a_handler_works_is_not_lost() {
    in_virtual_time(0..10, |runtime| async move {
        let clock = runtime.clone();
        let session = Session::new().resize_async(move |mut conversation| {
            let sleep = clock.sleep(Duration::from_secs(5));
            async move {
                sleep.await;
                conversation.messages = vec![Message::user("summary")];
                Ok(conversation)
            }
        });
        session.append([Message::user("q"), Message::assistant("a")]);
        let agent = agent(&runtime, echo()).session(&session);
        let slow = agent.input("slow");
        let other = session.clone();
        let sleep = runtime.sleep(Duration::from_secs(1));
        let quick = async {
            sleep.await;
            other.append([Message::user("quick"), Message::assistant("re: quick")]);
        };
        join(async { slow.await.unwrap() }, quick).await;
        let window: Vec<_> = session.window().iter().map(Message::text).collect();
        assert_eq!(
            window,
            ["summary", "quick", "re: quick", "slow", "re: slow"]
        );
    });
}

#[test]
fn a_handler_that_fails_fails_the_request_and_nothing_is_sent() {
    in_virtual_time(0..3, |runtime| async move {
        let mock = echo();
        let session = Session::new().resize_async(|_| async { Err("no summary today".into()) });
        let agent = agent(&runtime, mock.clone()).session(&session);
        // There is nothing to make shorter yet.
        agent.input("one").await.unwrap();
        let result = agent.input("two").get_result();
        let error = result.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Session);
        assert_says(&error, &["resize handler", "`default`", "no summary today"]);
        assert_eq!(error.partial_text(), None);
        let items: Vec<_> = result.get_async_generator(Instant).collect().await;
        assert_eq!(items.len(), 1);
        assert_eq!(mock.requests().len(), 1);
        assert_eq!(session.messages().len(), 2);
    });
}

#[test]
fn a_handler_counts_towards_the_time_limit() {
    in_virtual_time(0..3, |runtime| async move {
        let session = Session::new().resize_async(|_| std::future::pending());
        session.append([Message::user("q"), Message::assistant("a")]);
        let agent = agent(&runtime, echo())
            .session(&session)
            .timeout(Duration::from_secs(9));
        let start = runtime.now();
        let error = agent.input("x").await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Provider(ProviderErrorKind::Deadline)
        );
        assert_eq!(runtime.now() - start, Duration::from_secs(9));
    });
}

#[test]
fn a_validator_may_look_at_the_session() {
    in_virtual_time(0..3, |runtime| async move {
        let session = Session::new();
        let seen = session.clone();
        let agent = agent(&runtime, echo()).session(&session);
        let request = agent.input("one").validate("not yet a turn", move |_, _| {
            Judgment::pass_if(seen.messages().is_empty(), "too early")
        });
        request.await.unwrap();
        assert_eq!(session.messages().len(), 2);
    });
}
