//! Calls in virtual time, on the deterministic runtime.

#![allow(dead_code, reason = "each test file uses a part")]

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use agently_api::error::ProviderError;
use agently_api::model::{CallContext, EventStream, ModelEvent, ModelProvider, ModelRequest};
use agently_api::rt::Runtime;
use agently_testkit::det::Det;
use futures_util::StreamExt;

pub(crate) struct Virtual(Det);

impl Virtual {
    pub(crate) fn new() -> Self {
        Self(Det::new(7))
    }

    pub(crate) fn runtime(&self) -> Runtime {
        self.0.runtime()
    }

    pub(crate) fn context(&self) -> CallContext {
        CallContext::new(self.runtime())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Runs `future`; panics when it waits for something that is no timer.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future).unwrap()
    }

    /// Polls `future` once, without moving time.
    pub(crate) fn poll_once<F: Future + Unpin>(&self, mut future: F) -> Poll<F::Output> {
        Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
    }

    /// The items of an answer with their times, and the time of its end.
    pub(crate) fn collect(
        &self,
        provider: &dyn ModelProvider,
        request: ModelRequest,
    ) -> (Vec<(Duration, Item)>, Duration) {
        self.run(async {
            let mut stream = provider.stream(request, self.context()).await.unwrap();
            let mut items = Vec::new();
            while let Some(item) = stream.next().await {
                items.push((self.elapsed(), item));
            }
            (items, self.elapsed())
        })
    }

    pub(crate) fn events(
        &self,
        provider: &dyn ModelProvider,
        request: ModelRequest,
    ) -> Vec<ModelEvent> {
        let (items, _) = self.collect(provider, request);
        items.into_iter().map(|(_, item)| item.unwrap()).collect()
    }
}

pub(crate) type Item = Result<ModelEvent, ProviderError>;

pub(crate) fn ask(text: &str) -> ModelRequest {
    ModelRequest::new(vec![agently_api::model::Message::user(text)])
}

pub(crate) async fn drain(mut stream: EventStream) -> Vec<Item> {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item);
    }
    items
}

pub(crate) fn text_of(events: &[ModelEvent]) -> String {
    events
        .iter()
        .filter_map(|event| match event {
            ModelEvent::TextDelta(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}
