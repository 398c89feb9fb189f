//! One try of a call, and the answer that comes of it.

use std::collections::VecDeque;
use std::future::{poll_fn, Future};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_core::Stream;
use http::HeaderMap;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, ModelEvent, ResponseInfo};
use agently_api::rt::Runtime;
use agently_http::{Body, CallOptions, HttpError, HttpErrorKind, Request, Response};

use crate::client::Inner;
use crate::wire::{BodyDecoder, DecodeOptions, Redactor};

/// How long what goes with an answer, as token counts and the end marker, is waited for once the
/// answer itself is complete.
const GRACE: Duration = Duration::from_secs(2);

/// How much is read after that, if it comes without a pause, in bytes.
const GRACE_BYTES: u64 = 64 * 1024;

/// A request larger than this, in bytes, is not sent again when its connection was lost before
/// anything came back.
const RESENT_BYTES: usize = 1024 * 1024;

/// Where servers, gateways and clouds put the id of a request.
const REQUEST_ID_HEADERS: [&str; 8] = [
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-ms-request-id",
    "x-amzn-requestid",
    "x-correlation-id",
    "x-litellm-call-id",
    "cf-ray",
];

/// A call, ready to be tried.
pub(crate) struct Call {
    pub(crate) provider: Arc<Inner>,
    pub(crate) request: Request,
    pub(crate) options: CallOptions,
    pub(crate) decode: DecodeOptions,
    pub(crate) redactor: Redactor,
    pub(crate) has_key: bool,
    pub(crate) context: CallContext,
}

impl Call {
    /// How long the call may still take; `None` for as long as it likes.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let now = self.context.runtime.now();
        let deadline = self.context.deadline?;
        Some(deadline.saturating_duration_since(now))
    }

    /// Sends the request and reads until something of the answer is there.
    pub(crate) async fn attempt(&self) -> Result<Answer, ProviderError> {
        let response = self
            .provider
            .http
            .send_with(&self.context.runtime, self.request.clone(), self.options)
            .await
            .map_err(|error| self.unanswered(error))?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let mut answer = Answer::new(self, response);
        answer.begin().await?;
        Ok(answer)
    }

    /// No response came.
    fn unanswered(&self, error: HttpError) -> ProviderError {
        let kind = error.kind();
        let error = ProviderError::from(error);
        // The server had the request, or may have had it, and may have answered it.
        let error = error.with_maybe_billed(matches!(
            kind,
            HttpErrorKind::HeadersTimeout | HttpErrorKind::Truncated | HttpErrorKind::Deadline
        ));
        // A server that refuses a large request often says so and closes the connection at once,
        // and its words are lost on the way.
        if kind == HttpErrorKind::Truncated
            && error.bytes_received() == 0
            && self.request.body.len() > RESENT_BYTES
        {
            return error.with_retryable(false).with_hint(
                "the server may have refused the request as too large; shorten the prompt or its images, or try again",
            );
        }
        error
    }
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    REQUEST_ID_HEADERS.iter().find_map(|name| {
        let text = headers.get(*name)?.to_str().ok()?.trim();
        (!text.is_empty()).then(|| text.chars().take(128).collect())
    })
}

/// An answer that is being read.
pub(crate) struct Answer {
    runtime: Runtime,
    /// Gone once all that matters was read.
    body: Option<Body>,
    decoder: BodyDecoder,
    /// What was read before the answer was handed out.
    ready: VecDeque<ModelEvent>,
    failure: Option<ProviderError>,
    deadline: Option<Instant>,
    /// The deadline came first: nothing that is left is handed out.
    given_up: bool,
    grace: Option<Grace>,
    status: u16,
    request_id: Option<String>,
}

/// The time for what goes with a complete answer.
#[derive(Clone, Copy)]
struct Grace {
    until: Instant,
    /// The bytes that had come when it began.
    received: u64,
}

impl Answer {
    fn new(call: &Call, response: Response) -> Self {
        let status = response.status().as_u16();
        let media_type = response.media_type();
        let request_id = request_id(response.headers())
            .map(|request_id| call.redactor.clean_id(&request_id, 128));
        let mut body = response.into_body();
        body.watch_progress();
        let mut ready = VecDeque::new();
        if let Some(request_id) = &request_id {
            let info = ResponseInfo::default().with_request_id(request_id);
            ready.push_back(ModelEvent::Started(info));
        }
        Self {
            runtime: call.context.runtime.clone(),
            body: Some(body),
            decoder: BodyDecoder::new(
                call.decode.clone(),
                call.redactor.clone(),
                media_type.as_deref(),
            ),
            ready,
            failure: None,
            deadline: call.context.deadline,
            given_up: false,
            grace: None,
            status,
            request_id,
        }
    }

    /// Reads until there is something that the caller could see, or the end.
    ///
    /// A failure before that is an error here, and nothing was lost by it.
    async fn begin(&mut self) -> Result<(), ProviderError> {
        loop {
            let mut begun = false;
            while let Some(event) = self.decoder.next_event() {
                begun |= is_content(&event);
                self.ready.push_back(event);
            }
            if begun {
                return Ok(());
            }
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.body.is_none() {
                return Ok(());
            }
            self.read().await;
        }
    }

