//! Requests that take long to go out, or do not get there whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::error::Error;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use agently_api::error::ProviderError;
use agently_api::rt::{BoxIo, Connector, Runtime};
use agently_api::BoxFuture;
use agently_http::{HttpError, HttpErrorKind, Request, Timeouts};
use futures_io::{AsyncRead, AsyncWrite};

use support::{
    builder, client, on_each, runtimes, text, until, with_manual_clock, Conn, Parts, Server,
};

const SECOND: Duration = Duration::from_secs(1);

/// Counts what the client gets rid of.
#[derive(Clone, Debug)]
struct Counting {
    below: Parts,
    written: Arc<AtomicUsize>,
}

impl Connector for Counting {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        Box::pin(async move {
            let stream = self.below.connect(host, port).await?;
            Ok(Box::new(CountingIo(stream, Arc::clone(&self.written))) as BoxIo)
        })
    }
}

struct CountingIo(BoxIo, Arc<AtomicUsize>);

impl AsyncRead for CountingIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for CountingIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.0).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = polled {
            self.1.fetch_add(count, Ordering::SeqCst);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

#[test]
fn an_upload_that_moves_is_no_silence() {
    const STEP: usize = 4 << 20;
    for (_, real) in runtimes() {
        let (timed, clock) = with_manual_clock(&real);
        let written = Arc::new(AtomicUsize::new(0));
        let connector = Counting {
            below: Parts::of(&real),
            written: Arc::clone(&written),
        };
        drop(timed);
        let runtime = Runtime::new(Parts::of(&real), clock.clone(), connector);
        real.block_on(async {
            let (tell, told) = mpsc::channel::<()>();
            let told = Mutex::new(told);
            let server = Server::start(move |_, conn: &mut Conn| {
                let told = told.lock().unwrap();
                let mut sink = vec![0; STEP];
                while told.recv_timeout(Duration::from_secs(10)).is_ok() {
                    conn.stream.read_exact(&mut sink).unwrap();
                }
                conn.wait_closed();
            });
            let request = Request::post(server.url("/")).with_body(vec![b'x'; 20 * STEP]);
            let mut calling = real.spawn({
                let runtime = runtime.clone();
                async move { client().send(&runtime, request).await.unwrap_err() }
            });
            // Far longer than the limit for headers, but something goes out all the time.
            for _ in 0..8 {
                let before = written.load(Ordering::SeqCst);
                tell.send(()).unwrap();
                until(&real, "more goes out", || {
                    written.load(Ordering::SeqCst) > before
                })
                .await;
                clock.advance(100 * SECOND);
            }
            // Nobody reads any more. The system may still take a little now and then.
            let mut error = None;
            for _ in 0..50 {
                clock.advance(120 * SECOND);
                let waited = real.timeout(Duration::from_millis(50), &mut calling).await;
                if let Ok(ended) = waited {
                    error = Some(ended.unwrap());
                    break;
                }
            }
            let error = error.expect("the limit is noticed");
            assert_eq!(error.kind(), HttpErrorKind::HeadersTimeout);
            assert!(!error.maybe_billed(), "half a request is not worked on");
        })
        .unwrap();
    }
}

/// What a server does that refuses a request at its first bytes: its answer is there when the
/// client's next write fails.
struct Refusing {
    answer: &'static [u8],
    failed: bool,
    reader: Option<Waker>,
}

impl AsyncRead for Refusing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if !self.failed {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = io::Write::write(&mut buffer, self.answer)?;
        self.answer = &self.answer[count..];
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Refusing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.failed = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Debug)]
struct ToRefusing(&'static [u8], Arc<AtomicUsize>);

impl Connector for ToRefusing {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            Ok(Box::new(Refusing {
                answer: self.0,
                failed: false,
                reader: None,
            }) as BoxIo)
        })
    }
}

