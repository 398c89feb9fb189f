//! The suite for a [`ModelProvider`]: what every one must keep, whatever its wire.
//!
//! ```
//! use agently_api::error::ProviderError;
//! use agently_api::model::{
//!     CallContext, EventStream, FinishReason, Message, ModelEvent, ModelProvider, ModelRequest,
//! };
//! use agently_testkit::conformance::provider::{self, Subject};
//! use agently_testkit::hand::HandRuntime;
//! use async_trait::async_trait;
//!
//! struct Parrot;
//!
//! #[async_trait]
//! impl ModelProvider for Parrot {
//!     async fn stream(
//!         &self,
//!         request: ModelRequest,
//!         _context: CallContext,
//!     ) -> Result<EventStream, ProviderError> {
//!         let heard = request.messages.last().map(Message::text).unwrap_or_default();
//!         Ok(EventStream::from_events([
//!             ModelEvent::TextDelta(heard),
//!             ModelEvent::Finish(FinishReason::Stop),
//!         ]))
//!     }
//! }
//!
//! let runtime = HandRuntime::new()?.runtime();
//! let request = ModelRequest::new(vec![Message::user("Hello")]);
//! provider::check(|| Subject::new(runtime.clone(), Parrot, request.clone())).assert_passed();
//! # Ok::<(), std::io::Error>(())
//! ```

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use agently_api::error::ProviderError;
use agently_api::model::{
    CallContext, EventStream, FinishReason, ModelEvent, ModelProvider, ModelRequest,
};
use agently_api::rt::Runtime;
use futures_util::future::join;
use futures_util::StreamExt;

use super::{ensure, same, wrong, Failure, Report, Verified};

/// More events than any answer of a check has: a stream that gives more never ends.
const MOST_EVENTS: usize = 1_000_000;

/// How often it is asked whether a cancelled request is gone.
const PAUSE: Duration = Duration::from_millis(5);
const MOST_PAUSES: u32 = 2000;

/// A fresh provider, for one check.
pub struct Subject {
    runtime: Runtime,
    provider: Arc<dyn ModelProvider>,
    request: ModelRequest,
    failing: Option<(Arc<dyn ModelProvider>, ModelRequest)>,
    in_flight: Option<Box<dyn Fn() -> usize + Send>>,
    kept: Vec<Box<dyn Any + Send>>,
}

impl Subject {
    /// A provider that answers `request` in full each time it is asked. `runtime` is what it gets
    /// its time, sockets and tasks from.
    #[must_use]
    pub fn new(runtime: Runtime, provider: impl ModelProvider, request: ModelRequest) -> Self {
        Self {
            runtime,
            provider: Arc::new(provider),
            request,
            failing: None,
            in_flight: None,
            kept: Vec::new(),
        }
    }

    /// Adds a case that fails: a provider and a request to which it has no, or half, an answer.
    #[must_use]
    pub fn with_failure(mut self, provider: impl ModelProvider, request: ModelRequest) -> Self {
        self.failing = Some((Arc::new(provider), request));
        self
    }

    /// Says how many requests are open, by the server's count. Without it the checks of
    /// cancellation are weaker: they only see that the next request works.
    #[must_use]
    pub fn with_in_flight(mut self, count: impl Fn() -> usize + Send + 'static) -> Self {
        self.in_flight = Some(Box::new(count));
        self
    }

    /// Keeps something alive as long as the check runs, a server as it were.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send) -> Self {
        self.kept.push(Box::new(kept));
        self
    }

    fn context(&self) -> CallContext {
        CallContext::new(self.runtime.clone())
    }

    fn wait<F: Future>(&self, future: F) -> Result<F::Output, Failure> {
        self.runtime
            .block_on(future)
            .map_err(|error| wrong(format!("the runtime of the subject: {error}")))
    }

    fn open(&self) -> Result<EventStream, Failure> {
        self.wait(self.provider.stream(self.request.clone(), self.context()))?
            .map_err(|error| wrong(format!("it gave no answer: {error}")))
    }

    /// Asks once more, in full.
    fn answers(&self) -> Verified {
        finished(&self.wait(read(self.open()?))?)
    }

    /// Waits until the server has no request any more.
    fn is_idle(&self) -> Verified {
        let Some(in_flight) = &self.in_flight else {
            return Ok(());
        };
        for _ in 0..MOST_PAUSES {
            if in_flight() == 0 {
                return Ok(());
            }
            self.wait(self.runtime.sleep(PAUSE))?;
        }
        Err(wrong(format!(
            "{} requests are still open {:?} later",
            in_flight(),
            PAUSE * MOST_PAUSES
        )))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("runtime", &self.runtime)
            .field("provider", &self.provider.name())
            .field("can_fail", &self.failing.is_some())
            .field("counts_requests", &self.in_flight.is_some())
            .finish_non_exhaustive()
    }
}

