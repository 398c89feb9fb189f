//! The deterministic runtime: order, time, network, and what it says when it is stuck.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::future::{pending, poll_fn};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use agently_api::rt::{JoinErrorKind, Runtime};
use agently_testkit::det::{Det, StuckKind};
use futures_channel::{mpsc, oneshot};
use futures_util::{AsyncReadExt, AsyncWriteExt, StreamExt};

const SECOND: Duration = Duration::from_secs(1);

type Log = Arc<Mutex<Vec<String>>>;

/// Tasks, timers, channels, blocking jobs and sockets, all at once. Gives what was seen, in order.
fn scenario(det: &Det) -> Vec<String> {
    let runtime = det.runtime();
    let log: Log = Arc::default();
    let mut listener = det.listen("server", 80).unwrap();
    let server = runtime.spawn(async move {
        for _ in 0..3 {
            let mut stream = listener.accept().await.unwrap();
            let mut buf = [0; 16];
            loop {
                let count = stream.read(&mut buf).await.unwrap();
                if count == 0 {
                    break;
                }
                stream.write_all(&buf[..count]).await.unwrap();
            }
        }
    });
    let clients: Vec<_> = (0..3)
        .map(|client| {
            let (runtime, log) = (runtime.clone(), Arc::clone(&log));
            runtime.clone().spawn(async move {
                let mut stream = runtime.connector().connect("server", 80).await.unwrap();
                stream.write_all(b"a message in parts").await.unwrap();
                stream.close().await.unwrap();
                let mut buf = [0; 64];
                loop {
                    let count = stream.read(&mut buf).await.unwrap();
                    log.lock()
                        .unwrap()
                        .push(format!("client {client} read {count}"));
                    if count == 0 {
                        return;
                    }
                }
            })
        })
        .collect();
    let sleepers: Vec<_> = (0..8)
        .map(|sleeper| {
            let (inner, log) = (runtime.clone(), Arc::clone(&log));
            runtime.spawn(async move {
                let began = inner.now();
                inner.sleep(SECOND * (sleeper % 3)).await;
                inner
                    .spawn_blocking({
                        let log = Arc::clone(&log);
                        move || log.lock().unwrap().push(format!("job {sleeper}"))
                    })
                    .await
                    .unwrap();
                let slept = inner.now() - began;
                log.lock()
                    .unwrap()
                    .push(format!("sleeper {sleeper} {slept:?}"));
            })
        })
        .collect();
    det.block_on(async {
        for task in clients.into_iter().chain(sleepers).chain([server]) {
            task.await.unwrap();
        }
    })
    .unwrap();
    let log = log.lock().unwrap();
    log.clone()
}

#[test]
fn one_seed_gives_one_order() {
    let mut orders = BTreeSet::new();
    for seed in 0..200 {
        let (first, second) = (Det::new(seed), Det::new(seed));
        let order = scenario(&first);
        assert_eq!(order, scenario(&second), "seed {seed}");
        assert_eq!(first.fingerprint(), second.fingerprint(), "seed {seed}");
        assert_eq!(first.elapsed(), second.elapsed(), "seed {seed}");
        orders.insert(order);
    }
    assert!(orders.len() > 190, "only {} different orders", orders.len());
}

#[test]
fn every_order_of_two_tasks_is_found() {
    let winner = |seed| {
        let det = Det::new(seed);
        let (sender, mut receiver) = mpsc::unbounded();
        for number in 0..2 {
            let sender = sender.clone();
            let send = async move { sender.unbounded_send(number).unwrap() };
            det.runtime().spawn(send).detach();
        }
        det.block_on(receiver.next()).unwrap().unwrap()
    };
    let winners: BTreeSet<_> = (0..50).map(winner).collect();
    assert_eq!(winners, BTreeSet::from([0, 1]));
}

#[test]
fn time_jumps_to_the_next_timer_and_no_further() {
    let det = Det::new(1);
    let runtime = det.runtime();
    let wall = runtime.wall();
    let times = det.block_on(async {
        let mut times = Vec::new();
        for seconds in [3, 1, 86_400] {
            runtime.sleep(SECOND * seconds).await;
            times.push(det.elapsed().as_secs());
        }
        times
    });
    assert_eq!(times.unwrap(), [3, 4, 86_404]);
    assert_eq!(
        runtime.wall().duration_since(wall).unwrap(),
        SECOND * 86_404
    );
}

#[test]
fn time_stands_still_while_anything_is_ready() {
    let det = Det::new(1);
    let runtime = det.runtime();
    det.block_on(async {
        let timer = runtime.spawn(runtime.sleep(SECOND));
        for _ in 0..1000 {
            yield_now().await;
            assert_eq!(det.elapsed(), Duration::ZERO);
        }
        timer.await.unwrap();
        assert_eq!(det.elapsed(), SECOND);
    })
    .unwrap();
}

#[test]
fn timeouts_are_virtual() {
    let det = Det::new(1);
    let runtime = det.runtime();
    let limited = det.block_on(runtime.timeout(SECOND * 3600, pending::<()>()));
    assert!(limited.unwrap().is_err());
    assert_eq!(det.elapsed(), SECOND * 3600);
}

#[test]
fn a_deadlock_is_named_with_its_seed() {
    let det = Det::new(77);
    let (_held, never) = oneshot::channel::<()>();
    det.runtime().spawn(never).detach();
    let stuck = det.block_on(pending::<()>()).unwrap_err();
    assert_eq!(stuck.kind(), StuckKind::Deadlock);
    assert_eq!(stuck.seed(), 77);
    let message = stuck.to_string();
    assert!(message.contains("deadlock with seed 77"), "{message}");
    assert!(message.contains("1 tasks"), "{message}");
}

