use std::time::Duration;

use serde_json::json;

use super::openai;
use super::request::RecordedRequest;
use super::response::{cut, fragment, set_header, Action, Compiled, Framing, Response};
use crate::reply::Reply;

/// What a [`MockServer`](super::MockServer) puts on the wire for one request: a model's answer, or
/// anything else, right or wrong, down to the byte.
///
/// A [`Reply`] converts into it. [`stream`](Self::stream), [`response`](Self::response) and
/// [`raw`](Self::raw) begin a script of bytes, to which [`send`](Self::send),
/// [`sleep`](Self::sleep), [`stall`](Self::stall), [`fin`](Self::fin) and [`rst`](Self::rst) add
/// steps.
///
/// ```
/// use std::time::Duration;
///
/// use agently_provider_mock::{Reply, WireReply};
///
/// // Too many requests.
/// let busy = WireReply::api_error(429, "rate_limit_exceeded", "slow down")
///     .header("retry-after", "1");
/// // The connection is reset after 300 bytes of the body.
/// let torn = WireReply::from(Reply::text("Hello")).rst_after(300);
/// // A broken event in a stream, then silence.
/// let odd = WireReply::stream().send("data: {not json\n\n").stall();
/// // Not even HTTP.
/// let raw = WireReply::raw().send("SSH-2.0-x\r\n").sleep(Duration::from_millis(5)).fin();
/// # let _ = (busy, torn, odd, raw);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a reply does nothing until it is given to a server"]
pub struct WireReply {
    model: Option<Reply>,
    /// `None` sends no head at all.
    status: Option<u16>,
    headers: Vec<(String, String)>,
    framing: Framing,
    head_delay: Duration,
    actions: Vec<Action>,
    cut: Option<(usize, Action)>,
    fragment: Option<usize>,
}

impl From<Reply> for WireReply {
    fn from(reply: Reply) -> Self {
        Self {
            model: Some(reply),
            ..Self::new(Some(200), Framing::Chunked)
        }
    }
}

impl WireReply {
    fn new(status: Option<u16>, framing: Framing) -> Self {
        Self {
            model: None,
            status,
            headers: Vec::new(),
            framing,
            head_delay: Duration::ZERO,
            actions: Vec::new(),
            cut: None,
            fragment: None,
        }
    }

    /// A response with this status, these headers and this body.
    ///
    /// Without a `content-type` among the headers it is JSON if it looks like that, else plain
    /// text.
    pub fn status<H, N, V>(status: u16, headers: H, body: impl Into<Vec<u8>>) -> Self
    where
        H: IntoIterator<Item = (N, V)>,
        N: Into<String>,
        V: Into<String>,
    {
        let body = body.into();
        let content_type = match body.first() {
            Some(b'{' | b'[') => "application/json",
            _ => "text/plain; charset=utf-8",
        };
        headers.into_iter().fold(
            Self::response(status, content_type).send(body),
            |reply, (name, value)| reply.header(name, value),
        )
    }

    /// A web page, as proxies and captive portals send it.
    pub fn html(status: u16, page: impl Into<Vec<u8>>) -> Self {
        Self::response(status, "text/html; charset=utf-8").send(page)
    }

    /// An error in the shape that OpenAI's servers send, with the `type` that they give to this
    /// code and status: `insufficient_quota` is its own, too many requests are of type `requests`
    /// (or `tokens`, if the message speaks of tokens), a wrong key is an `invalid_request_error`.
    pub fn api_error(status: u16, code: &str, message: &str) -> Self {
        let kind = openai::error_type(Some(status), Some(code), message);
        let body = json!({
            "error": { "message": message, "type": kind, "param": null, "code": code }
        });
        Self::response(status, "application/json").send(body.to_string())
    }

    /// A 200 event stream of these payloads, each sent as `data: …` and an empty line. `[DONE]` is
    /// not added.
    pub fn events<I>(payloads: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        payloads.into_iter().fold(Self::stream(), |reply, payload| {
            reply.send(openai::sse(payload.as_ref()))
        })
    }

    /// A 200 event stream whose body is scripted with [`send`](Self::send) and its kin.
    pub fn stream() -> Self {
        Self::new(Some(200), Framing::Chunked).header("content-type", openai::EVENT_STREAM)
    }

