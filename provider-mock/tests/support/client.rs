//! A client of the wire, made of a bare socket.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use agently_provider_mock::{MockServer, WireReply};
use serde_json::{json, Value};

/// Long enough for any machine; no test waits for it unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What came back for one request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    /// The body without its framing, as far as it came.
    pub(crate) body: Vec<u8>,
    /// Whether the body's framing said that it was complete.
    pub(crate) complete: bool,
    /// How the connection ended, if it did.
    pub(crate) error: Option<ErrorKind>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The payloads of the events.
    pub(crate) fn payloads(&self) -> Vec<&str> {
        self.text()
            .split("\n\n")
            .filter_map(|event| event.strip_prefix("data: "))
            .collect()
    }

    pub(crate) fn chunks(&self) -> Vec<Value> {
        self.payloads()
            .into_iter()
            .filter(|payload| *payload != "[DONE]")
            .map(|payload| serde_json::from_str(payload).unwrap())
            .collect()
    }
}

pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) fn connect(server: &MockServer) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    pub(crate) fn send(&mut self, body: &Value) {
        let body = body.to_string();
        write!(
            self.0,
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer sk-very-secret\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    }

    pub(crate) fn ask(&mut self, body: &Value) -> Answer {
        self.send(body);
        self.receive()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, ErrorKind> {
        let mut byte = [0];
        match self.0.read(&mut byte) {
            Ok(0) => Err(ErrorKind::UnexpectedEof),
            Ok(_) => Ok(byte[0]),
            Err(error) => Err(error.kind()),
        }
    }

    pub(crate) fn line(&mut self) -> Result<String, ErrorKind> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(self.byte()?);
        }
        Ok(String::from_utf8(line).unwrap().trim_end().to_owned())
    }

    pub(crate) fn receive(&mut self) -> Answer {
        let mut answer = Answer {
            status: 0,
            head: String::new(),
            body: Vec::new(),
            complete: false,
            error: None,
        };
        answer.error = self.receive_into(&mut answer).err();
        answer
    }

    pub(crate) fn receive_into(&mut self, answer: &mut Answer) -> Result<(), ErrorKind> {
        let status = self.line()?;
        answer.status = status.split(' ').nth(1).unwrap().parse().unwrap();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            answer.head += &line;
            answer.head += "\n";
        }
        if let Some(length) = answer.header("content-length") {
            for _ in 0..length.parse::<usize>().unwrap() {
                answer.body.push(self.byte()?);
            }
        } else if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).unwrap();
                for _ in 0..size {
                    answer.body.push(self.byte()?);
                }
                assert_eq!(self.line()?, "");
                if size == 0 {
                    break;
                }
            }
        } else {
            loop {
                match self.byte() {
                    Ok(byte) => answer.body.push(byte),
                    Err(ErrorKind::UnexpectedEof) => break,
                    Err(other) => return Err(other),
                }
            }
        }
        answer.complete = true;
        Ok(())
    }

    pub(crate) fn is_closed(&mut self) -> bool {
        self.byte() == Err(ErrorKind::UnexpectedEof)
    }
}

pub(crate) fn start(reply: impl Into<WireReply>) -> MockServer {
    MockServer::builder().reply(reply).start().unwrap()
}

pub(crate) fn streaming() -> Value {
    json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "12345678"}]})
}

pub(crate) fn streaming_with_usage() -> Value {
    let mut body = streaming();
    body["stream_options"] = json!({"include_usage": true});
    body
}

pub(crate) fn whole() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "12345678"}]})
}
