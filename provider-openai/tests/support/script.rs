//! A server in virtual time: it plays one script for each connection.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind as Kind};
use agently_api::model::{CallContext, Message, ModelEvent, ModelProvider, ModelRequest};
use agently_api::rt::Runtime;
use agently_provider_openai::{OpenAi, OpenAiBuilder, ProxyConfig, RetryPolicy};
use agently_testkit::det::Det;
use agently_testkit::pipe::Duplex;
use futures_util::{AsyncReadExt, AsyncWriteExt, StreamExt};

use super::{finish, text, Outcome};

pub(crate) const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

/// What the server does with one connection: writes, with a wait before each.
#[derive(Clone, Default)]
pub(crate) struct Script {
    writes: Vec<(Duration, String)>,
    hold: bool,
}

impl Script {
    pub(crate) fn new(first: impl Into<String>) -> Self {
        Self::default().after(Duration::ZERO, first)
    }

    pub(crate) fn after(mut self, wait: Duration, write: impl Into<String>) -> Self {
        self.writes.push((wait, write.into()));
        self
    }

    /// Leaves the connection open.
    pub(crate) fn hold(mut self) -> Self {
        self.hold = true;
        self
    }

    pub(crate) fn answer() -> Self {
        Self::new(HEAD).after(Duration::ZERO, end())
    }

    pub(crate) fn status(status: &str) -> Self {
        Self::new(format!(
            "HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}"
        ))
    }
}

pub(crate) fn event(payload: &str) -> String {
    format!("data: {payload}\n\n")
}

/// A last piece of text and what ends an answer.
pub(crate) fn end() -> String {
    event(&text("the end")) + &event(&finish("stop")) + &event("[DONE]")
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// What a call came to, how long it took, and how many requests it made.
pub(crate) struct Seen {
    pub(crate) events: Vec<ModelEvent>,
    pub(crate) error: Option<ProviderError>,
    pub(crate) took: Duration,
    pub(crate) requests: usize,
}

impl Seen {
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.error.as_ref().map(ProviderError::kind)
    }

    /// What a call came to that ended well.
    pub(crate) fn outcome(&self) -> Outcome {
        assert!(self.error.is_none(), "{:?}", self.error);
        Outcome::of(&self.events, None)
    }

    pub(crate) fn text(&self) -> String {
        let texts = self.events.iter().filter_map(|event| match event {
            ModelEvent::TextDelta(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

async fn serve(runtime: Runtime, mut stream: Duplex, script: Option<Script>) {
    let mut read = Vec::new();
    let mut buffer = [0; 1024];
    while !read.ends_with(b"}") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
    let script = script.unwrap_or_else(|| Script::status("503 Service Unavailable"));
    for (wait, write) in script.writes {
        runtime.sleep(wait).await;
        if stream.write_all(write.as_bytes()).await.is_err() {
            return;
        }
    }
    if script.hold {
        while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    }
}

/// Serves the scripts, one a connection, and 503 after that; gives the count of requests.
pub(crate) fn start(det: &Det, scripts: Vec<Script>) -> Arc<Mutex<usize>> {
    let mut listener = det.listen("model.internal", 80).unwrap();
    let runtime = det.runtime();
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    det.runtime()
        .spawn(async move {
            let mut scripts = scripts.into_iter();
            while let Some(stream) = listener.accept().await {
                *counted.lock().unwrap() += 1;
                runtime
                    .spawn(serve(runtime.clone(), stream, scripts.next()))
                    .detach();
            }
        })
        .detach();
    count
}

pub(crate) fn provider(retry: RetryPolicy) -> OpenAiBuilder {
    OpenAi::builder()
        .base_url("http://model.internal/v1")
        .model("m")
        .proxy(ProxyConfig::none())
        .retry(retry)
}

pub(crate) fn call(scripts: Vec<Script>, retry: RetryPolicy, stream: bool) -> Seen {
    play(scripts, provider(retry), |call| call.stream = stream)
}

/// How a call is made and read.
pub(crate) struct Reading {
    pub(crate) stream: bool,
    /// From the beginning of the call.
    pub(crate) deadline: Option<Duration>,
    /// How long the reader takes over each event.
    pub(crate) pause: Duration,
}

/// One call to its end.
pub(crate) fn play(
    scripts: Vec<Script>,
    provider: OpenAiBuilder,
    change: impl FnOnce(&mut Reading),
) -> Seen {
    let mut reading = Reading {
        stream: true,
        deadline: None,
        pause: Duration::ZERO,
    };
    change(&mut reading);
    let det = Det::new(11);
    let requests = start(&det, scripts);
    let runtime = det.runtime();
    let provider = provider.build().unwrap();
    let request = ModelRequest::new(vec![Message::user("Hello")]).with_stream(reading.stream);
    let began = runtime.now();
    let mut context = CallContext::new(runtime.clone());
    if let Some(deadline) = reading.deadline {
        context = context.with_deadline(began + deadline);
    }
    let clock = runtime.clone();
    let (events, error) = det
        .block_on(async move {
            let mut stream = match provider.stream(request, context).await {
                Ok(stream) => stream,
                Err(error) => return (Vec::new(), Some(error)),
            };
            let mut events = Vec::new();
            while let Some(item) = stream.next().await {
                match item {
                    Ok(event) => events.push(event),
                    Err(error) => {
                        assert!(stream.next().await.is_none(), "nothing follows an error");
                        return (events, Some(error));
                    }
                }
                if !reading.pause.is_zero() {
                    clock.sleep(reading.pause).await;
                }
            }
            (events, None)
        })
        .unwrap();
    let requests = *requests.lock().unwrap();
    Seen {
        events,
        error,
        took: runtime.now() - began,
        requests,
    }
}