/// Proves a provider: `make` gives a fresh one for each check.
pub fn check(make: impl Fn() -> Subject) -> Report {
    type Body = fn(&Subject) -> Verified;
    const CHECKS: &[(&str, Body)] = &[
        (
            "an_answer_ends_after_its_finish",
            an_answer_ends_after_its_finish,
        ),
        (
            "an_answer_may_be_read_in_a_task",
            an_answer_may_be_read_in_a_task,
        ),
        ("the_stream_borrows_nothing", the_stream_borrows_nothing),
        (
            "calls_do_not_disturb_each_other",
            calls_do_not_disturb_each_other,
        ),
        ("dropping_the_call_cancels", dropping_the_call_cancels),
        ("dropping_the_stream_cancels", dropping_the_stream_cancels),
        (
            "a_read_answer_leaves_nothing_open",
            a_read_answer_leaves_nothing_open,
        ),
        ("a_failure_is_an_error_value", a_failure_is_an_error_value),
    ];
    let mut report = Report::new("provider");
    for (name, check) in CHECKS {
        let subject = make();
        report.run(name, move || check(&subject));
    }
    report
}

fn an_answer_ends_after_its_finish(subject: &Subject) -> Verified {
    subject.answers()
}

fn an_answer_may_be_read_in_a_task(subject: &Subject) -> Verified {
    let (provider, request) = (Arc::clone(&subject.provider), subject.request.clone());
    let context = subject.context();
    let task = subject.runtime.spawn(async move {
        Ok::<_, ProviderError>(read(provider.stream(request, context).await?).await)
    });
    let events = subject
        .wait(task)?
        .map_err(|error| wrong(format!("the task failed: {error}")))?
        .map_err(|error| wrong(format!("it gave no answer: {error}")))?;
    finished(&events)
}

fn the_stream_borrows_nothing(subject: &Subject) -> Verified {
    // That it lives longer than provider, request and context is in the types; that it works is
    // not. The context's runtime must be the only thing it needs.
    let stream = {
        let provider = Arc::clone(&subject.provider);
        let (request, context) = (subject.request.clone(), subject.context());
        subject
            .wait(async move { provider.stream(request, context).await })?
            .map_err(|error| wrong(format!("it gave no answer: {error}")))?
    };
    let reader = subject.runtime.spawn(read(stream));
    let events = subject
        .wait(reader)?
        .map_err(|error| wrong(format!("the reading task failed: {error}")))?;
    finished(&events)
}

fn calls_do_not_disturb_each_other(subject: &Subject) -> Verified {
    let call = || async {
        let stream = subject
            .provider
            .stream(subject.request.clone(), subject.context())
            .await?;
        Ok::<_, ProviderError>(read(stream).await)
    };
    let (first, second) = subject.wait(join(call(), call()))?;
    for events in [first, second] {
        finished(&events.map_err(|error| wrong(format!("one of two calls failed: {error}")))?)?;
    }
    Ok(())
}

fn dropping_the_call_cancels(subject: &Subject) -> Verified {
    {
        let mut call = pin!(subject
            .provider
            .stream(subject.request.clone(), subject.context()));
        let mut cx = Context::from_waker(Waker::noop());
        drop(call.as_mut().poll(&mut cx));
    }
    subject.is_idle()?;
    subject.answers()
}

fn dropping_the_stream_cancels(subject: &Subject) -> Verified {
    let mut stream = subject.open()?;
    let first = subject.wait(stream.next())?;
    ensure(first.is_some(), "the stream had no events")?;
    drop(stream);
    subject.is_idle()?;
    subject.answers()
}

fn a_read_answer_leaves_nothing_open(subject: &Subject) -> Verified {
    if subject.in_flight.is_none() {
        return Err(Failure::NotGiven("`Subject::with_in_flight`"));
    }
    subject.answers()?;
    subject.is_idle()
}

fn a_failure_is_an_error_value(subject: &Subject) -> Verified {
    let (provider, request) = subject
        .failing
        .as_ref()
        .ok_or(Failure::NotGiven("`Subject::with_failure`"))?;
    let call = provider.stream(request.clone(), subject.context());
    let error = match subject.wait(call)? {
        Err(error) => error,
        Ok(stream) => {
            let mut events = subject.wait(read(stream))?;
            let last = events
                .pop()
                .ok_or_else(|| wrong("the stream had no items"))?;
            ensure(
                events.iter().all(Result::is_ok),
                "the stream went on after an error",
            )?;
            last.err()
                .ok_or_else(|| wrong("the stream ended without an error"))?
        }
    };
    ensure(!error.to_string().is_empty(), "the error says nothing")
}

type Item = Result<ModelEvent, ProviderError>;

/// Reads to the end.
async fn read(stream: EventStream) -> Vec<Item> {
    stream.take(MOST_EVENTS).collect().await
}

/// Whether these are the events of an answer in full.
fn finished(events: &[Item]) -> Verified {
    ensure(events.len() < MOST_EVENTS, "the stream does not end")?;
    let mut finish: Option<&FinishReason> = None;
    for event in events {
        match event {
            Err(error) => return Err(wrong(format!("an error in the stream: {error}"))),
            Ok(ModelEvent::Finish(reason)) => finish = Some(reason),
            Ok(
                ModelEvent::TextDelta(_)
                | ModelEvent::ReasoningDelta(_)
                | ModelEvent::RefusalDelta(_)
                | ModelEvent::ToolCallDelta(_),
            ) => same("the finish before the end of the answer", finish, None)?,
            Ok(_) => {}
        }
    }
    ensure(
        finish.is_some(),
        "the stream ended without a `Finish`, as if it were cut off",
    )
}
