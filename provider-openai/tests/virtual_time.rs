//! Time limits and waits at their real lengths, in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind as Kind};
use agently_api::model::{CallContext, Message, ModelEvent, ModelProvider, ModelRequest};
use agently_api::rt::Runtime;
use agently_provider_openai::{OpenAi, ProxyConfig, RetryPolicy};
use agently_testkit::det::Det;
use agently_testkit::pipe::Duplex;
use futures_util::{AsyncReadExt, AsyncWriteExt, StreamExt};
use support::{finish, text};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

/// What the server does with one connection: writes, with a wait before each.
#[derive(Clone, Default)]
struct Script {
    writes: Vec<(Duration, String)>,
    hold: bool,
}

impl Script {
    fn new(first: impl Into<String>) -> Self {
        Self::default().after(Duration::ZERO, first)
    }

    fn after(mut self, wait: Duration, write: impl Into<String>) -> Self {
        self.writes.push((wait, write.into()));
        self
    }

    /// Leaves the connection open.
    fn hold(mut self) -> Self {
        self.hold = true;
        self
    }

    fn answer() -> Self {
        Self::new(HEAD).after(Duration::ZERO, end())
    }

    fn status(status: &str) -> Self {
        Self::new(format!(
            "HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}"
        ))
    }
}

fn event(payload: &str) -> String {
    format!("data: {payload}\n\n")
}

