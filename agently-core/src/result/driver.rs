//! The life of one request: attempt, judgement, perhaps another attempt.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, FinishReason, ModelEvent, ModelProvider, ModelRequest};
use agently_api::rt::{Runtime, Sleep};
use futures_util::future::{select, Either};
use futures_util::StreamExt;

use super::early::Early;
use super::judge::{judge, Verdict};
use super::log::Log;
use super::validators::validate;
use crate::error::{Error, ErrorKind, Result};
use crate::instant::{Document, ThinkSplitter};
use crate::options::Options;
use crate::prompt::Prompt;
use crate::session::{Attached, Recording};
use crate::validate::Next;

/// Everything a request needs once it is started.
pub(crate) struct Call {
    pub(crate) provider: Arc<dyn ModelProvider>,
    pub(crate) runtime: Runtime,
    pub(crate) prompt: Prompt,
    pub(crate) options: Options,
    pub(crate) session: Option<Attached>,
}

pub(super) async fn drive(call: Call, log: Arc<Log>) {
    let start = call.runtime.now();
    let mut limit = Limit::new(&call, start);
    let Call {
        provider,
        runtime,
        mut prompt,
        options,
        session,
    } = call;
    let begun = limit.within(begin(session, &mut prompt)).await;
    let mut recording = match begun.and_then(std::convert::identity) {
        Ok(recording) => recording,
        // Nothing was sent.
        Err(error) => return log.refuse(error),
    };
    // Validators may change what later attempts are made with.
    let next = Arc::new(Mutex::new(Next { prompt, options }));
    let mut correction: Option<String> = None;
    let mut attempt: u32 = 0;
    loop {
        let began = runtime.now();
        let (prompt, options) = {
            let next = next.lock().unwrap_or_else(PoisonError::into_inner);
            (next.prompt.clone(), next.options.clone())
        };
        let mut early = Early::new(prompt.output(), &options, &log, attempt, &next);
        let run = Attempt {
            early: &mut early,
            provider: &*provider,
            runtime: &runtime,
            number: attempt,
            prompt: &prompt,
            options: &options,
            log: &log,
            start,
            limit: &mut limit,
            finish: None,
            marked_token: attempt > 0,
            marked_field: attempt > 0,
            shown: log.version(),
        };
        let mut verdict = match run.run(correction.as_deref()).await {
            Ok(Ended::Whole(finish, document)) => {
                judge(&prompt, &options, &log, finish.as_ref(), document)
            }
            Ok(Ended::Early(verdict)) => verdict,
            Err(error) => Verdict::Fail(error),
        };
        if let Verdict::Accept(data) = verdict {
            let work = async {
                // Fields that closed only with the end of the answer.
                match early.judge().await {
                    Some(verdict) => verdict,
                    None => validate(&log, &options, attempt, &next, data).await,
                }
            };
            verdict = limit.within(work).await.unwrap_or_else(Verdict::Fail);
        }
        let now = runtime.now();
        let took = now.saturating_duration_since(began);
        let total = now.saturating_duration_since(start);
        match verdict {
            Verdict::Accept(data) => {
                // Before anybody sees the answer, so that the next question comes after it.
                if let Some(recording) = recording.take() {
                    recording.accept(log.text());
                }
                return log.accept(data, took, total);
            }
            Verdict::Retry { refusal, .. } if attempt < options.max_retries => {
                correction = Some(refusal.reason.clone());
                log.retry(refusal, took);
                attempt += 1;
                Pause::default().await;
            }
            Verdict::Retry { refusal, error } => {
                return log.fail_after(error, Some(refusal), took, total);
            }
            Verdict::Fail(error) => return log.fail_after(error, None, took, total),
        }
    }
}

/// Puts the turns of the session into the prompt.
async fn begin(session: Option<Attached>, prompt: &mut Prompt) -> Result<Option<Recording>> {
    match session {
        Some(session) => session.begin(prompt).await,
        None => Ok(None),
    }
}

/// The time limit of the whole request.
///
/// The provider is told the moment as well and may give a better error at it; this holds for
/// those that do not look.
struct Limit {
    runtime: Runtime,
    deadline: Option<Instant>,
    limit: Duration,
    sleep: Option<Sleep>,
}

impl Limit {
    fn new(call: &Call, start: Instant) -> Self {
        let limit = call.options.timeout;
        Self {
            runtime: call.runtime.clone(),
            deadline: limit.and_then(|limit| start.checked_add(limit)),
            limit: limit.unwrap_or_default(),
            sleep: limit.map(|limit| call.runtime.sleep(limit)),
        }
    }

    async fn within<F: Future>(&mut self, work: F) -> Result<F::Output> {
        let Some(sleep) = &mut self.sleep else {
            return Ok(work.await);
        };
        // Work that is always ready never lets the timer have a say, so the clock is asked as well.
        let late = self
            .deadline
            .is_some_and(|deadline| self.runtime.now() > deadline);
        if !late {
            if let Either::Left((output, _)) = select(std::pin::pin!(work), sleep).await {
                return Ok(output);
            }
        }
        Err(ProviderError::new(
            ProviderErrorKind::Deadline,
            format!("the request was not finished within {:?}", self.limit),
        )
        .with_hint("give it more time with `timeout`, or ask for less")
        .into())
    }
}

