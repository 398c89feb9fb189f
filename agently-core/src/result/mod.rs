//! One request, many readers.

mod driver;
mod early;
mod ensure;
pub(crate) mod fields;
mod generator;
mod judge;
mod kind;
mod limits;
mod log;
mod refusal;
mod shared;
mod tools;
mod typed;
mod validators;

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
use shared::{Progress, Shared, TURNS};

use crate::blocker::{Blocker, BlockingGenerator};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Layout;
use crate::request::prompt_error;
use crate::typed::Typed;

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
    /// The type that the answer was asked for as.
    typed: Option<Typed>,
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
        let typed = call.options.typed;
        let shared = Shared::new(log, move |log| {
            call.options.raw_events = log.wants_raw();
            Box::pin(driver::drive(call, log))
        });
        Self {
            shared: Arc::new(shared),
            runtime,
            typed,
        }
    }

    /// A request that cannot be sent: every read gives this error.
    pub(crate) fn refused(error: Error, runtime: Option<Runtime>) -> Self {
        let log = Arc::new(Log::new(Layout::open(), "", false));
        log.refuse(error);
        Self {
            shared: Arc::new(Shared::finished(log)),
            runtime,
            typed: None,
        }
    }

    /// Waits for the end, driving the request if nobody else does.
    fn accepted(&self) -> impl Future<Output = Result<Arc<Accepted>>> + Send + 'static {
        let shared = Arc::clone(&self.shared);
        let reader = shared.reader();
        poll_fn(move |cx| {
            for _ in 0..TURNS {
                if let Some(outcome) = shared.log.outcome() {
                    return Poll::Ready(outcome);
                }
                match shared.pull(&reader, cx) {
                    Progress::Made => {}
                    Progress::Awaited => return Poll::Pending,
                }
            }
            // Much is there already: let others have the thread.
            cx.waker().wake_by_ref();
            Poll::Pending
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
    /// `T`. If `T` was declared with [`output_type`](crate::Request::output_type), accepted data
    /// always is one, and kind `Type` means that no attempt gave one.
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
        let refused = (K::WANTS_RAW && !self.shared.want_raw()).then(|| {
            Error::new(
                ErrorKind::RawNotKept,
                "raw events were not kept, because nobody had asked for them when the request \
                 started; ask before the first read, or build the request with `raw_events(true)`",
            )
        });
        Generator::new(Arc::clone(&self.shared), kind, refused)
    }

    /// Sends the stream of this kind into `sink`, until the stream ends or the sink is closed, and
    /// then finishes the sink.
    ///
    /// A full sink slows the request down. A closed sink is a normal stop, and
    /// [`Piped::closed`] says so.
    ///
    /// # Errors
    ///
    /// As [`async_get_text`](Self::async_get_text). Items that came before the failure were sent,
    /// and the sink was finished.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may lose the item being sent; the result itself loses nothing.
    pub async fn async_pipe<K, S>(&self, kind: K, mut sink: S) -> Result<Piped>
    where
        K: GeneratorKind,
        S: StreamSink<K::Item>,
    {
        let mut generator = self.get_async_generator(kind);
        let mut piped = Piped {
            sent: 0,
            closed: false,
        };
        let mut failure = None;
        while let Some(item) = generator.next().await {
            match item {
                Ok(item) => {
                    if sink.send(item).await.is_err() {
                        piped.closed = true;
                        return Ok(piped);
                    }
                    piped.sent += 1;
                }
                Err(error) => failure = Some(error),
            }
        }
        piped.closed = sink.finish().await.is_err();
        failure.map_or(Ok(piped), Err)
    }
}

/// How far a pipe came: see [`ModelResult::async_pipe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piped {
    /// How many items the sink took.
    pub sent: u64,
    /// Whether the sink was closed, or failed, before it had everything.
    pub closed: bool,
}

impl fmt::Debug for ModelResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelResult")
            .field("started", &self.shared.is_started())
            .finish_non_exhaustive()
    }
}
