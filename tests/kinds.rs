//! The five kinds of stream, and sinks at their ends.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::ops::ControlFlow;
use std::time::Duration;

use agently::mock::{MockProvider, Reply};
use agently::prelude::*;
use agently::types::model::{ModelEvent, ToolSpec};
use agently::types::rt::Runtime;
use agently::types::sink::{channel, Collect, FanOut, FnSink, Map};
use agently::{AnyEvent, EventName, SpecificEvent};
use support::{
    agent, chain, instant_items, line, lines, on_each_runtime, run_by_hand, seed, seed_data,
    served, SEED_ANSWER,
};

on_each_runtime! {
    deltas_joined_are_the_text,
    a_retry_is_marked_in_the_delta_stream,
    a_retry_marker_is_escaped,
    specific_gives_the_named_events,
    specific_gives_only_what_was_asked_for,
    specific_tells_of_a_retry,
    tool_calls_are_put_together,
    original_gives_the_events_of_the_wire,
    original_can_come_late_if_it_was_asked_for,
    original_that_comes_too_late_says_so,
    all_puts_field_events_after_their_cause,
    a_failure_is_the_last_item_of_every_kind,
    every_kind_can_be_piped,
    a_pipe_fills_a_channel_no_faster_than_it_is_read,
    a_closed_sink_stops_the_pipe_and_nothing_else,
    a_failure_ends_the_pipe_after_what_came_before,
}