/// How a call of the model ended.
enum Ended {
    /// By itself.
    Whole(Option<FinishReason>, Option<Document>),
    /// A field was refused while the model was still writing.
    Early(Verdict),
}

/// One call of the model.
struct Attempt<'a, 'b> {
    early: &'a mut Early<'b>,
    provider: &'a dyn ModelProvider,
    runtime: &'a Runtime,
    /// From 0.
    number: u32,
    prompt: &'a Prompt,
    options: &'a Options,
    log: &'a Log,
    start: Instant,
    limit: &'a mut Limit,
    finish: Option<FinishReason>,
    marked_token: bool,
    marked_field: bool,
    /// The log's version at the last pause.
    shown: usize,
}

impl Attempt<'_, '_> {
    async fn run(mut self, correction: Option<&str>) -> Result<Ended> {
        let opening = self
            .provider
            .stream(self.request(correction)?, self.context());
        let mut stream = self.limit.within(opening).await??;
        let mut splitter = ThinkSplitter::new();
        let mut idle = 0;
        while let Some(event) = self.limit.within(stream.next()).await? {
            match event? {
                ModelEvent::TextDelta(text) => {
                    let split = splitter.push(&text);
                    self.reasoning(&split.reasoning);
                    self.text(&split.text);
                    if let Some(verdict) = self.limit.within(self.early.judge()).await? {
                        return Ok(Ended::Early(verdict.early()));
                    }
                }
                ModelEvent::ReasoningDelta(text) => self.reasoning(&text),
                ModelEvent::ToolCallDelta(delta) => {
                    self.mark_token();
                    self.log.push_tool_call(delta);
                }
                event => {
                    if let ModelEvent::Finish(reason) = &event {
                        self.finish = Some(reason.clone());
                    }
                    self.log.push_event(event);
                }
            }
            self.check_size()?;
            let version = self.log.version();
            if version != self.shown {
                self.shown = version;
                idle = 0;
                Pause::default().await;
                continue;
            }
            // A provider that is always ready with nothing must not hold the thread.
            idle += 1;
            if idle == IDLE_EVENTS {
                idle = 0;
                Yield::default().await;
            }
        }
        let rest = splitter.finish();
        self.reasoning(&rest.reasoning);
        self.text(&rest.text);
        if self.finish.is_none() {
            return Err(ProviderError::new(
                ProviderErrorKind::Truncated,
                "the provider's stream ended without saying that the answer was finished",
            )
            .into());
        }
        let document = self.log.end_text();
        self.note_field(document.is_some());
        Ok(Ended::Whole(self.finish, document))
    }

    fn request(&self, correction: Option<&str>) -> Result<ModelRequest> {
        let options = self.options;
        let messages = self
            .prompt
            .render_with_correction(correction)
            .map_err(|error| Error::with_source(ErrorKind::Prompt, error.to_string(), error))?;
        let mut request = ModelRequest::new(messages);
        request.model.clone_from(&options.model);
        request.tools.clone_from(&options.tools);
        request.options.clone_from(&options.body);
        request.stream = options.stream;
        Ok(request)
    }

    fn context(&self) -> CallContext {
        let mut context =
            CallContext::new(self.runtime.clone()).with_raw_events(self.options.raw_events);
        context.deadline = self.limit.deadline;
        // Another attempt is another request: under the same key a server would answer as before.
        context.idempotency_key = match (&self.options.idempotency_key, self.number) {
            (Some(key), 0) => Some(key.clone()),
            (Some(key), retry) => Some(format!("{key}-{}", retry + 1)),
            (None, _) => None,
        };
        context
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.mark_token();
        let grew = self.log.push_text(text);
        self.note_field(grew);
    }

    fn reasoning(&mut self, text: &str) {
        if !text.is_empty() {
            self.mark_token();
            self.log.push_reasoning(text);
        }
    }

    fn mark_token(&mut self) {
        if !self.marked_token {
            self.marked_token = true;
            let elapsed = self.elapsed();
            self.log.with_meta(|meta| {
                meta.timings
                    .to_first_token
                    .get_or_insert(elapsed)
                    .to_owned()
            });
        }
    }

    fn note_field(&mut self, grew: bool) {
        if grew && !self.marked_field && self.log.field(0).is_some() {
            self.marked_field = true;
            let elapsed = self.elapsed();
            self.log.with_meta(|meta| {
                meta.timings
                    .to_first_field
                    .get_or_insert(elapsed)
                    .to_owned()
            });
        }
    }

    fn elapsed(&self) -> Duration {
        self.runtime.now().saturating_duration_since(self.start)
    }

    fn check_size(&self) -> Result<()> {
        let limit = self.options.response_limit;
        if self.log.size() <= limit {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Limit,
            format!(
                "the answer is larger than the response limit of {limit} bytes; \
                 raise it with `response_limit` if that is expected"
            ),
        ))
    }
}

/// Hands control back to the reader once, so that it can look at what has come.
///
/// Nobody is woken: the reader that polls the driver sees that the log has grown, and asks again
/// when it wants more. So there must be something new in the log.
#[derive(Default)]
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// How many events that show nothing are taken in one turn.
const IDLE_EVENTS: u32 = 64;

/// Gives the thread away once, and asks to be polled again.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
