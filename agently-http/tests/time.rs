//! Time limits, on a virtual clock over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use agently_api::rt::{BoxIo, Connector, Runtime, Task};
use agently_api::BoxFuture;
use agently_http::{Body, CallOptions, HttpErrorKind, Request, Timeouts, Url};
use agently_testkit::clock::ManualClock;
use futures_core::Stream;

use support::{builder, client, runtimes, until, with_manual_clock, Conn, Server};

const SECOND: Duration = Duration::from_secs(1);

/// Runs a test on both backends with virtual time. The test gets the backend for real waits too.
fn on_each<F: Future<Output = ()>>(test: impl Fn(Runtime, Runtime, ManualClock) -> F) {
    for (_, real) in runtimes() {
        let (runtime, clock) = with_manual_clock(&real);
        real.block_on(test(real.clone(), runtime, clock)).unwrap();
    }
}

/// Work in the background whose end can be asked for.
struct Watched<T> {
    result: Arc<Mutex<Option<T>>>,
    _task: Task<()>,
}

impl<T: Send + 'static> Watched<T> {
    fn start(real: &Runtime, work: impl Future<Output = T> + Send + 'static) -> Self {
        let result = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&result);
        let task = real.spawn(async move {
            let done = work.await;
            *slot.lock().unwrap() = Some(done);
        });
        Self {
            result,
            _task: task,
        }
    }

    fn is_over(&self) -> bool {
        self.result.lock().unwrap().is_some()
    }

    async fn result(self, real: &Runtime) -> T {
        until(real, "the work is over", || self.is_over()).await;
        self.result.lock().unwrap().take().unwrap()
    }
}

/// Once the work has `begun` to wait for what the test is about, moves time in small steps until it
/// is over, and says when it was, with what it gave.
async fn run_until_over<T: Send + 'static>(
    real: &Runtime,
    clock: &ManualClock,
    step: Duration,
    begun: impl Fn() -> bool,
    work: impl Future<Output = T> + Send + 'static,
) -> (T, Duration) {
    let start = clock.elapsed();
    let work = Watched::start(real, work);
    until(real, "the work has begun to wait", || {
        begun() && clock.sleepers() > 0
    })
    .await;
    for _ in 0..100_000 {
        until(real, "the work waits or is over", || {
            clock.sleepers() > 0 || work.is_over()
        })
        .await;
        if work.is_over() {
            let over = clock.elapsed() - start;
            return (work.result(real).await, over);
        }
        clock.advance(step);
    }
    panic!("never over");
}

