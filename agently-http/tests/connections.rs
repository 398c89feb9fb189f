//! The pool, cancelling, and what a chunk costs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::future::Future;
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use agently_http::{Body, Request};
use futures_core::Stream;

use support::{builder, client, on_each, runtimes, text, until, with_manual_clock, Conn, Server};

/// Answers every request of a connection, until the client closes.
fn polite() -> Server {
    Server::start(|_, conn| {
        while conn.request().is_some() {
            conn.respond("ok");
        }
    })
}

#[test]
fn one_connection_serves_calls_one_after_the_other() {
    on_each(|runtime| async move {
        let server = polite();
        let client = client();
        for _ in 0..20 {
            let response = client.send(&runtime, server.get()).await.unwrap();
            assert_eq!(text(response).await, "ok");
        }
        assert_eq!(server.connections(), 1);
        assert_eq!(server.requests().len(), 20);
    });
}

#[test]
fn chunked_bodies_give_their_connection_back() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            while conn.request().is_some() {
                conn.begin_stream();
                conn.chunk("data: 1\n\n");
                conn.chunk("data: [DONE]\n\n");
                conn.send("0\r\n\r\n");
            }
        });
        let client = client();
        for _ in 0..5 {
            let response = client.send(&runtime, server.get()).await.unwrap();
            assert_eq!(text(response).await, "data: 1\n\ndata: [DONE]\n\n");
        }
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn connection_close_is_obeyed() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            while conn.request().is_some() {
                conn.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        let client = client();
        for _ in 0..3 {
            let response = client.send(&runtime, server.get()).await.unwrap();
            assert_eq!(text(response).await, "ok");
        }
        assert_eq!(server.connections(), 3);
    });
}

#[test]
fn connections_belong_to_their_runtime() {
    let server = polite();
    let client = client();
    for (_, runtime) in runtimes() {
        for _ in 0..2 {
            runtime
                .block_on(async {
                    let response = client.send(&runtime, server.get()).await.unwrap();
                    assert_eq!(text(response).await, "ok");
                })
                .unwrap();
        }
    }
    assert_eq!(server.connections(), 2);
}

#[test]
fn idle_connections_are_bounded_in_number_and_time() {
    for (_, real) in runtimes() {
        let (runtime, clock) = with_manual_clock(&real);
        real.block_on(async {
            let server = polite();
            let client = builder().max_idle_per_host(1).build().unwrap();
            let a = client.send(&runtime, server.get()).await.unwrap();
            let b = client.send(&runtime, server.get()).await.unwrap();
            assert_eq!((text(a).await, text(b).await), ("ok".into(), "ok".into()));
            assert_eq!(server.connections(), 2);
            // One of the two was kept.
            let a = client.send(&runtime, server.get()).await.unwrap();
            let b = client.send(&runtime, server.get()).await.unwrap();
            assert_eq!((text(a).await, text(b).await), ("ok".into(), "ok".into()));
            assert_eq!(server.connections(), 3);
            clock.advance(Duration::from_secs(49));
            let response = client.send(&runtime, server.get()).await.unwrap();
            text(response).await;
            assert_eq!(server.connections(), 3);
            clock.advance(Duration::from_secs(50));
            let response = client.send(&runtime, server.get()).await.unwrap();
            text(response).await;
            assert_eq!(server.connections(), 4);

            let none = builder().max_idle_per_host(0).build().unwrap();
            for _ in 0..2 {
                let response = none.send(&runtime, server.get()).await.unwrap();
                text(response).await;
            }
            assert_eq!(server.connections(), 6);
        })
        .unwrap();
    }
}

/// A server that tells when its client closed, after these bytes.
fn watched(answer: &'static str) -> (Server, mpsc::Receiver<Duration>) {
    let (closed, seen) = mpsc::channel();
    let closed = Mutex::new(closed);
    let server = Server::start(move |_, conn: &mut Conn| {
        if answer != "nothing" {
            conn.request();
            conn.send(answer);
        }
        let waited = conn.wait_closed();
        closed.lock().unwrap().send(waited).unwrap();
    });
    (server, seen)
}

#[test]
fn i06_dropping_closes_the_socket_in_every_state() {
    const HALF_HEAD: &str = "HTTP/1.1 200 OK\r\nContent-";
    const HALF_BODY: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n";
    on_each(|runtime| async move {
        for answer in ["nothing", "", HALF_HEAD, HALF_BODY] {
            let (server, closed) = watched(answer);
            let request = Request::post(server.url("/")).with_body("x".repeat(1000));
            let client = client();
            {
                let mut call = pin!(async {
                    let response = client.send(&runtime, request).await.unwrap();
                    let mut body = response.into_body();
                    assert_eq!(body.next().await.unwrap().unwrap(), "ab");
                    body.next().await.unwrap().unwrap();
                    unreachable!("the body has no end");
                });
                // Far enough that the call waits where the server left it.
                let _ = runtime
                    .timeout(Duration::from_millis(60), call.as_mut())
                    .await;
                assert_eq!(server.connections(), 1);
                assert!(closed.try_recv().is_err(), "open while the call lives");
            }
            let dropped = support::now();
            closed.recv_timeout(Duration::from_secs(5)).unwrap();
            assert!(
                dropped.elapsed() < Duration::from_millis(50),
                "{:?} after {answer:?}",
                dropped.elapsed()
            );
        }
    });
}

