//! Limits that hold although the next piece is always there already.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::future::Future;
use std::time::Duration;

use agently_api::rt::Runtime;
use agently_http::{Body, CallOptions, HttpErrorKind, Timeouts};
use agently_testkit::clock::ManualClock;

use support::{client, runtimes, with_manual_clock, Conn, Server};

const SECOND: Duration = Duration::from_secs(1);
const PING: &str = ": ping\n\n";

/// Runs a test on both backends with virtual time.
fn on_each<F: Future<Output = ()>>(test: impl Fn(Runtime, ManualClock) -> F) {
    for (_, real) in runtimes() {
        let (runtime, clock) = with_manual_clock(&real);
        real.block_on(test(runtime, clock)).unwrap();
    }
}

/// Sends all of its chunks in one write, and never the last.
fn flooding(chunks: usize) -> Server {
    Server::start(move |_, conn: &mut Conn| {
        conn.request();
        let chunk = format!("{:x}\r\n{PING}\r\n", PING.len());
        conn.send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()
                + &chunk.repeat(chunks),
        );
        conn.wait_closed();
    })
}

async fn piece(body: &mut Body) -> Result<(), agently_http::HttpError> {
    body.next().await.expect("no end").map(|_| ())
}

#[test]
fn a_deadline_holds_while_data_is_ready() {
    on_each(|runtime, clock| async move {
        let total = Timeouts::default().with_total(5 * SECOND);
        for options in [
            CallOptions::default().with_deadline(runtime.now() + 5 * SECOND),
            CallOptions::default().with_timeouts(total),
        ] {
            let server = flooding(1_000);
            let response = client().send_with(&runtime, server.get(), options).await;
            let mut body = response.unwrap().into_body();
            piece(&mut body).await.unwrap();
            clock.advance(4 * SECOND);
            piece(&mut body).await.unwrap();
            clock.advance(SECOND);
            let error = piece(&mut body).await.unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Deadline);
            assert!(!error.is_retryable());
            assert!(body.next().await.is_none());
        }
    });
}

#[test]
fn i02_a_flood_of_keep_alives_is_no_progress() {
    on_each(|runtime, clock| async move {
        let server = flooding(1_000);
        let response = client().send(&runtime, server.get()).await.unwrap();
        let mut body = response.into_body();
        body.watch_progress();
        let mut pieces = 0;
        let error = loop {
            match piece(&mut body).await {
                Ok(()) => pieces += 1,
                Err(error) => break error,
            }
            clock.advance(SECOND * 9 / 10);
        };
        assert_eq!(error.kind(), HttpErrorKind::NoProgress);
        // 600 s in steps of 0.9 s, the first of them at the beginning.
        assert!((667..=668).contains(&pieces), "{pieces}");
    });
}

#[test]
fn progress_among_a_flood_keeps_a_stream_alive() {
    on_each(|runtime, clock| async move {
        let server = flooding(2_000);
        let response = client().send(&runtime, server.get()).await.unwrap();
        let mut body = response.into_body();
        body.watch_progress();
        for number in 0..2_000 {
            piece(&mut body).await.unwrap();
            if number % 600 == 0 {
                body.note_progress();
            }
            clock.advance(SECOND * 9 / 10);
        }
        assert!(clock.elapsed() > 1_700 * SECOND);
    });
}

#[test]
fn a_reader_that_was_away_finds_its_keep_alives_and_no_error() {
    on_each(|runtime, clock| async move {
        let server = flooding(10);
        let response = client().send(&runtime, server.get()).await.unwrap();
        let mut body = response.into_body();
        body.watch_progress();
        for _ in 0..10 {
            piece(&mut body).await.unwrap();
            clock.advance(3_600 * SECOND);
        }
    });
}
