//! A response as bytes and pauses: head, framing, cuts.

use std::fmt::Write as _;
use std::time::Duration;

/// How the end of a response body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By a `content-length`.
    Length,
    /// By an empty chunk; every step sent is a chunk.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// One step of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Send(Vec<u8>),
    /// Wait until so long after the request.
    Until(Duration),
    Sleep(Duration),
    Stall,
    Fin,
    Rst,
}

impl Action {
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::Stall | Self::Fin | Self::Rst)
    }
}

/// A response before its head is written.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) framing: Framing,
    /// When the head is sent, counted from the request.
    pub(super) head_at: Duration,
    pub(super) actions: Vec<Action>,
}

/// Everything that is sent for one request.
pub(super) struct Compiled {
    pub(super) actions: Vec<Action>,
    /// Whether the connection can take another request afterwards.
    pub(super) keep_alive: bool,
}

impl Response {
    pub(super) fn head(&self, keep_alive: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut line = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        };
        for (name, value) in &self.headers {
            line(name, value);
        }
        let has = |name: &str| {
            self.headers
                .iter()
                .any(|(n, _)| n.eq_ignore_ascii_case(name))
        };
        match self.framing {
            Framing::Length if !has("content-length") => {
                line("content-length", &self.length().to_string());
            }
            Framing::Chunked if !has("transfer-encoding") => line("transfer-encoding", "chunked"),
            _ => {}
        }
        if !keep_alive && !has("connection") {
            line("connection", "close");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn length(&self) -> usize {
        let sizes = self.actions.iter().map(|action| match action {
            Action::Send(bytes) => bytes.len(),
            _ => 0,
        });
        sizes.sum()
    }

    pub(super) fn framed_body(self) -> Vec<Action> {
        if self.framing != Framing::Chunked {
            return self.actions;
        }
        let open_end = self.actions.iter().any(Action::is_last);
        let mut framed: Vec<Action> = self
            .actions
            .into_iter()
            .map(|action| match action {
                // An empty chunk would end the body.
                Action::Send(bytes) if !bytes.is_empty() => {
                    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                    chunk.extend(bytes);
                    chunk.extend(b"\r\n");
                    Action::Send(chunk)
                }
                action => action,
            })
            .collect();
        if !open_end {
            framed.push(Action::Send(b"0\r\n\r\n".to_vec()));
        }
        framed
    }
}

/// Lets only the first `bytes` bytes through, then ends.
pub(super) fn cut(actions: &mut Vec<Action>, bytes: usize, ending: &Action) {
    let mut left = bytes;
    let mut kept = Vec::new();
    for action in actions.drain(..) {
        match action {
            Action::Send(mut sent) => {
                if sent.len() >= left {
                    sent.truncate(left);
                    kept.push(Action::Send(sent));
                    break;
                }
                left -= sent.len();
                kept.push(Action::Send(sent));
            }
            action if action.is_last() => break,
            action => kept.push(action),
        }
    }
    kept.push(ending.clone());
    *actions = kept;
}

pub(super) fn fragment(actions: Vec<Action>, size: usize) -> Vec<Action> {
    actions
        .into_iter()
        .flat_map(|action| match action {
            Action::Send(bytes) => bytes
                .chunks(size)
                .map(|piece| Action::Send(piece.to_vec()))
                .collect(),
            action => vec![action],
        })
        .collect()
}

pub(super) fn set_header(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    match headers
        .iter_mut()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
    {
        Some(header) => header.1 = value,
        None => headers.push((name.to_owned(), value)),
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
