//! What a scripted provider says, and when.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::task::Poll;
use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{
    CallContext, FinishReason, ModelEvent, ModelProvider, ResponseInfo, ToolCallDelta, Usage,
};
use agently_provider_mock::{MockProvider, Reply};
use futures_util::StreamExt;
use support::{ask, drain, text_of, Virtual};

const SECOND: Duration = Duration::from_secs(1);

fn rate_limited() -> ProviderError {
    ProviderError::new(ProviderErrorKind::RateLimited, "slow down").with_retry_after(SECOND)
}

#[test]
fn delta_i_comes_at_second_i_and_the_end_after_the_last() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::deltas(["a", "b", "c"]).delay(SECOND));
    let (items, end) = time.collect(&mock, ask("x"));
    let times: Vec<_> = items
        .into_iter()
        .map(|(at, item)| (at, item.unwrap()))
        .collect();
    let text = |text: &str| ModelEvent::TextDelta(text.to_owned());
    assert_eq!(
        times,
        [
            (Duration::ZERO, text("a")),
            (SECOND, text("b")),
            (2 * SECOND, text("c")),
            (3 * SECOND, ModelEvent::Finish(FinishReason::Stop)),
        ]
    );
    assert_eq!(end, 3 * SECOND);
}

#[test]
fn a_slow_reader_does_not_move_the_script() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::deltas(["a", "b", "c"]).delay(SECOND));
    time.run(async {
        let mut stream = mock.stream(ask("x"), time.context()).await.unwrap();
        stream.next().await.unwrap().unwrap();
        time.runtime().sleep(SECOND * 3 / 2).await;
        stream.next().await.unwrap().unwrap();
        assert_eq!(time.elapsed(), SECOND * 3 / 2);
        stream.next().await.unwrap().unwrap();
        assert_eq!(time.elapsed(), 2 * SECOND);
    });
}

#[test]
fn first_delay_and_pauses_add_up() {
    let time = Virtual::new();
    let reply = Reply::text("a")
        .then("b")
        .pause(5 * SECOND)
        .then("c")
        .pause(7 * SECOND)
        .delay(SECOND)
        .first_delay(10 * SECOND);
    let (items, end) = time.collect(&MockProvider::new().reply(reply), ask("x"));
    let times: Vec<_> = items.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [10, 11, 17, 25]);
    assert_eq!(end, 25 * SECOND);
}

#[test]
fn without_delays_nothing_waits() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::text("abc").chunked(1));
    let Poll::Ready(stream) = time.poll_once(mock.stream(ask("x"), time.context())) else {
        panic!("the call waits");
    };
    let Poll::Ready(items) = time.poll_once(Box::pin(drain(stream.unwrap()))) else {
        panic!("the stream waits");
    };
    assert_eq!(items.len(), 4);
}

#[test]
fn chunks_are_characters_and_join_to_the_same_text() {
    let time = Virtual::new();
    let text = "Grüße 👩‍👩‍👧 from \"Zürich\"";
    for size in [0, 1, 2, 3, 7, 100] {
        let mock = MockProvider::new().reply(Reply::text(text).chunked(size));
        let events = time.events(&mock, ask("x"));
        assert_eq!(text_of(&events), text);
        assert_eq!(
            events.len() - 1,
            text.chars().count().div_ceil(size.max(1)),
            "size {size}"
        );
    }
}