    /// The next event.
    async fn next(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        if self.is_late() {
            self.give_up();
        }
        loop {
            if !self.given_up {
                if let Some(event) = self.ready.pop_front() {
                    return Some(Ok(event));
                }
                if let Some(event) = self.decoder.next_event() {
                    return Some(Ok(event));
                }
            }
            if let Some(failure) = self.failure.take() {
                return Some(Err(failure));
            }
            self.body.as_ref()?;
            self.read().await;
        }
    }

    /// Whether the deadline has come before the end of the answer. An answer that is here may be
    /// read at leisure.
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| {
            self.body.is_some() && !self.decoder.survives_cut() && self.runtime.now() >= deadline
        })
    }

    fn give_up(&mut self) {
        let received = self.body.take().map_or(0, |body| body.bytes_received());
        let error = ProviderError::new(
            ProviderErrorKind::Deadline,
            "the call's deadline was reached while the answer was being read",
        );
        self.failure = Some(self.described(error, received));
        self.given_up = true;
    }

    /// Reads one piece of the body into the decoder.
    async fn read(&mut self) {
        // However fast the bytes come.
        if self.is_late() {
            return self.give_up();
        }
        let Some(body) = &mut self.body else { return };
        let piece = if self.decoder.is_settled() {
            let now = self.runtime.now();
            let received = body.bytes_received();
            let grace = *self.grace.get_or_insert_with(|| Grace {
                until: now.checked_add(GRACE).unwrap_or(now),
                received,
            });
            let left = grace.until.saturating_duration_since(now);
            match received.saturating_sub(grace.received) {
                more if more > GRACE_BYTES && left.is_zero() => None,
                _ => self.runtime.timeout(left, body.next()).await.ok(),
            }
        } else {
            self.grace = None;
            Some(body.next().await)
        };
        let outcome = match piece {
            Some(Some(Ok(bytes))) => {
                let before = self.decoder.progress();
                let pushed = self.decoder.push(&bytes);
                if self.decoder.progress() != before {
                    body.note_progress();
                }
                match pushed {
                    Ok(()) if !self.decoder.is_done() => return,
                    Ok(()) => self.decoder.finish(),
                    Err(error) => Err(error),
                }
            }
            None => self.decoder.finish_cut(),
            // The reason to stop was given, so nothing of the answer is missing.
            Some(Some(Err(error))) if self.decoder.survives_cut() && is_cut(&error) => {
                self.decoder.finish_cut()
            }
            Some(Some(Err(error))) => Err(error.into()),
            Some(None) => self.decoder.finish(),
        };
        let received = body.bytes_received();
        let body = self.body.take();
        match outcome {
            Ok(()) => {
                if let Some(body) = body {
                    let_go(&self.runtime, body).await;
                }
            }
            // Dropping the body closes its connection.
            Err(error) => self.failure = Some(self.described(error, received)),
        }
    }

    fn described(&self, error: ProviderError, received: u64) -> ProviderError {
        // The model was writing when this happened.
        let billed = matches!(
            error.kind(),
            ProviderErrorKind::Truncated
                | ProviderErrorKind::IdleTimeout
                | ProviderErrorKind::NoProgress
                | ProviderErrorKind::Deadline
                | ProviderErrorKind::Protocol
                | ProviderErrorKind::Decode
                | ProviderErrorKind::Limit
        );
        let billed = billed || error.maybe_billed();
        let error = error
            .with_bytes_received(received)
            .with_maybe_billed(billed);
        let error = match error.status() {
            None => error.with_status(self.status),
            Some(_) => error,
        };
        match &self.request_id {
            Some(request_id) => error.with_request_id(request_id),
            None => error,
        }
    }

    /// The events as a stream that ends after an error.
    pub(crate) fn into_stream(
        self,
    ) -> impl Stream<Item = Result<ModelEvent, ProviderError>> + Send + 'static {
        futures_util::stream::unfold(self, |mut answer| async move {
            let event = answer.next().await?;
            Some((event, answer))
        })
    }
}

/// Saves the connection for the next request if the rest of the body comes soon, without keeping
/// the caller waiting for it.
pub(crate) async fn let_go(runtime: &Runtime, body: Body) {
    let mut drain = Box::pin(body.drain_or_close());
    let now = poll_fn(|cx| Poll::Ready(drain.as_mut().poll(cx))).await;
    if now.is_pending() {
        runtime.spawn(drain).detach();
    }
}

/// Whether the caller would have seen something of the answer in this event.
fn is_content(event: &ModelEvent) -> bool {
    matches!(
        event,
        ModelEvent::TextDelta(_)
            | ModelEvent::ReasoningDelta(_)
            | ModelEvent::RefusalDelta(_)
            | ModelEvent::ToolCallDelta(_)
            | ModelEvent::Finish(_)
    )
}

/// Whether the body just did not come to its end.
fn is_cut(error: &HttpError) -> bool {
    matches!(
        error.kind(),
        HttpErrorKind::Truncated
            | HttpErrorKind::IdleTimeout
            | HttpErrorKind::NoProgress
            | HttpErrorKind::Deadline
            | HttpErrorKind::Protocol
    )
}