/// Polls a body that has nothing to give, so that its wait begins now and not when a task gets to it.
async fn begin_to_wait(body: &mut Body) {
    poll_fn(|cx| {
        assert!(Pin::new(&mut *body).poll_next(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

fn silent_after(head: &'static str) -> Server {
    Server::start(move |_, conn: &mut Conn| {
        conn.request();
        conn.send(head);
        conn.wait_closed();
    })
}

fn timeouts() -> Timeouts {
    Timeouts::default()
}

/// Within 5 % above, never below.
fn assert_about(over: Duration, limit: Duration) {
    assert!(over >= limit, "{over:?} is before {limit:?}");
    assert!(
        over <= limit.mul_f64(1.05),
        "{over:?} is long after {limit:?}"
    );
}

#[test]
fn d15_headers_that_never_come() {
    on_each(|real, runtime, clock| async move {
        let server = silent_after("");
        let request = server.get();
        let sent = || server.requests().len() == 1;
        let (error, over) = run_until_over(&real, &clock, SECOND / 2, sent, async move {
            client().send(&runtime, request).await.unwrap_err()
        })
        .await;
        assert_eq!(error.kind(), HttpErrorKind::HeadersTimeout);
        assert!(error.is_retryable());
        assert_about(over, 120 * SECOND);
    });
}

#[test]
fn i01_silence_in_the_body() {
    on_each(|real, runtime, clock| async move {
        let server =
            silent_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
        let response = client().send(&runtime, server.get()).await.unwrap();
        let mut body = response.into_body();
        assert_eq!(body.next().await.unwrap().unwrap(), "ab");
        begin_to_wait(&mut body).await;
        let (error, over) = run_until_over(&real, &clock, SECOND / 2, || true, async move {
            let error = body.next().await.unwrap().unwrap_err();
            assert!(body.next().await.is_none());
            error
        })
        .await;
        assert_eq!(error.kind(), HttpErrorKind::IdleTimeout);
        assert_eq!(error.bytes_received(), 2);
        assert!(error.is_retryable());
        assert_about(over, 120 * SECOND);
    });
}

#[test]
fn the_first_byte_has_a_limit_of_its_own() {
    on_each(|real, runtime, clock| async move {
        let server = silent_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let client = builder()
            .timeouts(timeouts().with_first_byte(30 * SECOND))
            .build()
            .unwrap();
        let mut body = client
            .send(&runtime, server.get())
            .await
            .unwrap()
            .into_body();
        begin_to_wait(&mut body).await;
        let (error, over) = run_until_over(&real, &clock, SECOND / 10, || true, async move {
            body.next().await.unwrap().unwrap_err()
        })
        .await;
        assert_eq!(error.kind(), HttpErrorKind::IdleTimeout);
        assert_about(over, 30 * SECOND);
    });
}

/// Sends a chunk whenever it is told to, for as long as the client is there.
fn dripping() -> (Server, std::sync::mpsc::Sender<&'static str>) {
    let (tell, told) = std::sync::mpsc::channel::<&'static str>();
    let told = Mutex::new(told);
    let server = Server::start(move |_, conn: &mut Conn| {
        conn.request();
        conn.begin_stream();
        let told = told.lock().unwrap();
        while let Ok(text) = told.recv_timeout(10 * SECOND) {
            conn.chunk(text);
        }
    });
    (server, tell)
}

#[test]
fn i03_i04_a_slow_stream_may_last_for_hours() {
    on_each(|real, runtime, clock| async move {
        let (server, tell) = dripping();
        let response = client().send(&runtime, server.get()).await.unwrap();
        let mut body = response.into_body();
        for _ in 0..100 {
            // Each wait is just under the idle limit: in all it is more than three hours.
            let task = real.spawn(async move {
                let piece = body.next().await.unwrap().unwrap();
                (body, piece)
            });
            until(&real, "the body waits", || clock.sleepers() == 1).await;
            clock.advance(119 * SECOND);
            tell.send("x").unwrap();
            let (back, piece) = task.await.unwrap();
            assert_eq!(piece, "x");
            body = back;
        }
        assert!(clock.elapsed() > 3 * 3600 * SECOND);
        assert_eq!(body.bytes_received(), 100);
    });
}

#[test]
fn a_reader_that_takes_its_time_is_not_the_servers_silence() {
    on_each(|real, runtime, clock| async move {
        let (server, tell) = dripping();
        let mut body = client()
            .send(&runtime, server.get())
            .await
            .unwrap()
            .into_body();
        let task = real.spawn(async move {
            body.next().await.unwrap().unwrap();
            body
        });
        tell.send("a").unwrap();
        let mut body = task.await.unwrap();
        // The reader is busy for an hour, then waits for something that is still to come.
        clock.advance(3600 * SECOND);
        let task = real.spawn(async move { body.next().await.unwrap() });
        until(&real, "the body waits", || clock.sleepers() >= 1).await;
        tell.send("b").unwrap();
        assert_eq!(task.await.unwrap().unwrap(), "b");
    });
}

async fn keep_alives(
    real: &Runtime,
    clock: &ManualClock,
    tell: &std::sync::mpsc::Sender<&'static str>,
    mut body: Body,
    progress: bool,
) -> (Body, Option<agently_http::HttpError>) {
    let start = clock.elapsed();
    body.watch_progress();
    for _ in 0..20 {
        // Before time moves: what passes before a read is the reader's own.
        begin_to_wait(&mut body).await;
        let reading = Watched::start(real, async move {
            let item = body.next().await.unwrap();
            (body, item)
        });
        until(real, "the body waits", || clock.sleepers() == 1).await;
        clock.advance(60 * SECOND);
        // A keep-alive comes each minute. One that comes after the client has gone does no harm.
        if !progress && clock.elapsed() - start >= 600 * SECOND {
            until(real, "the limit is noticed", || reading.is_over()).await;
        } else {
            tell.send(": ping\n\n").unwrap();
        }
        let (back, item) = reading.result(real).await;
        body = back;
        match item {
            Ok(_) if progress => body.note_progress(),
            Ok(_) => {}
            Err(error) => return (body, Some(error)),
        }
    }
    (body, None)
}

#[test]
fn i02_keep_alives_are_no_progress() {
    on_each(|real, runtime, clock| async move {
        let (server, tell) = dripping();
        let body = client()
            .send(&runtime, server.get())
            .await
            .unwrap()
            .into_body();
        let start = clock.elapsed();
        let (_, error) = keep_alives(&real, &clock, &tell, body, false).await;
        let error = error.expect("an error");
        assert_eq!(error.kind(), HttpErrorKind::NoProgress);
        assert_about(clock.elapsed() - start, 600 * SECOND);
    });
}

#[test]
fn noted_progress_keeps_a_stream_alive() {
    on_each(|real, runtime, clock| async move {
        let (server, tell) = dripping();
        let body = client()
            .send(&runtime, server.get())
            .await
            .unwrap()
            .into_body();
        let (body, error) = keep_alives(&real, &clock, &tell, body, true).await;
        assert!(error.is_none(), "{error:?}");
        assert!(!body.is_ended());
        assert!(clock.elapsed() >= 1200 * SECOND);
    });
}

#[test]
fn a_deadline_ends_the_headers_and_the_body() {
    on_each(|real, runtime, clock| async move {
        let deadline = || CallOptions::default().with_deadline(runtime.now() + 7 * SECOND);

        let server = silent_after("");
        let (options, request, runtime2) = (deadline(), server.get(), runtime.clone());
        let sent = || server.requests().len() == 1;
        let (error, over) = run_until_over(&real, &clock, SECOND / 10, sent, async move {
            client()
                .send_with(&runtime2, request, options)
                .await
                .unwrap_err()
        })
        .await;
        assert_eq!(error.kind(), HttpErrorKind::Deadline);
        assert!(!error.is_retryable());
        assert_about(over, 7 * SECOND);

        let server = silent_after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
        let response = client()
            .send_with(&runtime, server.get(), deadline())
            .await
            .unwrap();
        let (error, over) = run_until_over(&real, &clock, SECOND / 10, || true, async move {
            response.into_body().collect(100).await.unwrap_err()
        })
        .await;
        assert_eq!(error.kind(), HttpErrorKind::Deadline);
        assert_about(over, 7 * SECOND);
    });
}

#[test]
fn a_total_limit_counts_from_the_start_of_the_call() {
    on_each(|real, runtime, clock| async move {
        let server = silent_after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
        let request = server.get();
        let options = CallOptions::default().with_timeouts(timeouts().with_total(20 * SECOND));
        let response = client()
            .send_with(&runtime, request, options)
            .await
            .unwrap();
        let (error, over) = run_until_over(&real, &clock, SECOND / 10, || true, async move {
            response.into_body().collect(100).await.unwrap_err()
        })
        .await;
        assert_eq!(error.kind(), HttpErrorKind::Deadline);
        assert_about(over, 20 * SECOND);
    });
}

#[test]
fn a_deadline_that_has_passed_sends_nothing() {
    on_each(|_, runtime, clock| async move {
        clock.advance(SECOND);
        let server = silent_after("");
        let options = CallOptions::default().with_deadline(runtime.now());
        let error = client()
            .send_with(&runtime, server.get(), options)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Deadline);
        assert_eq!(server.connections(), 0);
    });
}

/// Connects to nowhere, for ever.
#[derive(Debug)]
struct BlackHole;

impl Connector for BlackHole {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, std::io::Result<BoxIo>> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn c19_a_connection_that_never_comes() {
    on_each(|real, runtime, clock| async move {
        let parts = support::Parts::of(&real);
        let nowhere = Runtime::new(parts, clock.clone(), BlackHole);
        drop(runtime);
        let (error, over) = run_until_over(&real, &clock, SECOND / 10, || true, async move {
            let url = Url::parse("http://10.0.0.1:81/").unwrap();
            client()
                .send(&nowhere, Request::get(url))
                .await
                .unwrap_err()
        })
        .await;
        assert_eq!(error.kind(), HttpErrorKind::Connect);
        assert!(error.is_retryable());
        assert!(error.to_string().contains("10.0.0.1:81"), "{error}");
        assert!(error.to_string().contains("10s"), "{error}");
        assert_about(over, 10 * SECOND);
    });
}