/// Sends a large request twice over one client: what came back, and how many connections it took.
async fn refused(real: &Runtime, answer: &'static str) -> (Vec<Result<String, HttpError>>, usize) {
    let connections = Arc::new(AtomicUsize::new(0));
    let parts = Parts::of(real);
    let connector = ToRefusing(answer.as_bytes(), Arc::clone(&connections));
    let runtime = Runtime::new(parts.clone(), parts, connector);
    let client = client();
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let url = agently_http::Url::parse("http://model.example/").unwrap();
        let request = Request::post(url).with_body(vec![b'x'; 5_000_000]);
        let outcome = match client.send(&runtime, request).await {
            Ok(response) => {
                let status = response.status();
                let body = response.into_body().collect(1_000).await;
                body.map(|body| format!("{status} {}", String::from_utf8_lossy(&body)))
            }
            Err(error) => Err(error),
        };
        outcomes.push(outcome);
    }
    (outcomes, connections.load(Ordering::SeqCst))
}

#[test]
fn an_answer_is_read_although_the_request_could_not_be_written() {
    on_each(|runtime| async move {
        for answer in [
            "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig",
            "HTTP/1.1 413 Too Large\r\n\r\nbig",
            "HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbig\r\n0\r\n\r\n",
        ] {
            let (outcomes, connections) = refused(&runtime, answer).await;
            for outcome in outcomes {
                assert_eq!(outcome.unwrap(), "413 Payload Too Large big", "{answer:?}");
            }
            assert_eq!(connections, 2, "such a connection is not used again");
        }
    });
}

#[test]
fn a_write_that_failed_without_an_answer_is_the_cause() {
    on_each(|runtime| async move {
        let (outcomes, _) = refused(&runtime, "").await;
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Truncated, "{error:?}");
            assert!(!error.maybe_billed());
            let cause = error.source().and_then(Error::source).unwrap();
            let cause = cause.downcast_ref::<io::Error>().unwrap();
            assert_eq!(cause.kind(), io::ErrorKind::BrokenPipe);
        }
        // An answer that was begun and not ended is still a cut one.
        let (outcomes, _) = refused(&runtime, "HTTP/1.1 413 Too Large\r\nContent-").await;
        for outcome in outcomes {
            assert_eq!(outcome.unwrap_err().kind(), HttpErrorKind::Truncated);
        }
    });
}

/// On Linux what was received can be read after a reset; elsewhere it may be gone.
#[cfg(target_os = "linux")]
#[test]
fn a_413_that_is_sent_and_reset_at_once_is_read() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            let mut some = [0; 1_000];
            conn.stream.read_exact(&mut some).unwrap();
            // Closing with unread data resets the connection.
            conn.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
        });
        for _ in 0..20 {
            let request = Request::post(server.url("/")).with_body(vec![b'x'; 10_000_000]);
            let response = client().send(&runtime, request).await.unwrap();
            assert_eq!(response.status(), 413);
            assert_eq!(text(response).await, "big");
        }
    });
}

#[test]
fn what_may_have_been_billed_is_said() {
    on_each(|runtime| async move {
        // The request was taken, and nothing came back.
        let server = Server::start(|_, conn| {
            conn.request();
        });
        let request = Request::post(server.url("/")).with_body("x");
        let error = client().send(&runtime, request).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Truncated);
        assert!(error.maybe_billed());
        assert!(ProviderError::from(error).maybe_billed());

        // The same, and silence.
        let silent = Server::start(|_, conn| {
            conn.request();
            conn.wait_closed();
        });
        let impatient = builder()
            .timeouts(Timeouts::default().with_headers(Duration::from_millis(50)))
            .build()
            .unwrap();
        let error = impatient.send(&runtime, silent.get()).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::HeadersTimeout);
        assert!(error.maybe_billed());

        // An answer that broke off, and one that says that nothing was done.
        for (status, billed) in [("200 OK", true), ("503 Busy", false)] {
            let server = Server::start(move |_, conn| {
                conn.request();
                conn.send(format!("HTTP/1.1 {status}\r\nContent-Length: 9\r\n\r\nabc"));
            });
            let response = client().send(&runtime, server.get()).await.unwrap();
            let error = response.into_body().collect(100).await.unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Truncated);
            assert_eq!(error.maybe_billed(), billed, "{status}");
        }

        // Nobody was there.
        let gone = Request::get(server_that_is_gone());
        let error = client().send(&runtime, gone).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Connect);
        assert!(!error.maybe_billed());
    });
}

fn server_that_is_gone() -> agently_http::Url {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    agently_http::Url::parse(&format!("http://{address}/")).unwrap()
}
