//! Many readers of one result: what they see, and what they make the request do.

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

use agently::mock::{MockProvider, Reply};
use agently::prelude::*;
use agently::types::error::ProviderError;
use agently::types::model::{CallContext, EventStream, ModelEvent, ModelRequest};
use agently::types::rt::Runtime;
use async_trait::async_trait;
use futures_util::future::{poll_immediate, select, Either};
use support::gated::gated;
use support::{
    agent, in_virtual_time, instant_items, lines, on_each_runtime, seed, seed_data, served,
    SEED_ANSWER,
};

on_each_runtime! {
    nothing_is_sent_before_the_first_read,
    readers_early_and_late_see_the_same_sequence,
    a_reader_that_stops_stalls_no_other,
    the_request_is_pulled_no_further_than_the_fastest_reader,
    the_last_handle_closes_the_socket,
    any_handle_keeps_the_request_alive,
    an_abandoned_wait_stalls_no_other,
    an_abandoned_wait_loses_nothing,
    the_loser_of_a_select_can_go_on,
    a_panicking_provider_is_an_error_for_every_reader,
    a_provider_that_panics_at_once_is_an_error,
    fields_can_be_wanted_late_without_an_output,
}

async fn nothing_is_sent_before_the_first_read(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER));
    let result = seed(&agent).get_result();
    let clone = result.clone();
    let mut events = clone.get_async_generator(Instant);
    let unpolled = result.async_get_data();
    assert_eq!(result.partial_text(), "");
    assert_eq!(server.requests().len(), 0);
    assert_eq!(server.connections(), 0);

    assert_eq!(events.next().await.unwrap().unwrap().path, "title");
    assert_eq!(unpolled.await.unwrap(), seed_data());
    assert_eq!(server.requests().len(), 1);
}

async fn readers_early_and_late_see_the_same_sequence(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(SEED_ANSWER).chunked(1));
    let result = seed(&agent).get_result();
    let early = instant_items(&result);
    let mut ahead = result.get_async_generator(Instant);
    for _ in 0..5 {
        ahead.next().await.unwrap().unwrap();
    }
    // One began before, one in the middle; the third begins after the end.
    let (early, middle) = futures_util::future::join(early, instant_items(&result)).await;
    let late = instant_items(&result).await;
    let json = |items| serde_json::to_string_pretty::<Vec<StreamingData>>(items).unwrap();
    assert_eq!(early.len(), 22);
    assert_eq!(json(&early), json(&middle));
    assert_eq!(json(&early), json(&late));
    assert_eq!(server.requests().len(), 1);
}

async fn a_reader_that_stops_stalls_no_other(runtime: Runtime) {
    let (_server, agent) = served(&runtime, Reply::text(SEED_ANSWER).chunked(1));
    let result = seed(&agent).get_result();
    let mut stopped = result.get_async_generator(Instant);
    stopped.next().await.unwrap().unwrap();
    assert_eq!(instant_items(&result).await.len(), 22);
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
    // What it has not read yet is still there for it.
    assert_eq!(stopped.count().await, 21);
}

async fn the_request_is_pulled_no_further_than_the_fastest_reader(runtime: Runtime) {
    /// How far the engine may look ahead of a reader.
    const WINDOW: usize = 4;
    let (mut gate, provider) = gated();
    for number in 0..500 {
        gate.text(&format!("{number} "));
    }
    gate.finish();
    let result = agent(&runtime, provider).input("Count.").get_result();
    let mut fast = result.get_async_generator(Delta);
    let mut slow = result.get_async_generator(Delta);
    for _ in 0..10 {
        fast.next().await.unwrap().unwrap();
    }
    assert!(
        (10..=10 + WINDOW).contains(&gate.taken()),
        "{}",
        gate.taken()
    );
    let taken = gate.taken();
    for _ in 0..10 {
        slow.next().await.unwrap().unwrap();
    }
    assert_eq!(
        gate.taken(),
        taken,
        "what was read is kept, not pulled again"
    );
    slow.next().await.unwrap().unwrap();
    assert!(gate.taken() <= 11 + WINDOW, "{}", gate.taken());
    // A getter wants it all.
    let text = result.async_get_text().await.unwrap();
    assert!(text.ends_with("498 499 "));
    assert_eq!(gate.taken(), 501);
    assert_eq!(fast.count().await, 490);
}

