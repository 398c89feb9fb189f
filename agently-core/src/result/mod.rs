//! One request, many readers.

mod driver;
mod ensure;
mod generator;
mod judge;
mod kind;
mod log;
mod shared;
mod tools;

use std::fmt;
use std::future::{poll_fn, Future};
use std::sync::Arc;
use std::task::Poll;

use agently_api::data::ResultMeta;
use agently_api::model::ToolCall;
use agently_api::rt::Runtime;
use agently_api::sink::StreamSink;
use agently_macros::syncify;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use driver::Call;
pub use generator::Generator;
pub use kind::{
    All, AnyEvent, Delta, EventName, GeneratorKind, Instant, Original, Specific, SpecificEvent,
};
use log::{Accepted, Log};
use shared::{Progress, Shared};

use crate::blocker::{Blocker, BlockingGenerator};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Layout;
use crate::request::prompt_error;

/// The result of one model request, to be read in as many ways as you like.
///
/// It is a cheap clone. Nothing is sent before the first read; however many readers there are,
/// early or late, there is one request, and each sees the whole of it. Streams are provisional; the
/// getters wait for the end and hand out what was accepted. When the last handle (clones,
/// generators, waiting getters) goes before the end, the request is cancelled and its connection
/// closed.
#[derive(Clone)]
pub struct ModelResult {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl ModelResult {
    /// A request that can be sent.
    pub(crate) fn new(mut call: Call) -> Self {
        let schema = call.prompt.output();
        let layout = match call.prompt.layout() {
            Ok(layout) => layout,
            Err(error) => return Self::refused(prompt_error(error), Some(call.runtime)),
        };
        let log = Arc::new(Log::new(layout, call.provider.name(), schema.is_some()));
        if call.options.raw_events {
            log.want_raw();
        }
        let runtime = Some(call.runtime.clone());
        let shared = Shared::new(log, move |log| {
            call.options.raw_events = log.wants_raw();
            Box::pin(driver::drive(call, log))
        });
        Self {
            shared: Arc::new(shared),
            runtime,
        }
    }

    /// A request that cannot be sent: every read gives this error.
    pub(crate) fn refused(error: Error, runtime: Option<Runtime>) -> Self {
        let log = Arc::new(Log::new(Layout::open(), "", false));
        log.refuse(error);
        Self {
            shared: Arc::new(Shared::finished(log)),
            runtime,
        }
    }

    /// Waits for the end, driving the request if nobody else does.
    fn accepted(&self) -> impl Future<Output = Result<Arc<Accepted>>> + Send + 'static {
        let shared = Arc::clone(&self.shared);
        poll_fn(move |cx| loop {
            if let Some(outcome) = shared.log.outcome() {
                return Poll::Ready(outcome);
            }
            match shared.pull(cx) {
                Progress::Made => {}
                Progress::Awaited => return Poll::Pending,
            }
        })
    }

    fn blocker(&self) -> Blocker {
        Blocker::new(self.runtime.clone())
    }

    /// What the model has written so far, accepted or not, without waiting or starting anything.
    ///
    /// After a failure it is what had come before. A leading `<think>` block is not part of it.
    #[must_use]
    pub fn partial_text(&self) -> String {
        self.shared.log.text()
    }

    /// What the model has been reasoning so far, without waiting or starting anything.
    #[must_use]
    pub fn partial_reasoning(&self) -> String {
        self.shared.log.reasoning()
    }
}

#[syncify(blocker = Self::blocker, iter = BlockingGenerator)]
impl ModelResult {
    /// The accepted answer as text: the whole of it, without a leading `<think>` block.
    ///
    /// # Errors
    ///
    /// [`Error`] if the request failed or no attempt was accepted; its
    /// [`partial_text`](Error::partial_text) is what had come.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: ask again, and the same request goes on.
    pub async fn async_get_text(&self) -> Result<String> {
        self.accepted().await.map(|accepted| accepted.text.clone())
    }

