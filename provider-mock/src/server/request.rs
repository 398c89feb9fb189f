//! Reading one HTTP/1.1 request from a blocking socket.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::redaction::{is_secret, query_without_secrets, REDACTED};

/// Most bytes of a request's head.
const HEAD_LIMIT: usize = 64 * 1024;
/// Most bytes of a request's body: room for a few images.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A request that a [`MockServer`](super::MockServer) has received.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// As in `POST`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without the `?`; the values of keys and tokens are `[redacted]`.
    pub query: Option<String>,
    /// Names in lower case and values, as they came; the values of headers that carry secrets are
    /// `[redacted]`.
    pub headers: Vec<(String, String)>,
    /// The body, if it is JSON.
    pub body: Option<Value>,
    /// Which of the server's connections it came over, from 1: requests over one kept-alive
    /// connection have the same number.
    pub connection: usize,
}

impl RecordedRequest {
    /// The value of the first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// A field of the JSON body, by JSON Pointer, as in `/messages/0/role`.
    #[must_use]
    pub fn field(&self, pointer: &str) -> Option<&Value> {
        self.body.as_ref()?.pointer(pointer)
    }

    /// Whether the answer is asked for as a stream.
    pub(super) fn wants_stream(&self) -> bool {
        self.field("/stream") == Some(&Value::Bool(true))
    }

    /// Whether a streamed answer should tell the tokens used.
    pub(super) fn wants_usage(&self) -> bool {
        self.field("/stream_options/include_usage") == Some(&Value::Bool(true))
    }
}

/// A request as it was read, with what only the connection needs to know.
pub(super) struct Incoming {
    pub(super) recorded: RecordedRequest,
    /// Whether the client keeps the connection open for another request.
    pub(super) keep_alive: bool,
    /// HTTP/1.0 knows no chunked bodies.
    pub(super) chunked_allowed: bool,
    /// The key of the `Authorization: Bearer` header.
    pub(super) bearer: Option<String>,
}

/// Why no request was read.
pub(super) enum ReadError {
    /// The client closed the connection, or the connection's time was over.
    Closed,
    /// It was no request that this server takes; the status to answer with.
    Refused(u16, &'static str),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// Reads a request, but leaves its last byte in the socket.
///
/// A socket that is closed with unread data resets the connection: that is how a reply can end in
/// a reset, with the standard library alone. [`release`] takes the byte out.
pub(super) fn read(stream: &mut TcpStream, connection: usize) -> Result<Incoming, ReadError> {
    let head = read_head(stream)?;
    let text = String::from_utf8_lossy(&head);
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version)) = (first.next(), first.next(), first.next())
    else {
        return Err(ReadError::Refused(400, "this is no HTTP/1.1 request"));
    };
    let raw: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();

    if header(&raw, "transfer-encoding").is_some() {
        return Err(ReadError::Refused(
            411,
            "the mock server takes request bodies with a content-length only",
        ));
    }
    let length = match header(&raw, "content-length").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(length)) if length <= BODY_LIMIT => length,
        Some(Ok(_)) => return Err(ReadError::Refused(413, "the request body is too large")),
        Some(Err(_)) => return Err(ReadError::Refused(400, "the content-length is no number")),
    };
    if header(&raw, "expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = if length == 0 {
        Vec::new()
    } else {
        // The head's last byte was left in the socket.
        release(stream)?;
        let mut body = vec![0; length - 1];
        stream.read_exact(&mut body)?;
        let mut last = [0];
        if stream.peek(&mut last)? == 0 {
            return Err(ReadError::Closed);
        }
        body.extend(last);
        body
    };

    let old = version == "HTTP/1.0";
    let connection_header = header(&raw, "connection").unwrap_or_default();
    let keep_alive = !old && !connection_header.eq_ignore_ascii_case("close");
    let bearer = header(&raw, "authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::to_owned);
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query_without_secrets(query))),
        None => (target, None),
    };
    Ok(Incoming {
        recorded: RecordedRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers: redacted(raw),
            body: serde_json::from_slice(&body).ok(),
            connection,
        },
        keep_alive,
        chunked_allowed: !old,
        bearer,
    })
}

/// Takes the byte out that [`read`] left in the socket.
pub(super) fn release(stream: &mut TcpStream) -> io::Result<()> {
    stream.read_exact(&mut [0])
}

/// Reads up to the empty line, and leaves its last byte in the socket.
fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, ReadError> {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = Vec::new();
    let mut window = vec![0; 4096];
    loop {
        let seen = stream.peek(&mut window)?;
        if seen == 0 {
            return Err(ReadError::Closed);
        }
        let before = head.len();
        head.extend(window.iter().take(seen));
        let search_from = before.saturating_sub(END.len());
        let found = head
            .windows(END.len())
            .skip(search_from)
            .position(|bytes| bytes == END)
            .map(|at| search_from + at + END.len());
        // All but the last byte of the head, or all that came if it is not complete.
        let take = found.map_or(seen, |end| end - before - 1);
        head.truncate(found.unwrap_or(before + seen));
        let mut consumed = vec![0; take];
        stream.read_exact(&mut consumed)?;
        if found.is_some() {
            return Ok(head);
        }
        if head.len() > HEAD_LIMIT {
            return Err(ReadError::Refused(431, "the request's head is too large"));
        }
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn redacted(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers
        .into_iter()
        .map(|(name, value)| {
            let value = if is_secret(&name) {
                REDACTED.to_owned()
            } else {
                value
            };
            (name, value)
        })
        .collect()
}