async fn the_last_handle_closes_the_socket(runtime: Runtime) {
    let (server, agent) = served(&runtime, Reply::text(r#"{"title":"As"#).hang());
    let result = seed(&agent).get_result();
    let clone = result.clone();
    let mut events = result.get_async_generator(Instant);
    events.next().await.unwrap().unwrap();
    let mut waiting = {
        let clone = clone.clone();
        Box::pin(async move { clone.async_get_data().await })
    };
    drop((result, events));
    assert!(poll_immediate(&mut waiting).await.is_none());
    assert_eq!(clone.partial_text(), r#"{"title":"As"#);
    assert_eq!(server.disconnects(), 0);
    assert_eq!(server.open_connections(), 1);
    drop((clone, waiting));
    assert!(server.wait_for_disconnects(1, Duration::from_secs(10)));
}

async fn any_handle_keeps_the_request_alive(runtime: Runtime) {
    let (mut gate, provider) = gated();
    gate.text(r#"{"title":"#);
    let result = seed(&agent(&runtime, provider)).get_result();
    let mut events = result.get_async_generator(Instant);
    assert!(poll_immediate(events.next()).await.is_none());
    drop(result);
    assert!(!gate.is_let_go());

    gate.text(r#""Async First"}"#);
    assert_eq!(events.next().await.unwrap().unwrap().path, "title");
    let getter = {
        // A future alone is a handle as well.
        let (mut gate, provider) = gated();
        gate.text("kept");
        gate.finish();
        agent(&runtime, provider).input("Hi.").async_start()
    };
    assert_eq!(getter.await.unwrap(), "kept");

    drop(events);
    assert!(gate.is_let_go());
}

async fn an_abandoned_wait_stalls_no_other(runtime: Runtime) {
    let (mut gate, provider) = gated();
    let result = seed(&agent(&runtime, provider)).get_result();
    let mut abandoned = Box::pin(result.async_get_data());
    assert!(poll_immediate(&mut abandoned).await.is_none());
    let patient = runtime.spawn({
        let result = result.clone();
        async move { result.async_get_data().await }
    });
    // Whoever polled the request first is gone when the answer comes.
    drop(abandoned);
    gate.text(SEED_ANSWER);
    gate.finish();
    assert_eq!(patient.await.unwrap().unwrap(), seed_data());
}

async fn an_abandoned_wait_loses_nothing(runtime: Runtime) {
    let (mut gate, provider) = gated();
    let result = seed(&agent(&runtime, provider)).get_result();
    let mut events = result.get_async_generator(Instant);
    let mut seen = Vec::new();
    for piece in SEED_ANSWER.split_inclusive(':') {
        // A wait that is given up between any two pieces.
        assert!(poll_immediate(events.next()).await.is_none());
        gate.text(piece);
        while let Some(item) = poll_immediate(events.next()).await {
            seen.push(item.unwrap().unwrap());
        }
    }
    gate.finish();
    seen.extend(events.map(Result::unwrap).collect::<Vec<_>>().await);
    assert_eq!(lines(&seen), lines(&instant_items(&result).await));
    assert_eq!(result.async_get_data().await.unwrap(), seed_data());
}

async fn the_loser_of_a_select_can_go_on(runtime: Runtime) {
    let (mut gate, provider) = gated();
    let result = seed(&agent(&runtime, provider)).get_result();
    let mut events = result.get_async_generator(Instant);
    gate.text(r#"{"title":"Async First","#);
    // The first item wins; the getter goes on where it was.
    let getter = Box::pin(result.async_get_data());
    let getter = match select(getter, events.next()).await {
        Either::Right((item, getter)) => {
            assert_eq!(item.unwrap().unwrap().path, "title");
            getter
        }
        Either::Left(_) => panic!("there is no end yet"),
    };
    gate.text(r#""items":["one","two"]}"#);
    gate.finish();
    assert_eq!(getter.await.unwrap(), seed_data());
    assert_eq!(events.count().await, 7);
}

/// Says something, then panics.
#[derive(Debug)]
struct Bomb {
    at_once: bool,
}

#[async_trait]
impl ModelProvider for Bomb {
    async fn stream(
        &self,
        _request: ModelRequest,
        _context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        assert!(!self.at_once, "no call for you");
        let first = futures_util::stream::iter([Ok(ModelEvent::TextDelta("so far".to_owned()))]);
        let then = futures_util::stream::poll_fn(|_| panic!("out of words"));
        Ok(EventStream::new(first.chain(then)))
    }
}

async fn a_panicking_provider_is_an_error_for_every_reader(runtime: Runtime) {
    let result = agent(&runtime, Bomb { at_once: false })
        .input("Hi.")
        .get_result();
    let items: Vec<_> = result.get_async_generator(Delta).collect().await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].as_ref().unwrap(), &"so far");
    let error = items[1].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panic);
    support::assert_says(error, &["panicked", "out of words"]);
    assert_eq!(error.partial_text(), Some("so far"));
    let again = result.async_get_data().await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Panic);
    assert_eq!(result.partial_text(), "so far");
}

async fn a_provider_that_panics_at_once_is_an_error(runtime: Runtime) {
    let request = agent(&runtime, Bomb { at_once: true }).input("Hi.");
    let error = request.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panic);
    support::assert_says(&error, &["no call for you"]);
}

async fn fields_can_be_wanted_late_without_an_output(runtime: Runtime) {
    let text =
        "<think>{}</think>Here: {\"title\":\"Async\",\"items\":[1,{\"a\":null}],\"cut\":\"of";
    let replies = [
        Reply::text(text).chunked(5),
        Reply::text(text).chunked(5).cut(),
        Reply::text("no document at all").chunked(5),
    ];
    for reply in replies {
        let mut told = Vec::new();
        // Wanted from the start, in the middle, after the end.
        for before in [0, 3, usize::MAX] {
            let mock = MockProvider::new().reply(reply.clone());
            let result = agent(&runtime, mock).input("Hi.").get_result();
            let pieces = result.get_async_generator(Delta).take(before);
            let pieces: Vec<_> = pieces.collect().await;
            assert!(pieces.len() <= before);
            let items: Vec<_> = result.get_async_generator(All).collect().await;
            told.push(format!("{items:?}"));
        }
        assert_eq!(told[0], told[1]);
        assert_eq!(told[0], told[2]);
    }
    for late in [false, true] {
        let mock = MockProvider::new().reply(Reply::text(text).chunked(5));
        let result = agent(&runtime, mock).input("Hi.").get_result();
        if late {
            result.async_get_text().await.unwrap();
        }
        assert_eq!(
            lines(&instant_items(&result).await).join("; "),
            "title + As; title + ync; title = \"Async\"; items[0] + 1; items[0] = 1; \
             items[1].a = null; items[1] = {\"a\":null}; items = [1,{\"a\":null}]; cut + of; \
             cut = \"of\"; $status \"completed\" retry=false"
        );
    }
}

#[test]
fn a_wait_with_a_time_limit_can_be_taken_up_again() {
    in_virtual_time([1], |runtime| async move {
        let reply = Reply::text(SEED_ANSWER).first_delay(Duration::from_secs(60));
        let mock = MockProvider::new().reply(reply);
        let result = seed(&agent(&runtime, mock.clone())).get_result();
        let hasty = runtime
            .timeout(Duration::from_secs(1), result.async_get_data())
            .await;
        assert!(hasty.is_err());
        assert_eq!(mock.active(), 1);
        assert_eq!(result.async_get_data().await.unwrap(), seed_data());
        assert_eq!(mock.requests().len(), 1);
    });
}

#[test]
fn a_request_that_nobody_waits_for_any_longer_is_cancelled() {
    in_virtual_time([1], |runtime| async move {
        let mock = MockProvider::new().reply(Reply::text("…").hang());
        let request = agent(&runtime, mock.clone()).input("Hi.");
        let limit = Duration::from_secs(5);
        assert!(runtime.timeout(limit, request.async_start()).await.is_err());
        assert_eq!((mock.active(), mock.cancelled()), (0, 1));
    });
}
