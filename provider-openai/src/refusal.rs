//! Responses whose status says that there is no answer.

use std::time::Duration;

use http::StatusCode;

use agently_api::error::ProviderError;
use agently_api::rt::Runtime;
use agently_http::retry::{parse_retry_after, parse_should_retry};
use agently_http::{Body, Response};

use crate::stream::{let_go, request_id, Call};
use crate::wire::{Shape, StatusReply};

/// How long the body of an error response is waited for.
const BODY_TIME: Duration = Duration::from_secs(5);

/// How much of the end of a long body is kept, in bytes: errors have their code there.
const TAIL_BYTES: usize = 4 * 1024;

/// How many times the limit of what is kept is read.
const READ_FACTOR: usize = 16;

impl Call {
    /// The error that a response with another status than success stands for.
    pub(crate) async fn refusal(&self, response: Response) -> ProviderError {
        let runtime = &self.context.runtime;
        let status = response.status();
        let location = response.redirect_location();
        let (head, body) = response.into_parts();
        let limit = self.provider.http.limits().error_body_bytes;
        let body = beginning(runtime, body, limit).await;
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

/// What is needed of an error's body: as much as came in time, the middle of a long one left out.
///
/// The status says much by itself, and the code is in the first JSON value, so nobody waits for a
/// body that does not end.
async fn beginning(runtime: &Runtime, mut body: Body, limit: usize) -> Vec<u8> {
    let start = runtime.now();
    let mut kept = Kept::new(limit);
    while !kept.suffices() {
        let taken = runtime.now().saturating_duration_since(start);
        let Some(left) = BODY_TIME.checked_sub(taken) else {
            return kept.into_bytes();
        };
        match runtime.timeout(left, body.next()).await {
            Ok(Some(Ok(piece))) => kept.push(&piece),
            Ok(Some(Err(_)) | None) | Err(_) => return kept.into_bytes(),
        }
    }
    let_go(runtime, body).await;
    kept.into_bytes()
}

/// The beginning and the end of a body.
struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
    most_head: usize,
    most_tail: usize,
    read: usize,
    shape: Shape,
}

impl Kept {
    fn new(limit: usize) -> Self {
        let most_tail = TAIL_BYTES.min(limit / 4);
        Self {
            head: Vec::new(),
            tail: Vec::new(),
            most_head: limit - most_tail,
            most_tail,
            read: 0,
            shape: Shape::default(),
        }
    }

    fn push(&mut self, piece: &[u8]) {
        self.read = self.read.saturating_add(piece.len());
        self.shape.push(piece);
        let room = self.most_head.saturating_sub(self.head.len());
        let (head, tail) = piece.split_at_checked(room).unwrap_or((piece, &[]));
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(tail);
        if self.tail.len() > 2 * self.most_tail {
            self.tail.drain(..self.tail.len() - self.most_tail);
        }
    }

    /// Whether a whole JSON value came, by itself or in an event, or more than anybody wants.
    fn suffices(&self) -> bool {
        const BOM: &[u8] = b"\xEF\xBB\xBF";
        let head = self.head.strip_prefix(BOM).unwrap_or(&self.head);
        let head = head.trim_ascii_start();
        let is_json = [&b"{"[..], b"[", b"data:", b"event:"]
            .iter()
            .any(|start| head.starts_with(start));
        let most = READ_FACTOR * (self.most_head + self.most_tail);
        is_json && self.shape.is_closed() || self.read > most
    }

    fn into_bytes(mut self) -> Vec<u8> {
        let surplus = self.tail.len().saturating_sub(self.most_tail);
        self.head.extend(self.tail.drain(surplus..));
        self.head
    }
}