    /// A response of known length whose body is scripted with [`send`](Self::send) and its kin.
    pub fn response(status: u16, content_type: impl Into<String>) -> Self {
        Self::new(Some(status), Framing::Length).header("content-type", content_type)
    }

    /// Nothing but what is scripted with [`send`](Self::send) and its kin: no head, no framing.
    /// The connection is closed at the end.
    pub fn raw() -> Self {
        Self::new(None, Framing::Close)
    }

    /// Sends bytes; in a chunked response, as one chunk.
    pub fn send(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Action::Send(bytes.into()))
    }

    /// Sends nothing for a while, in real time.
    pub fn sleep(self, duration: Duration) -> Self {
        self.then(Action::Sleep(duration))
    }

    /// Sends nothing more, and keeps the connection open until the client leaves or the
    /// connection's time is over.
    pub fn stall(self) -> Self {
        self.then(Action::Stall)
    }

    /// Closes the connection in order (FIN), whatever was promised before.
    pub fn fin(self) -> Self {
        self.then(Action::Fin)
    }

    /// Resets the connection (RST), where the platform does that for a socket closed with unread
    /// data; elsewhere it is closed in order.
    pub fn rst(self) -> Self {
        self.then(Action::Rst)
    }

    fn then(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Sets a header, in place of one of the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        set_header(&mut self.headers, &name, value.into());
        self
    }

    /// Waits so long before the head, in real time.
    pub fn head_delay(mut self, delay: Duration) -> Self {
        self.head_delay = delay;
        self
    }

    /// Sends the body without length or chunks: only the end of the connection ends it.
    pub fn close_delimited(mut self) -> Self {
        self.framing = Framing::Close;
        self
    }

    /// Closes the connection (FIN) after so many bytes of the body, chunk framing included.
    pub fn fin_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Action::Fin));
        self
    }

    /// Resets the connection, as [`rst`](Self::rst) does, after so many bytes of the body, chunk
    /// framing included.
    pub fn rst_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Action::Rst));
        self
    }

    /// Falls silent after so many bytes of the body, chunk framing included.
    pub fn stall_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Action::Stall));
        self
    }

    /// Writes the body in pieces of at most so many bytes (at least 1), each with a system call of
    /// its own. The client's system may still join them.
    pub fn fragmented(mut self, bytes: usize) -> Self {
        self.fragment = Some(bytes.max(1));
        self
    }

    /// The bytes of a plain response that needs no request, closing the connection.
    pub(super) fn at_once(&self) -> Vec<u8> {
        let response = Response {
            status: self.status.unwrap_or(200),
            headers: self.headers.clone(),
            framing: self.framing,
            head_at: Duration::ZERO,
            actions: self.actions.clone(),
        };
        let mut bytes = response.head(false);
        for action in response.framed_body() {
            if let Action::Send(sent) = action {
                bytes.extend(sent);
            }
        }
        bytes
    }

    /// Everything to send, for this request; `number` counts the server's requests.
    pub(super) fn compile(
        &self,
        request: &RecordedRequest,
        number: usize,
        keep_alive: bool,
        chunked_allowed: bool,
    ) -> Compiled {
        let mut response = match &self.model {
            Some(reply) => openai::answer(reply, request, number),
            None => Response {
                status: self.status.unwrap_or(200),
                headers: Vec::new(),
                framing: self.framing,
                head_at: Duration::ZERO,
                actions: Vec::new(),
            },
        };
        if self.framing == Framing::Close {
            response.framing = Framing::Close;
        }
        if response.framing == Framing::Chunked && !chunked_allowed {
            response.framing = Framing::Close;
        }
        for (name, value) in &self.headers {
            set_header(&mut response.headers, name, value.clone());
        }
        response.actions.extend(self.actions.iter().cloned());

        let ends_open = response.actions.iter().any(Action::is_last) || self.cut.is_some();
        let keep_alive = keep_alive && !ends_open && response.framing != Framing::Close;
        let head = self.status.map(|_| response.head(keep_alive));
        let head_at = response.head_at.max(self.head_delay);
        let mut body = response.framed_body();
        if let Some((bytes, ending)) = &self.cut {
            cut(&mut body, *bytes, ending);
        }
        if let Some(size) = self.fragment {
            body = fragment(body, size);
        }
        let mut actions = vec![Action::Until(head_at)];
        actions.extend(head.map(Action::Send));
        actions.extend(body);
        Compiled {
            actions,
            keep_alive,
        }
    }
}