#[test]
fn a_full_answer_comes_in_the_documented_order() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(
        Reply::text("Hi")
            .tool("c1", "look", "{}")
            .tool("c2", "ask", "[]")
            .reasoning("hm, ")
            .reasoning("yes")
            .model("m-1")
            .id("r-1")
            .request_id("q-1")
            .usage(Usage::new(3, 4)),
    );
    let info = ResponseInfo::default()
        .with_model("m-1")
        .with_id("r-1")
        .with_request_id("q-1");
    assert_eq!(
        time.events(&mock, ask("x")),
        [
            ModelEvent::Started(info),
            ModelEvent::ReasoningDelta("hm, ".into()),
            ModelEvent::ReasoningDelta("yes".into()),
            ModelEvent::TextDelta("Hi".into()),
            ModelEvent::ToolCallDelta(ToolCallDelta::start(0, "c1", "look")),
            ModelEvent::ToolCallDelta(ToolCallDelta::arguments(0, "{}")),
            ModelEvent::ToolCallDelta(ToolCallDelta::start(1, "c2", "ask")),
            ModelEvent::ToolCallDelta(ToolCallDelta::arguments(1, "[]")),
            ModelEvent::Usage(Usage::new(3, 4)),
            ModelEvent::Finish(FinishReason::ToolCalls),
        ]
    );
}

#[test]
fn an_answer_not_streamed_is_one_piece_at_the_end() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(
        Reply::deltas(["a", "b", "c"])
            .tool("c1", "look", r#"{"a":1}"#)
            .delay(SECOND),
    );
    let (items, _) = time.collect(&mock, ask("x").with_stream(false));
    let events: Vec<_> = items
        .iter()
        .map(|(_, item)| item.as_ref().unwrap())
        .collect();
    let mut call = ToolCallDelta::start(0, "c1", "look");
    call.arguments = r#"{"a":1}"#.to_owned();
    assert_eq!(
        events,
        [
            &ModelEvent::TextDelta("abc".into()),
            &ModelEvent::ToolCallDelta(call),
            &ModelEvent::Finish(FinishReason::ToolCalls),
        ]
    );
    assert!(items.iter().all(|(at, _)| *at == 5 * SECOND));
}

#[test]
fn events_of_ones_own_finish_once() {
    let time = Virtual::new();
    let events = [
        ModelEvent::RefusalDelta("no".into()),
        ModelEvent::Finish(FinishReason::ContentFilter),
    ];
    let mock = MockProvider::new().reply(Reply::events(events.clone()));
    assert_eq!(time.events(&mock, ask("x")), events);
    let mock = MockProvider::new().reply(Reply::text("a").finish(FinishReason::Length));
    let last = time.events(&mock, ask("x")).pop();
    assert_eq!(last, Some(ModelEvent::Finish(FinishReason::Length)));
}

#[test]
fn replies_are_used_in_order_and_then_it_says_so() {
    let time = Virtual::new();
    let mock = MockProvider::new()
        .reply(Reply::text("one"))
        .reply(Reply::text("two"));
    assert_eq!(text_of(&time.events(&mock, ask("1"))), "one");
    assert_eq!(text_of(&time.events(&mock, ask("2"))), "two");
    let error = time
        .run(mock.stream(ask("a secret prompt"), time.context()))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the mock provider has no reply for call 3: 2 were scripted; \
         add a reply for every call, retries included, or use `repeat_last`"
    );
    assert!(!error.is_retryable());
    mock.push(Reply::text("three"));
    assert_eq!(text_of(&time.events(&mock, ask("3"))), "three");
    let prompts: Vec<_> = mock
        .requests()
        .iter()
        .map(|r| r.messages[0].text())
        .collect();
    assert_eq!(prompts, ["1", "2", "a secret prompt", "3"]);
}

#[test]
fn the_last_reply_can_repeat() {
    let time = Virtual::new();
    let mock = MockProvider::new()
        .reply(Reply::text("one"))
        .reply(Reply::text("more"))
        .repeat_last();
    let texts: Vec<_> = (0..4)
        .map(|_| text_of(&time.events(&mock, ask("x"))))
        .collect();
    assert_eq!(texts, ["one", "more", "more", "more"]);
}

#[test]
fn replies_can_be_worked_out_from_the_request() {
    let time = Virtual::new();
    let mock = MockProvider::respond_with(|request| Reply::text(request.messages[0].text() + "!"))
        .reply(Reply::text("scripted first"));
    assert_eq!(text_of(&time.events(&mock, ask("a"))), "scripted first");
    assert_eq!(text_of(&time.events(&mock, ask("b"))), "b!");
}

