//! Idle connections: who closes them, when, and what they keep alive.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::future::pending;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::Mutex;
use std::time::Duration;

use agently_api::rt::Runtime;
use agently_http::Client;

use support::{builder, runtimes, text, until, with_manual_clock, Conn, Server};

const SECOND: Duration = Duration::from_secs(1);

/// Answers every request, and tells when a client has closed its connection.
fn telling() -> (Server, Receiver<usize>) {
    let (closed, seen) = mpsc::channel();
    let closed = Mutex::new(closed);
    let server = Server::start(move |number, conn: &mut Conn| {
        while conn.request().is_some() {
            conn.respond("ok");
        }
        closed.lock().unwrap().send(number).unwrap();
    });
    (server, seen)
}

async fn call(client: &Client, runtime: &Runtime, server: &Server) {
    let response = client.send(runtime, server.get()).await.unwrap();
    assert_eq!(text(response).await, "ok");
}

fn client() -> Client {
    builder().idle_timeout(50 * SECOND).build().unwrap()
}

fn is_open(seen: &Receiver<usize>) -> bool {
    seen.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout)
}

#[test]
fn a_connection_that_nobody_comes_back_for_is_closed() {
    for (_, real) in runtimes() {
        let (runtime, clock) = with_manual_clock(&real);
        let (server, seen) = telling();
        let client = client();
        real.block_on(async {
            for round in 0..3 {
                for _ in 0..10 {
                    call(&client, &runtime, &server).await;
                }
                assert_eq!(server.connections(), round + 1);
                until(&real, "one task sleeps", || clock.sleepers() == 1).await;
                clock.advance(49 * SECOND);
                assert!(is_open(&seen));
                clock.advance(SECOND);
                assert_eq!(seen.recv_timeout(5 * SECOND).unwrap(), round);
                until(&real, "nothing sleeps", || clock.sleepers() == 0).await;
            }
        })
        .unwrap();
    }
}

#[test]
fn each_connection_has_its_own_time() {
    for (_, real) in runtimes() {
        let (runtime, clock) = with_manual_clock(&real);
        let (first, first_seen) = telling();
        let (second, second_seen) = telling();
        let client = client();
        real.block_on(async {
            call(&client, &runtime, &first).await;
            until(&real, "one task sleeps", || clock.sleepers() == 1).await;
            clock.advance(30 * SECOND);
            call(&client, &runtime, &second).await;
            clock.advance(20 * SECOND);
            first_seen.recv_timeout(5 * SECOND).unwrap();
            assert!(is_open(&second_seen));
            until(&real, "one task sleeps", || clock.sleepers() == 1).await;
            clock.advance(30 * SECOND);
            second_seen.recv_timeout(5 * SECOND).unwrap();
        })
        .unwrap();
    }
}

#[test]
fn each_runtime_has_its_own_clock() {
    for (_, real) in runtimes() {
        let (here, clock) = with_manual_clock(&real);
        let (there, other_clock) = with_manual_clock(&real);
        let (server, seen) = telling();
        let client = client();
        real.block_on(async {
            call(&client, &here, &server).await;
            other_clock.advance(3_600 * SECOND);
            call(&client, &there, &server).await;
            assert_eq!(server.connections(), 2);
            assert!(is_open(&seen), "an hour there is no time here");
            until(&real, "one task sleeps", || clock.sleepers() == 1).await;
            clock.advance(50 * SECOND);
            assert_eq!(seen.recv_timeout(5 * SECOND).unwrap(), 0);
            assert!(is_open(&seen));
        })
        .unwrap();
    }
}

#[test]
fn a_shutdown_closes_the_connections_of_its_runtime() {
    let client = client();
    let (server, seen) = telling();

    let tokio = agently_backend_tokio::Tokio::new().unwrap();
    let runtime = tokio.runtime();
    let once = |runtime: &Runtime| {
        runtime
            .block_on(call(&client, runtime, &server))
            .expect("a plain thread");
    };
    once(&runtime);
    assert!(is_open(&seen));
    tokio.shutdown();
    assert_eq!(seen.recv_timeout(5 * SECOND).unwrap(), 0);

    let smol = agently_backend_smol::Smol::new().unwrap();
    let runtime = smol.runtime();
    once(&runtime);
    assert!(is_open(&seen));
    smol.shutdown();
    assert_eq!(seen.recv_timeout(5 * SECOND).unwrap(), 1);
}

#[test]
fn a_closed_client_closes_its_idle_connections_at_once() {
    for (_, runtime) in runtimes() {
        let (server, seen) = telling();
        let client = client();
        runtime
            .block_on(call(&client, &runtime, &server))
            .expect("a plain thread");
        assert!(is_open(&seen));
        drop(client);
        seen.recv_timeout(5 * SECOND).unwrap();
    }
}

/// Tells when it is dropped.
struct Alarm(Sender<()>);

impl Drop for Alarm {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_pooled_connection_does_not_keep_its_runtime() {
    let short = Duration::from_millis(100);
    let client = builder().idle_timeout(short).build().unwrap();
    let (server, _seen) = telling();
    let own: [Runtime; 2] = [
        agently_backend_tokio::Tokio::new().unwrap().runtime(),
        agently_backend_smol::Smol::new().unwrap().runtime(),
    ];
    for runtime in own {
        let (over, is_over) = mpsc::channel();
        let alarm = Alarm(over);
        runtime
            .spawn(async move {
                let _alarm = alarm;
                pending::<()>().await;
            })
            .detach();
        runtime
            .block_on(call(&client, &runtime, &server))
            .expect("a plain thread");
        drop(runtime);
        is_over.recv_timeout(5 * SECOND).unwrap();
    }
    drop(client);
}