/// Two answers: the first lacks the title.
fn two_attempts() -> MockProvider {
    MockProvider::new()
        .reply(Reply::text(r#"{"items":["x"]}"#).reasoning("Hm."))
        .reply(Reply::text(SEED_ANSWER).chunked(20).reasoning("Ah."))
}

async fn texts(result: &ModelResult) -> Vec<String> {
    result
        .get_async_generator(Delta)
        .map(|delta| delta.unwrap().to_string())
        .collect()
        .await
}

fn name(event: &SpecificEvent) -> String {
    let name = event.name().as_str();
    match event {
        SpecificEvent::Delta(text) | SpecificEvent::ReasoningDelta(text) => {
            format!("{name} {text}")
        }
        SpecificEvent::Done(text) | SpecificEvent::ReasoningDone(text) => format!("{name} {text}"),
        SpecificEvent::Status(status) => {
            format!("{name} {:?} {}", status.status, status.attempt_index)
        }
        _ => name.to_owned(),
    }
}

async fn names(result: &ModelResult, kind: Specific) -> Vec<String> {
    result
        .get_async_generator(kind)
        .map(|event| name(&event.unwrap()))
        .collect()
        .await
}

async fn deltas_joined_are_the_text(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::text("Größe: 🦀🦀🦀 und mehr").chunked(2));
    let result = agent.input("Hi.").get_result();
    let pieces = texts(&result).await;
    assert_eq!(pieces.len(), 10);
    assert_eq!(pieces.concat(), "Größe: 🦀🦀🦀 und mehr");
    assert_eq!(result.async_get_text().await.unwrap(), pieces.concat());
}

async fn a_retry_is_marked_in_the_delta_stream(runtime: Runtime) {
    let result = seed(&agent(&runtime, two_attempts())).get_result();
    assert_eq!(
        texts(&result).await,
        [
            r#"{"items":["x"]}"#,
            "<$retry>`title` is missing</$retry>",
            r#"{"title":"Async Firs"#,
            r#"t","items":["one","t"#,
            r#"wo"]}"#,
        ]
    );
    // The accepted text has no part of what was withdrawn.
    assert_eq!(result.async_get_text().await.unwrap(), SEED_ANSWER);
}

async fn a_retry_marker_is_escaped(runtime: Runtime) {
    let mock = MockProvider::new()
        .reply(Reply::text(r#"{"other":1}"#))
        .reply(Reply::text(r#"{"a<b>&c":1,"other":1}"#));
    let result = agent(&runtime, mock)
        .input("Hi.")
        .output(output!({ "a<b>&c": (int, "", true), "other": int }))
        .get_result();
    let texts = texts(&result).await;
    assert_eq!(texts[1], "<$retry>`a&lt;b&gt;&amp;c` is missing</$retry>");
}

async fn specific_gives_the_named_events(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::deltas(["one ", "two"]).reasoning("Hm."));
    let result = agent.input("Hi.").get_result();
    assert_eq!(
        names(&result, Specific::default()).await,
        [
            "reasoning_delta Hm.",
            "delta one ",
            "delta two",
            "done one two",
            "reasoning_done Hm.",
        ]
    );
}

async fn specific_gives_only_what_was_asked_for(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::deltas(["one ", "two"]).reasoning("Hm."));
    let result = agent.input("Hi.").get_result();
    let done = Specific::only(&[EventName::Meta, EventName::Done]);
    assert_eq!(names(&result, done).await, ["done one two", "meta"]);
    let nothing = Specific::only(&[EventName::ToolCalls]);
    assert_eq!(names(&result, nothing).await, Vec::<String>::new());
}

async fn specific_tells_of_a_retry(runtime: Runtime) {
    let result = seed(&agent(&runtime, two_attempts())).get_result();
    let names = names(&result, Specific::default()).await;
    assert_eq!(
        names,
        [
            "reasoning_delta Hm.",
            r#"delta {"items":["x"]}"#,
            "status Failed 1",
            "reasoning_delta Ah.",
            r#"delta {"title":"Async Firs"#,
            r#"delta t","items":["one","t"#,
            r#"delta wo"]}"#,
            &format!("done {SEED_ANSWER}"),
            "reasoning_done Ah.",
        ]
    );
}

async fn tool_calls_are_put_together(runtime: Runtime) {
    let reply = Reply::empty()
        .tool("call-1", "weather", r#"{"city":"Bern"}"#)
        .tool("call-2", "time", "{}");
    let (server, agent) = served(&runtime, reply);
    let tool = ToolSpec::new("weather", "Tells the weather.", json!({ "type": "object" }));
    let result = agent.input("Hi.").tool(tool).get_result();
    let kind = Specific::only(&[EventName::ToolCallDelta, EventName::ToolCalls]);
    let events: Vec<_> = result.get_async_generator(kind).collect().await;
    let Some(Ok(SpecificEvent::ToolCalls(calls))) = events.last() else {
        panic!("{events:?}");
    };
    assert!(events.len() > 2);
    assert_eq!(*calls, result.async_get_tool_calls().await.unwrap());
    let told: Vec<_> = calls
        .iter()
        .map(|call| (&*call.id, &*call.name, &*call.arguments))
        .collect();
    assert_eq!(
        told,
        [
            ("call-1", "weather", r#"{"city":"Bern"}"#),
            ("call-2", "time", "{}"),
        ]
    );
    let sent = &server.requests()[0];
    assert_eq!(
        sent.field("/tools/0/function/name"),
        Some(&json!("weather"))
    );
}

async fn original_gives_the_events_of_the_wire(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::deltas(["one ", "two"]));
    let result = agent.input("Hi.").get_result();
    let raw: Vec<_> = result.get_async_generator(Original).collect().await;
    let joined = format!("{raw:?}");
    assert!(
        joined.contains("one ") && joined.contains("two"),
        "{joined}"
    );
    assert!(joined.contains("finish_reason"), "{joined}");
    // They come beside the others.
    assert_eq!(texts(&result).await, ["one ", "two"]);
}

async fn original_can_come_late_if_it_was_asked_for(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::deltas(["one ", "two"]));
    let result = agent.input("Hi.").raw_events(true).get_result();
    result.async_get_text().await.unwrap();
    let raw: Vec<_> = result.get_async_generator(Original).collect().await;
    assert!(raw.len() >= 3, "{raw:?}");
    assert!(raw.iter().all(Result::is_ok));
}

async fn original_that_comes_too_late_says_so(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::deltas(["one ", "two"]));
    let result = agent.input("Hi.").get_result();
    assert_eq!(result.async_get_text().await.unwrap(), "one two");
    let raw: Vec<_> = result.get_async_generator(Original).collect().await;
    assert_eq!(raw.len(), 1);
    let error = raw[0].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RawNotKept);
    support::assert_says(error, &["raw_events(true)"]);
    // Only that stream is refused.
    assert_eq!(result.async_get_data().await.unwrap(), "one two");
    assert_eq!(server.requests().len(), 1);
}

async fn all_puts_field_events_after_their_cause(runtime: Runtime) {
    let mock = MockProvider::new()
        .reply(Reply::text(r#"{"items":[]}"#))
        .reply(Reply::deltas([r#"{"title":"As"#, r#"ync","items":[]}"#]));
    let result = agent(&runtime, mock)
        .input("Hi.")
        .output(output!({ "title": (str, "Title", true), "items": [str] }))
        .get_result();
    let told: Vec<String> = result
        .get_async_generator(All)
        .filter_map(|event| async {
            match event.unwrap() {
                AnyEvent::Model(ModelEvent::TextDelta(text)) => Some(format!("text {text}")),
                AnyEvent::Model(ModelEvent::Finish(reason)) => Some(format!("finish {reason}")),
                AnyEvent::Field(item) => Some(line(&item)),
                _ => None,
            }
        })
        .collect()
        .await;
    assert_eq!(
        told,
        [
            r#"text {"items":[]}"#,
            "items = []",
            "finish stop",
            r#"$status "failed" retry=true"#,
            r#"text {"title":"As"#,
            "title + As",
            r#"text ync","items":[]}"#,
            "title + ync",
            r#"title = "Async""#,
            "items = []",
            "finish stop",
            r#"$status "completed" retry=false"#,
        ]
    );
}

async fn a_failure_is_the_last_item_of_every_kind(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::text(r#"{"title":"As"#).cut());
    let result = seed(&agent).raw_events(true).get_result();
    macro_rules! check {
        ($($kind:expr),*) => {$(
            let items: Vec<_> = result.get_async_generator($kind).collect().await;
            assert!(items.len() > 1, "{items:?}");
            let (last, before) = items.split_last().unwrap();
            assert!(before.iter().all(Result::is_ok), "{before:?}");
            assert!(last.is_err(), "{last:?}");
        )*};
    }
    check!(Instant, Delta, Specific::default(), Original, All);
    let items: Vec<_> = result.get_async_generator(Instant).collect().await;
    let status = items[items.len() - 2].as_ref().unwrap();
    assert_eq!(line(status), r#"$status "failed" retry=false"#);
}

async fn every_kind_can_be_piped(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER).chunked(3));
    let result = seed(&agent).raw_events(true).get_result();
    macro_rules! check {
        ($($kind:expr),*) => {$(
            let list = Collect::new();
            let sent = result.async_pipe($kind, list.clone()).await.unwrap();
            let read: Vec<_> = result.get_async_generator($kind).map(Result::unwrap).collect().await;
            assert_eq!(format!("{:?}", list.take()), format!("{read:?}"));
            assert_eq!(sent.sent, read.len() as u64);
            assert!(!sent.closed);
        )*};
    }
    check!(Instant, Delta, Specific::default(), Original, All);
    assert_eq!(server.requests().len(), 1);
}

async fn a_pipe_fills_a_channel_no_faster_than_it_is_read(runtime: Runtime) {
    let (mut gate, provider) = support::gated::gated();
    for number in 0..100 {
        gate.text(&format!("{number} "));
    }
    gate.finish();
    let result = agent(&runtime, provider).input("Count.").get_result();
    let (sink, mut stream) = channel(2);
    let mut pipe = Box::pin(result.async_pipe(Delta, sink));
    assert!(futures_util::future::poll_immediate(&mut pipe)
        .await
        .is_none());
    // Two in the channel, one in the hand that waits for room, and a small window.
    assert!((3..8).contains(&gate.taken()), "{}", gate.taken());
    let reading = async {
        let mut text = String::new();
        while let Some(piece) = stream.next().await {
            text.push_str(&piece);
        }
        text
    };
    let (sent, text) = futures_util::future::join(pipe, reading).await;
    assert_eq!(sent.unwrap().sent, 100);
    assert_eq!(text, result.async_get_text().await.unwrap());
}

async fn a_closed_sink_stops_the_pipe_and_nothing_else(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::text(SEED_ANSWER).chunked(3));
    let result = seed(&agent).get_result();
    let kept = Collect::new();
    let mut left = 2;
    let some = FnSink::new(|_: StreamingData| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    // The sink takes one, and is closed by the second.
    let piped = result.async_pipe(Instant, some).await.unwrap();
    assert_eq!((piped.sent, piped.closed), (1, true));
    assert_eq!(left, 0);
    let lines_of = Map::new(kept.clone(), |item: StreamingData| line(&item));
    result.async_pipe(Instant, lines_of).await.unwrap();
    assert_eq!(kept.take(), lines(&instant_items(&result).await));
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
}

async fn a_failure_ends_the_pipe_after_what_came_before(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::deltas(["one ", "two"]).cut());
    let result = agent.input("Hi.").get_result();
    let list = Collect::new();
    let error = result.async_pipe(Delta, list.clone()).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Provider(_)),
        "{}",
        chain(&error)
    );
    let joined: String = list.take().iter().map(|text| text.to_string()).collect();
    assert_eq!(joined, "one two");
}

/// One item may go to many places.
#[test]
fn a_pipe_can_fan_out() {
    run_by_hand(|runtime| async move {
        let reply = Reply::text(SEED_ANSWER).delay(Duration::ZERO);
        let result = seed(&agent(&runtime, MockProvider::new().reply(reply))).get_result();
        let (left, right) = (Collect::new(), Collect::new());
        let sink = FanOut::new().with(left.clone()).with(right.clone());
        let sent = result.async_pipe(Instant, sink).await.unwrap();
        assert_eq!(left.len() as u64, sent.sent);
        assert_eq!(lines(&left.take()), lines(&right.take()));
    });
}