#[test]
fn a_sleep_for_ever_is_a_deadlock() {
    let det = Det::new(1);
    let stuck = det
        .block_on(det.runtime().sleep(Duration::MAX))
        .unwrap_err();
    assert_eq!(stuck.kind(), StuckKind::Deadlock);
}

#[test]
fn a_livelock_is_named() {
    let det = Det::new(1);
    let stuck = det
        .block_on(async {
            loop {
                yield_now().await;
            }
        })
        .map(|never: ()| never)
        .unwrap_err();
    assert_eq!(stuck.kind(), StuckKind::Livelock);
}

#[test]
fn nesting_is_refused() {
    let det = Det::new(1);
    let inner = det.block_on(async { det.block_on(async {}) }).unwrap();
    assert_eq!(inner.unwrap_err().kind(), StuckKind::Nested);
    assert!(det.block_on(async {}).is_ok(), "it works again afterwards");
}

#[test]
fn blocking_calls_are_refused_instead_of_hanging() {
    let det = Det::new(1);
    let runtime = det.runtime();
    assert!(runtime.block_on(async {}).is_err());
    let inner = runtime.clone();
    let job = runtime.spawn_blocking(move || inner.block_on(async {}).is_err());
    assert!(det.block_on(job).unwrap().unwrap());
}

#[test]
fn tasks_live_on_between_two_runs() {
    let det = Det::new(1);
    let runtime = det.runtime();
    let inner = runtime.clone();
    let task = runtime.spawn(async move {
        inner.sleep(SECOND * 5).await;
        "done"
    });
    det.block_on(runtime.sleep(SECOND)).unwrap();
    assert_eq!(det.block_on(task).unwrap().unwrap(), "done");
    assert_eq!(det.elapsed(), SECOND * 5);
}

#[test]
fn tasks_are_cancelled_panics_are_caught_and_shutdown_refuses() {
    let det = Det::new(1);
    let runtime = det.runtime();
    let (held, gone) = oneshot::channel::<()>();
    let dropped = runtime.spawn(async move {
        let _held = held;
        pending::<()>().await;
    });
    drop(dropped);
    assert!(det.block_on(gone).unwrap().is_err());

    let panicking = runtime.spawn(async { std::panic::resume_unwind(Box::new("planned")) });
    let outcome: Result<(), _> = det.block_on(panicking).unwrap();
    assert_eq!(outcome.unwrap_err().kind(), JoinErrorKind::Panicked);

    let running = runtime.spawn(pending::<()>());
    det.shutdown();
    let kind = det.block_on(running).unwrap().unwrap_err().kind();
    assert_eq!(kind, JoinErrorKind::Cancelled);
    let kind = det
        .block_on(runtime.spawn(async {}))
        .unwrap()
        .unwrap_err()
        .kind();
    assert_eq!(kind, JoinErrorKind::Refused);
}

#[test]
fn dropping_it_drops_its_tasks_though_they_hold_its_runtime() {
    let (held, mut gone) = oneshot::channel::<()>();
    let det = Det::new(1);
    let runtime: Runtime = det.runtime();
    let inner = runtime.clone();
    runtime
        .spawn(async move {
            let _held = (held, inner);
            pending::<()>().await;
        })
        .detach();
    drop(det);
    assert!(gone.try_recv().is_err(), "the future is still there");
}

#[test]
fn the_network_refuses_what_nobody_opened() {
    let det = Det::new(1);
    let runtime = det.runtime();
    let connect = |host: &'static str, port| {
        let outcome = det
            .block_on(runtime.connector().connect(host, port))
            .unwrap();
        outcome.err().map(|error| error.kind())
    };
    assert_eq!(connect("server", 80), Some(ErrorKind::NotFound));
    let listener = det.listen("server", 80).unwrap();
    assert_eq!(connect("server", 80), None);
    assert_eq!(connect("server", 81), Some(ErrorKind::ConnectionRefused));
    let twice = det.listen("server", 80).unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AddrInUse);
    drop(listener);
    assert_eq!(connect("server", 80), Some(ErrorKind::NotFound));
}

#[test]
fn reads_are_cut_at_places_that_the_seed_chooses() {
    let cuts = |seed| {
        let det = Det::new(seed);
        let runtime = det.runtime();
        let mut listener = det.listen("server", 80).unwrap();
        det.block_on(async {
            let mut client = runtime.connector().connect("server", 80).await.unwrap();
            let mut server = listener.accept().await.unwrap();
            client.write_all(&[7; 100]).await.unwrap();
            drop(client);
            let (mut cuts, mut buf) = (Vec::new(), [0; 1000]);
            loop {
                let count = server.read(&mut buf).await.unwrap();
                if count == 0 {
                    return cuts;
                }
                cuts.push(count);
            }
        })
        .unwrap()
    };
    let all: BTreeSet<_> = (0..20).map(cuts).collect();
    assert!(all.iter().all(|cuts| cuts.iter().sum::<usize>() == 100));
    assert!(all.len() > 10, "{all:?}");
}

#[test]
fn a_full_pipe_waits_and_a_dropped_end_breaks_it() {
    let det = Det::new(1);
    let (mut near, mut far) = agently_testkit::pipe::duplex(4);
    det.block_on(async {
        let writing = det.runtime().spawn(async move {
            near.write_all(b"more than four").await.unwrap();
            near
        });
        let mut all = [0; 14];
        far.read_exact(&mut all).await.unwrap();
        assert_eq!(&all, b"more than four");
        let mut near = writing.await.unwrap();
        drop(far);
        let broken = near.write_all(b"x").await.unwrap_err();
        assert_eq!(broken.kind(), ErrorKind::BrokenPipe);
        assert_eq!(near.read(&mut all).await.unwrap(), 0);
    })
    .unwrap();
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
