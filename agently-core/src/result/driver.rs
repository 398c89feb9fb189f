//! The life of one request: attempt, judgement, perhaps another attempt.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, FinishReason, ModelEvent, ModelProvider, ModelRequest};
use agently_api::rt::Runtime;
use futures_util::StreamExt;

use super::judge::{judge, Verdict};
use super::log::Log;
use crate::error::{Error, ErrorKind, Result};
use crate::instant::{Document, ThinkSplitter};
use crate::options::Options;
use crate::prompt::Prompt;

/// Everything a request needs once it is started.
pub(crate) struct Call {
    pub(crate) provider: Arc<dyn ModelProvider>,
    pub(crate) runtime: Runtime,
    pub(crate) prompt: Prompt,
    pub(crate) options: Options,
}

pub(super) async fn drive(call: Call, log: Arc<Log>) {
    let start = call.runtime.now();
    let deadline = call
        .options
        .timeout
        .and_then(|limit| start.checked_add(limit));
    let mut correction: Option<String> = None;
    let mut attempt: u32 = 0;
    loop {
        let began = call.runtime.now();
        let run = Attempt {
            call: &call,
            log: &log,
            start,
            deadline,
            finish: None,
            marked_token: attempt > 0,
            marked_field: attempt > 0,
            shown: log.version(),
        };
        let verdict = match run.run(correction.as_deref()).await {
            Ok((finish, document)) => judge(&call, &log, finish.as_ref(), document),
            Err(error) => Verdict::Fail(error),
        };
        let now = call.runtime.now();
        let took = now.saturating_duration_since(began);
        let total = now.saturating_duration_since(start);
        match verdict {
            Verdict::Accept(data) => return log.accept(data, took, total),
            Verdict::Retry { reason, .. } if attempt < call.options.max_retries => {
                log.retry(&reason, took);
                correction = Some(reason);
                attempt += 1;
                Pause::default().await;
            }
            Verdict::Retry { error, .. } | Verdict::Fail(error) => {
                return log.fail_after(error, took, Some(total));
            }
        }
    }
}

/// One call of the model.
struct Attempt<'a> {
    call: &'a Call,
    log: &'a Log,
    start: Instant,
    deadline: Option<Instant>,
    finish: Option<FinishReason>,
    marked_token: bool,
    marked_field: bool,
    /// The log's version at the last pause.
    shown: usize,
}

impl Attempt<'_> {
    async fn run(
        mut self,
        correction: Option<&str>,
    ) -> Result<(Option<FinishReason>, Option<Document>)> {
        let mut stream = self
            .call
            .provider
            .stream(self.request(correction)?, self.context())
            .await?;
        let mut splitter = ThinkSplitter::new();
        while let Some(event) = stream.next().await {
            match event? {
                ModelEvent::TextDelta(text) => {
                    let split = splitter.push(&text);
                    self.reasoning(&split.reasoning);
                    self.text(&split.text);
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
                Pause::default().await;
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
        Ok((self.finish, document))
    }

    fn request(&self, correction: Option<&str>) -> Result<ModelRequest> {
        let options = &self.call.options;
        let messages = self
            .call
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
        let mut context = CallContext::new(self.call.runtime.clone())
            .with_raw_events(self.call.options.raw_events);
        context.deadline = self.deadline;
        context
            .idempotency_key
            .clone_from(&self.call.options.idempotency_key);
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
        self.call
            .runtime
            .now()
            .saturating_duration_since(self.start)
    }

    fn check_size(&self) -> Result<()> {
        let limit = self.call.options.response_limit;
        if self.log.text_len() <= limit {
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
