//! Providers that behave oddly: always ready, never ending, told apart by key.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use agently::prelude::*;
use agently::types::error::{ProviderError, ProviderErrorKind};
use agently::types::model::{CallContext, EventStream, FinishReason, ModelEvent, ModelRequest};
use async_trait::async_trait;
use futures_util::stream;
use futures_util::Future;
use support::{agent, in_virtual_time, seed};

/// Repeats one event for ever, without a pause.
struct Chatter(ModelEvent);

#[async_trait]
impl ModelProvider for Chatter {
    async fn stream(
        &self,
        _request: ModelRequest,
        _context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        Ok(EventStream::new(stream::repeat(self.0.clone()).map(Ok)))
    }
}

/// Polls `future` once; a provider that holds the thread would never return from here.
async fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

#[test]
fn a_provider_that_is_always_ready_gives_the_thread_away() {
    in_virtual_time([1], |runtime| async move {
        for event in [
            ModelEvent::TextDelta(String::new()),
            ModelEvent::TextDelta("a".to_owned()),
        ] {
            let result = agent(&runtime, Chatter(event)).input("Talk.").get_result();
            assert!(poll_once(result.async_get_text()).await.is_pending());
            let mut events = result.get_async_generator(Instant);
            assert!(poll_once(events.next()).await.is_pending());
        }
    });
}

#[test]
fn an_endless_answer_ends_at_the_response_limit() {
    in_virtual_time([1], |runtime| async move {
        let events = [
            ModelEvent::TextDelta("a".to_owned()),
            ModelEvent::Warning(agently::types::data::Warning::new(
                agently::types::data::WarningKind::Wire,
                "odd",
            )),
        ];
        for event in events {
            let result = agent(&runtime, Chatter(event))
                .input("Talk.")
                .response_limit(10_000)
                .get_result();
            let error = result.async_get_text().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit);
        }
    });
}

/// Answers wrongly once, and writes down the keys it was given.
#[derive(Clone, Default)]
struct Keys(Arc<Mutex<Vec<Option<String>>>>);

#[async_trait]
impl ModelProvider for Keys {
    async fn stream(
        &self,
        _request: ModelRequest,
        context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        let mut keys = self.0.lock().unwrap();
        keys.push(context.idempotency_key);
        let text = if keys.len() == 1 {
            "no"
        } else {
            support::SEED_ANSWER
        };
        Ok(EventStream::from_events([
            ModelEvent::TextDelta(text.to_owned()),
            ModelEvent::Finish(FinishReason::Stop),
        ]))
    }
}

#[test]
fn another_attempt_has_another_idempotency_key() {
    in_virtual_time([1], |runtime| async move {
        let provider = Keys::default();
        let agent = agent(&runtime, provider.clone());
        let request = seed(&agent).idempotency_key("step-7");
        request.await.unwrap();
        let keys = provider.0.lock().unwrap().clone();
        assert_eq!(
            keys,
            [Some("step-7".to_owned()), Some("step-7-2".to_owned())]
        );
    });
}

#[test]
fn a_refusal_counts_whatever_was_said_before_it() {
    struct Declines;

    #[async_trait]
    impl ModelProvider for Declines {
        async fn stream(
            &self,
            _request: ModelRequest,
            _context: CallContext,
        ) -> Result<EventStream, ProviderError> {
            Ok(EventStream::from_events([
                ModelEvent::TextDelta("Well. ".to_owned()),
                ModelEvent::RefusalDelta("I cannot help.".to_owned()),
                ModelEvent::Finish(FinishReason::Stop),
            ]))
        }
    }

    in_virtual_time([1], |runtime| async move {
        let result = agent(&runtime, Declines).input("Help.").get_result();
        let error = result.async_get_text().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refusal);
        assert_eq!(error.refusal(), Some("I cannot help."));
        assert_eq!(error.partial_text(), Some("Well. "));
    });
}

#[test]
fn the_time_limit_holds_for_providers_that_do_not_look_at_it() {
    struct Silent;

    #[async_trait]
    impl ModelProvider for Silent {
        async fn stream(
            &self,
            _request: ModelRequest,
            _context: CallContext,
        ) -> Result<EventStream, ProviderError> {
            Ok(EventStream::new(stream::pending()))
        }
    }

    in_virtual_time([1, 2], |runtime| async move {
        let start = runtime.now();
        let result = agent(&runtime, Silent)
            .input("Talk.")
            .timeout(Duration::from_secs(9))
            .get_result();
        let error = result.async_get_text().await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Provider(ProviderErrorKind::Deadline)
        );
        assert_eq!(runtime.now() - start, Duration::from_secs(9));
    });
}