#[test]
fn errors_come_where_they_were_put() {
    let time = Virtual::new();
    let mock = MockProvider::new()
        .reply(Reply::failure(rate_limited).first_delay(2 * SECOND))
        .reply(
            Reply::deltas(["a", "b", "c"])
                .delay(SECOND)
                .take(2)
                .error(|| ProviderError::new(ProviderErrorKind::Truncated, "gone")),
        );
    let error = time.run(mock.stream(ask("x"), time.context())).unwrap_err();
    assert_eq!(error.kind(), ProviderErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(SECOND));
    assert_eq!(time.elapsed(), 2 * SECOND);

    let (items, _) = time.collect(&mock, ask("x"));
    assert_eq!(items.len(), 3);
    let (at, last) = &items[2];
    assert_eq!(*at, 4 * SECOND);
    assert_eq!(
        last.as_ref().unwrap_err().kind(),
        ProviderErrorKind::Truncated
    );
    assert_eq!(
        (mock.completed(), mock.cancelled(), mock.active()),
        (2, 0, 0)
    );
}

#[test]
fn a_cut_answer_ends_without_a_finish() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::text("half").usage(Usage::new(1, 1)).cut());
    assert_eq!(
        time.events(&mock, ask("x")),
        [ModelEvent::TextDelta("half".into())]
    );
}

#[test]
fn a_hanging_answer_ends_only_when_it_is_dropped() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::text("a").hang());
    let mut stream = time.run(mock.stream(ask("x"), time.context())).unwrap();
    assert_eq!(mock.active(), 1);
    time.run(stream.next()).unwrap().unwrap();
    assert!(matches!(time.poll_once(&mut stream.next()), Poll::Pending));
    assert_eq!((mock.active(), mock.cancelled()), (1, 0));
    drop(stream);
    assert_eq!(
        (mock.active(), mock.cancelled(), mock.completed()),
        (0, 1, 0)
    );
}

#[test]
fn stopping_at_the_finish_is_no_cancellation() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::text("a"));
    let mut stream = time.run(mock.stream(ask("x"), time.context())).unwrap();
    time.run(stream.next()).unwrap().unwrap();
    time.run(stream.next()).unwrap().unwrap();
    drop(stream);
    assert_eq!((mock.cancelled(), mock.completed()), (0, 1));
}

#[test]
fn a_call_dropped_before_it_answered_counts_as_cancelled() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::failure(rate_limited).first_delay(SECOND));
    let mut call = mock.stream(ask("x"), time.context());
    assert!(time.poll_once(&mut call).is_pending());
    assert_eq!(mock.active(), 1);
    drop(call);
    assert_eq!((mock.active(), mock.cancelled()), (0, 1));
}

#[test]
fn the_deadline_ends_a_call_that_is_too_slow() {
    let time = Virtual::new();
    let mock = MockProvider::new()
        .reply(Reply::deltas(["a", "b", "c"]).delay(SECOND))
        .reply(Reply::text("a").hang());
    for expected in [2, 1] {
        let before = time.elapsed();
        let deadline = time.runtime().now() + SECOND;
        let context = CallContext::new(time.runtime()).with_deadline(deadline);
        let items = time.run(async { drain(mock.stream(ask("x"), context).await.unwrap()).await });
        let (last, texts) = items.split_last().unwrap();
        // What is due at the deadline itself still comes.
        assert_eq!(texts.len(), expected);
        let error = last.as_ref().unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Deadline);
        assert_eq!(time.elapsed() - before, SECOND);
    }
}

#[test]
fn a_clone_is_a_second_handle() {
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::text("a"));
    let boxed: Box<dyn ModelProvider> = Box::new(mock.clone());
    assert_eq!(boxed.name(), "mock");
    assert!(boxed.capabilities().tools);
    time.events(&*boxed, ask("x"));
    assert_eq!(mock.requests().len(), 1);
}