#[test]
fn a22_a_body_that_is_done_is_drained_for_reuse_or_closed() {
    const TAIL: &str = "data: [DONE]\n\n";
    on_each(|runtime| async move {
        // The end comes a little later, the end never comes, too much comes.
        for (case, saved) in [("late", true), ("never", false), ("flood", false)] {
            let server = Server::start(move |_, conn: &mut Conn| {
                while conn.request().is_some() {
                    conn.begin_stream();
                    conn.chunk(TAIL);
                    match case {
                        "late" => conn.send("0\r\n\r\n"),
                        "never" => {
                            conn.wait_closed();
                            return;
                        }
                        _ => {
                            for _ in 0..200 {
                                conn.chunk(&"x".repeat(1024));
                            }
                            conn.send("0\r\n\r\n");
                        }
                    }
                }
            });
            let client = client();
            for _ in 0..2 {
                let mut body = client
                    .send(&runtime, server.get())
                    .await
                    .unwrap()
                    .into_body();
                let mut seen = String::new();
                while !seen.contains("[DONE]") {
                    let piece = body.next().await.unwrap().unwrap();
                    seen.push_str(std::str::from_utf8(&piece).unwrap());
                }
                assert_eq!(body.drain_or_close().await, saved, "{case}");
            }
            assert_eq!(server.connections(), if saved { 1 } else { 2 }, "{case}");
        }
    });
}

#[test]
fn finish_now_saves_a_connection_whose_end_is_here() {
    on_each(|runtime| async move {
        let server = Server::start(|_, conn| {
            while conn.request().is_some() {
                conn.send(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n",
                );
            }
        });
        let client = client();
        for _ in 0..5 {
            let mut body = client
                .send(&runtime, server.get())
                .await
                .unwrap()
                .into_body();
            assert_eq!(body.next().await.unwrap().unwrap(), "done");
            assert!(body.finish_now());
        }
        assert_eq!(server.connections(), 1);
    });
}

/// Counts wake-ups on their way to a real task.
struct Counting {
    wakes: AtomicUsize,
    below: Waker,
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.below.wake_by_ref();
    }
}

/// Reads a body to its end and counts how often it was polled.
struct CountPolls {
    body: Body,
    polls: usize,
    pieces: usize,
}

impl Future for CountPolls {
    type Output = (usize, usize);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<(usize, usize)> {
        let this = &mut *self;
        loop {
            this.polls += 1;
            match Pin::new(&mut this.body).poll_next(cx) {
                Poll::Ready(Some(Ok(_))) => this.pieces += 1,
                Poll::Ready(Some(Err(error))) => panic!("{error}"),
                Poll::Ready(None) => return Poll::Ready((this.polls, this.pieces)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[test]
fn a_chunk_costs_two_polls_and_one_wake_up() {
    const CHUNKS: usize = 200;
    on_each(|runtime| async move {
        let (step, steps) = mpsc::channel::<()>();
        let steps = Mutex::new(steps);
        let server = Server::start(move |_, conn: &mut Conn| {
            conn.request();
            conn.begin_stream();
            let steps = steps.lock().unwrap();
            for _ in 0..CHUNKS {
                steps.recv_timeout(Duration::from_secs(10)).unwrap();
                conn.chunk("data: {\"x\":1}\n\n");
            }
            conn.send("0\r\n\r\n");
        });
        let body = client()
            .send(&runtime, server.get())
            .await
            .unwrap()
            .into_body();
        let mut reading = CountPolls {
            body,
            polls: 0,
            pieces: 0,
        };
        let mut counting = None::<Arc<Counting>>;
        let mut sent = 0;
        // The next chunk is sent only when the reader waits: every chunk is one wait.
        let (polls, pieces) = std::future::poll_fn(|cx| {
            let counting = counting.get_or_insert_with(|| {
                Arc::new(Counting {
                    wakes: AtomicUsize::new(0),
                    below: cx.waker().clone(),
                })
            });
            let waker = Waker::from(Arc::clone(counting));
            let polled = Pin::new(&mut reading).poll(&mut Context::from_waker(&waker));
            if polled.is_pending() && reading.pieces == sent && sent < CHUNKS {
                sent += 1;
                step.send(()).unwrap();
            }
            polled
        })
        .await;
        let wakes = counting.unwrap().wakes.load(Ordering::SeqCst);
        println!("{polls} polls and {wakes} wake-ups for {pieces} chunks");
        assert_eq!(pieces, CHUNKS);
        // One poll takes the chunk, one finds nothing more; a few for the beginning and the end.
        assert!(polls <= 2 * CHUNKS + 20, "{polls} polls");
        assert!(wakes <= CHUNKS + 20, "{wakes} wake-ups");
    });
}

#[test]
fn i05_a_reader_that_stops_stops_the_server() {
    on_each(|runtime| async move {
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&sent);
        let server = Server::start(move |_, conn: &mut Conn| {
            conn.request();
            conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
            let block = vec![b'x'; 64 * 1024];
            while conn.stream.write_all(&block).is_ok() {
                counter.fetch_add(block.len(), Ordering::SeqCst);
            }
        });
        let mut body = client()
            .send(&runtime, server.get())
            .await
            .unwrap()
            .into_body();
        body.next().await.unwrap().unwrap();
        // What the server gets rid of is what the system's socket buffers take, and no more.
        let mut last = usize::MAX;
        let mut quiet = 0;
        until(&runtime, "the server is held up", || {
            let now = sent.load(Ordering::SeqCst);
            quiet = if now == last { quiet + 1 } else { 0 };
            last = now;
            quiet > 100
        })
        .await;
        assert!(last < 64 * 1024 * 1024, "{last} bytes went through");
        assert!(body.bytes_received() <= 64 * 1024);
    });
}