/// A last piece of text and what ends an answer.
fn end() -> String {
    event(&text("the end")) + &event(&finish("stop")) + &event("[DONE]")
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// What a call came to, how long it took, and how many requests it made.
struct Seen {
    events: Vec<ModelEvent>,
    error: Option<ProviderError>,
    took: Duration,
    requests: usize,
}

impl Seen {
    fn kind(&self) -> Option<Kind> {
        self.error.as_ref().map(ProviderError::kind)
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
fn start(det: &Det, scripts: Vec<Script>) -> Arc<Mutex<usize>> {
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

fn provider(retry: RetryPolicy) -> OpenAi {
    OpenAi::builder()
        .base_url("http://model.internal/v1")
        .model("m")
        .proxy(ProxyConfig::none())
        .retry(retry)
        .build()
        .unwrap()
}

fn call(scripts: Vec<Script>, retry: RetryPolicy, stream: bool) -> Seen {
    let det = Det::new(11);
    let requests = start(&det, scripts);
    let runtime = det.runtime();
    let provider = provider(retry);
    let request = ModelRequest::new(vec![Message::user("Hello")]).with_stream(stream);
    let began = runtime.now();
    let context = CallContext::new(runtime.clone());
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
                    Err(error) => return (events, Some(error)),
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

#[test]
fn the_default_is_two_more_tries_within_a_second_and_a_half() {
    for _ in 0..20 {
        let seen = call(vec![], RetryPolicy::default(), true);
        assert_eq!(seen.requests, 3);
        assert_eq!(seen.error.as_ref().unwrap().attempts().len(), 2);
        assert!(seen.took <= Duration::from_millis(1_500), "{:?}", seen.took);
    }
}

#[test]
fn d06_retry_after_is_waited_for_to_the_letter() {
    for (header, wait) in [
        ("retry-after: 30", seconds(30)),
        ("retry-after: 1.5", Duration::from_millis(1_500)),
        ("retry-after-ms: 2500", Duration::from_millis(2_500)),
        ("retry-after: Thu, 01 Jan 2026 00:00:45 GMT", seconds(45)),
        ("retry-after: 120", seconds(120)),
    ] {
        let busy = Script::status(&format!("429 Too Many Requests\r\n{header}"));
        let seen = call(vec![busy, Script::answer()], RetryPolicy::default(), true);
        assert!(seen.error.is_none(), "{header}: {:?}", seen.error);
        assert_eq!(seen.took, wait, "{header}");
    }
}

#[test]
fn d07_waits_that_say_nothing_or_too_much() {
    for header in [
        "retry-after: -5",
        "retry-after: soon",
        "retry-after: Thu, 01 Jan 2015 00:00:00 GMT",
    ] {
        let busy = Script::status(&format!("429 Too Many Requests\r\n{header}"));
        let seen = call(vec![busy, Script::answer()], RetryPolicy::default(), true);
        assert!(seen.error.is_none(), "{header}: {:?}", seen.error);
        assert!(
            seen.took <= Duration::from_millis(500),
            "{header}: {:?}",
            seen.took
        );
    }
    for header in [
        "retry-after: 121",
        "retry-after: 9999999999",
        "retry-after: Mon, 01 Jan 2035 00:00:00 GMT",
    ] {
        let busy = Script::status(&format!("429 Too Many Requests\r\n{header}"));
        let seen = call(vec![busy, Script::answer()], RetryPolicy::default(), true);
        assert_eq!(seen.kind(), Some(Kind::RateLimited), "{header}");
        assert_eq!(seen.requests, 1, "{header}");
        assert!(
            seen.error.unwrap().retry_after() > Some(seconds(120)),
            "{header}"
        );
    }
}

#[test]
fn d15_headers_that_never_come() {
    let seen = call(vec![Script::default().hold()], RetryPolicy::never(), true);
    assert_eq!(seen.kind(), Some(Kind::HeadersTimeout));
    assert_eq!(seen.took, seconds(120));
}

#[test]
fn an_answer_in_one_piece_may_take_longer_to_begin() {
    let whole = r#"{"choices":[{"message":{"content":"All"},"finish_reason":"stop"}]}"#;
    let late = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{whole}",
        whole.len()
    );
    let seen = call(
        vec![Script::default().after(seconds(500), late)],
        RetryPolicy::never(),
        false,
    );
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.took, seconds(500));
}

#[test]
fn i01_silence_within_the_answer() {
    let silent = Script::new(HEAD)
        .after(Duration::ZERO, event(&text("Hi")))
        .hold();
    let seen = call(vec![silent], RetryPolicy::default(), true);
    assert_eq!(seen.kind(), Some(Kind::IdleTimeout));
    assert_eq!(seen.took, seconds(120));
    assert_eq!(seen.requests, 1, "a delta had reached the caller");
}

#[test]
fn i02_signs_of_life_without_end() {
    for alive in [
        ": keep-alive\n\n",
        "data:\n\n",
        "\n",
        "data: : PROCESSING\n\n",
    ] {
        let mut script = Script::new(HEAD).after(Duration::ZERO, event(&text("Hi")));
        for _ in 0..100 {
            script = script.after(seconds(15), alive);
        }
        let seen = call(vec![script.hold()], RetryPolicy::default(), true);
        assert_eq!(seen.kind(), Some(Kind::NoProgress), "{alive:?}");
        assert_eq!(seen.took, seconds(600), "{alive:?}");
    }
}

#[test]
fn i02_a_queue_that_ends_in_time_is_fine() {
    let mut script = Script::new(HEAD);
    for _ in 0..35 {
        script = script.after(seconds(15), ": keep-alive\n\n");
    }
    let seen = call(
        vec![script.after(seconds(15), end())],
        RetryPolicy::never(),
        true,
    );
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.took, seconds(540));
}

#[test]
fn i03_a_slow_drip_is_fine() {
    let mut script = Script::new(HEAD);
    for byte in end().chars() {
        script = script.after(seconds(1), byte);
    }
    let seen = call(vec![script], RetryPolicy::never(), true);
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert!(seen.took > seconds(100));
}

#[test]
fn i04_a_long_healthy_answer_has_no_hidden_limit() {
    let mut script = Script::new(HEAD);
    for _ in 0..60 {
        script = script.after(seconds(60), event(&text("on and on ")));
    }
    let seen = call(
        vec![script.after(seconds(60), end())],
        RetryPolicy::never(),
        true,
    );
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.took, seconds(61 * 60));
    let texts = seen
        .events
        .iter()
        .filter(|event| matches!(event, ModelEvent::TextDelta(_)));
    assert_eq!(texts.count(), 61);
}

#[test]
fn a22_the_answer_does_not_wait_for_the_connection_to_close() {
    let open = Script::new(HEAD).after(Duration::ZERO, end()).hold();
    let seen = call(vec![open], RetryPolicy::never(), true);
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.took, Duration::ZERO);
}

#[test]
fn i08_many_callers_do_not_drown_a_server_that_is_down() {
    let det = Det::new(5);
    let requests = start(&det, vec![]);
    let runtime = det.runtime();
    let provider = provider(RetryPolicy::default());
    let failed = det
        .block_on(async {
            let calls = (0..1_000).map(|_| {
                let provider = provider.clone();
                let context = CallContext::new(runtime.clone());
                async move {
                    let request = ModelRequest::new(vec![Message::user("Hello")]);
                    provider.stream(request, context).await.is_err()
                }
            });
            futures_util::future::join_all(calls).await
        })
        .unwrap();
    assert!(failed.iter().all(|failed| *failed));
    let requests = *requests.lock().unwrap();
    assert!((1_000..=1_200).contains(&requests), "{requests}");
}
