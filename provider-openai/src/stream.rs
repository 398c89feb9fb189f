//! One try of a call, and the answer that comes of it.

use std::collections::VecDeque;
use std::future::{poll_fn, Future};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
use http::{HeaderMap, StatusCode};

use agently_api::error::ProviderError;
use agently_api::model::{CallContext, ModelEvent, ResponseInfo};
use agently_api::rt::Runtime;
use agently_http::retry::{parse_retry_after, parse_should_retry};
use agently_http::{Body, CallOptions, HttpErrorKind, Request, Response};

use crate::client::Inner;
use crate::wire::{BodyDecoder, DecodeOptions, Redactor, StatusReply};

/// How long the body of an error response is waited for.
const ERROR_BODY_TIME: Duration = Duration::from_secs(5);

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
            .await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let mut answer = Answer::new(self, response);
        answer.begin().await?;
        Ok(answer)
    }

    async fn refusal(&self, response: Response) -> ProviderError {
        let runtime = &self.context.runtime;
        let status = response.status();
        let location = response.redirect_location();
        let (head, body) = response.into_parts();
        let limit = self.provider.http.limits().error_body_bytes;
        // The status says enough when the body does not come.
        let body = match runtime
            .timeout(ERROR_BODY_TIME, body.collect_prefix(limit))
            .await
        {
            Ok((body, _more)) => body,
            Err(_elapsed) => bytes::Bytes::new(),
        };
        let mut reply = StatusReply::new(status, &body);
        reply.should_retry = parse_should_retry(&head.headers);
        reply.retry_after =
            parse_retry_after(&head.headers, runtime.wall()).map(|asked| asked.delay());
        reply.request_id = request_id(&head.headers);
        let error = reply.into_error(&self.redactor);
        if let Some(location) = location.filter(|location| !location.is_empty()) {
            let location = self.redactor.clean_to(&location, 256);
            return error.with_hint(format!(
                "set the base URL to where the server really is; the redirect points to {location}"
            ));
        }
        if status == StatusCode::UNAUTHORIZED && !self.has_key {
            return error
                .with_hint("no API key is set; set one on the provider or in OPENAI_API_KEY");
        }
        error
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
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
    status: u16,
    request_id: Option<String>,
}

impl Answer {
    fn new(call: &Call, response: Response) -> Self {
        let status = response.status().as_u16();
        let media_type = response.media_type();
        let request_id = request_id(response.headers())
            .map(|request_id| call.redactor.clean_to(&request_id, 128));
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
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if let Some(event) = self.decoder.next_event() {
                return Some(Ok(event));
            }
            if let Some(failure) = self.failure.take() {
                return Some(Err(failure));
            }
            self.body.as_ref()?;
            self.read().await;
        }
    }

    /// Reads one piece of the body into the decoder.
    async fn read(&mut self) {
        let Some(body) = &mut self.body else { return };
        let outcome = match body.next().await {
            Some(Ok(bytes)) => {
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
            // The reason to stop was given, so nothing of the answer is missing.
            Some(Err(error)) if self.decoder.survives_cut() && is_cut(&error) => {
                self.decoder.finish_cut()
            }
            Some(Err(error)) => Err(error.into()),
            None => self.decoder.finish(),
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
        let error = error.with_bytes_received(received);
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
async fn let_go(runtime: &Runtime, body: Body) {
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

fn is_cut(error: &agently_http::HttpError) -> bool {
    error.kind() == HttpErrorKind::Truncated
}