    /// The accepted data: the declared object, or the text as a JSON string if no output was
    /// declared.
    ///
    /// # Errors
    ///
    /// As [`async_get_text`](Self::async_get_text).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: ask again, and the same request goes on.
    pub async fn async_get_data(&self) -> Result<Value> {
        self.accepted()
            .await
            .map(|accepted| accepted.data.to_value())
    }

    /// The accepted data as a `T`.
    ///
    /// # Errors
    ///
    /// As [`async_get_data`](Self::async_get_data), and kind [`ErrorKind::Type`] if the data is no
    /// `T`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: ask again, and the same request goes on.
    pub async fn async_get_data_object<T: DeserializeOwned>(&self) -> Result<T> {
        let data = self.accepted().await?.data.to_value();
        serde_json::from_value(data).map_err(|error| {
            Error::with_source(
                ErrorKind::Type,
                format!(
                    "the accepted data is no `{}`; read it as it is with `async_get_data`",
                    std::any::type_name::<T>()
                ),
                error,
            )
        })
    }

    /// What is known about the call: usage, model, finish reason, timings, attempts, warnings.
    ///
    /// # Errors
    ///
    /// As [`async_get_text`](Self::async_get_text); what is known about a failed call is in
    /// [`Error::meta`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: ask again, and the same request goes on.
    pub async fn async_get_meta(&self) -> Result<ResultMeta> {
        self.accepted().await.map(|accepted| accepted.meta.clone())
    }

    /// The model's reasoning, where it shows it; else empty.
    ///
    /// # Errors
    ///
    /// As [`async_get_text`](Self::async_get_text).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: ask again, and the same request goes on.
    pub async fn async_get_reasoning(&self) -> Result<String> {
        self.accepted()
            .await
            .map(|accepted| accepted.reasoning.clone())
    }

    /// The tools the model asked for, in its order.
    ///
    /// The arguments are as the model wrote them: check them before use.
    ///
    /// # Errors
    ///
    /// As [`async_get_text`](Self::async_get_text).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: ask again, and the same request goes on.
    pub async fn async_get_tool_calls(&self) -> Result<Vec<ToolCall>> {
        self.accepted()
            .await
            .map(|accepted| accepted.tool_calls.clone())
    }

    /// The answer as a stream, from its first item: see the kinds.
    ///
    /// Making it sends nothing; its first `next()` does.
    #[syncify(iter)]
    pub fn get_async_generator<K: GeneratorKind>(&self, kind: K) -> Generator<K> {
        let mut refused = None;
        if K::WANTS_RAW && !self.shared.log.wants_raw() {
            if self.shared.is_started() {
                refused = Some(Error::new(
                    ErrorKind::RawNotKept,
                    "raw events were not kept, because nobody had asked for them when the request \
                     started; ask before the first read, or build the request with `raw_events(true)`",
                ));
            } else {
                self.shared.log.want_raw();
            }
        }
        Generator::new(Arc::clone(&self.shared), kind, refused)
    }

    /// Sends the stream of this kind into `sink` until it ends or the sink is closed, and says how
    /// many items were sent.
    ///
    /// A full sink slows the request down. A closed sink is a normal stop.
    ///
    /// # Errors
    ///
    /// As [`async_get_text`](Self::async_get_text). Items that came before the failure were sent.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may lose the item being sent; the result itself loses nothing.
    pub async fn async_pipe<K, S>(&self, kind: K, mut sink: S) -> Result<u64>
    where
        K: GeneratorKind,
        S: StreamSink<K::Item>,
    {
        let mut generator = self.get_async_generator(kind);
        let mut sent = 0;
        while let Some(item) = generator.next().await {
            if sink.send(item?).await.is_err() {
                return Ok(sent);
            }
            sent += 1;
        }
        // A sink that is closed by now has taken all it wanted.
        let _ = sink.finish().await;
        Ok(sent)
    }
}

impl fmt::Debug for ModelResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelResult")
            .field("started", &self.shared.is_started())
            .finish_non_exhaustive()
    }
}
