//! An HTTP server inside the deterministic runtime, for tests in which time matters.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agently::types::rt::Runtime;
use agently_testkit::det::Det;
use futures_util::{AsyncReadExt, AsyncWriteExt};

/// Where the server is for a client of the same runtime.
pub const BASE_URL: &str = "http://model.test/v1";

/// What one connection does: the bytes to send after a request, and what follows.
#[derive(Clone, Debug)]
pub enum Step {
    Send(String),
    Sleep(Duration),
    /// Silence for ever.
    Stall,
}

/// The moments at which requests came, since the start of the runtime.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<Vec<Duration>>>);

impl Seen {
    pub fn times(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

/// Answers one request per connection with the next script; the last one again and again.
pub fn serve(det: &Det, scripts: Vec<Vec<Step>>) -> Seen {
    let seen = Seen::default();
    let runtime = det.runtime();
    let began = runtime.now();
    let mut listener = det.listen("model.test", 80).unwrap();
    let accepting = {
        let (seen, runtime) = (seen.clone(), runtime.clone());
        async move {
            let mut number = 0;
            while let Some(mut stream) = listener.accept().await {
                let script = scripts[number.min(scripts.len() - 1)].clone();
                number += 1;
                let (seen, runtime) = (seen.clone(), runtime.clone());
                let connection = {
                    let runtime = runtime.clone();
                    async move {
                        if read_request(&mut stream).await.is_none() {
                            return;
                        }
                        seen.0.lock().unwrap().push(runtime.now() - began);
                        // A client that has left needs no answer.
                        let _ = play(&runtime, &mut stream, script).await;
                    }
                };
                runtime.spawn(connection).detach();
            }
        }
    };
    runtime.spawn(accepting).detach();
    seen
}

async fn play(
    runtime: &Runtime,
    stream: &mut (impl AsyncWriteExt + Unpin),
    script: Vec<Step>,
) -> std::io::Result<()> {
    for step in script {
        match step {
            Step::Send(text) => {
                stream.write_all(text.as_bytes()).await?;
                stream.flush().await?;
            }
            Step::Sleep(time) => runtime.sleep(time).await,
            Step::Stall => std::future::pending().await,
        }
    }
    stream.close().await
}

/// Reads one request with a `content-length`; `None` if the client left.
async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<()> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse().unwrap());
            if body.len() >= length {
                return Some(());
            }
        }
        let read = stream.read(&mut piece).await.ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend_from_slice(&piece[..read]);
    }
}

/// A response of known length.
pub fn response(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![Step::Send(format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))]
}

/// The head of an event stream that ends with its connection.
pub fn stream_head() -> Step {
    Step::Send(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n"
            .to_owned(),
    )
}

/// One event with a piece of text.
pub fn text_event(text: &str) -> Step {
    let chunk = serde_json::json!({ "choices": [{ "index": 0, "delta": { "content": text } }] });
    Step::Send(format!("data: {chunk}\n\n"))
}

/// The events that end an answer.
pub fn end_events() -> Step {
    let chunk = serde_json::json!({
        "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }]
    });
    Step::Send(format!("data: {chunk}\n\ndata: [DONE]\n\n"))
}

/// A whole streamed answer of this text.
pub fn answer(text: &str) -> Vec<Step> {
    vec![stream_head(), text_event(text), end_events()]
}
