use std::future::{pending, poll_fn};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use agently_api::rt::JoinErrorKind;
use futures_channel::{mpsc, oneshot};
use futures_util::StreamExt;

use super::Subject;
use crate::conformance::{ensure, same, wrong, Verified};
use crate::sync::lock;

pub(super) fn spawn_gives_the_result(subject: &mut Subject) -> Verified {
    let outcome = subject.wait(subject.runtime.spawn(async { 6 * 7 }))?;
    same("the task's result", outcome.ok(), Some(42))
}

pub(super) fn a_panic_is_an_error_value(subject: &mut Subject) -> Verified {
    // Without the panic hook, which would print.
    let task = subject
        .runtime
        .spawn(async { resume_unwind(Box::new("the planned panic")) });
    let error: Result<(), _> = subject.wait(task)?;
    let error = error.err().ok_or_else(|| wrong("the panic was lost"))?;
    same("the kind", error.kind(), JoinErrorKind::Panicked)?;
    ensure(
        error.to_string().contains("the planned panic"),
        "the error does not have the panic's message",
    )?;
    spawn_gives_the_result(subject)
}

pub(super) fn dropping_the_task_drops_its_future(subject: &mut Subject) -> Verified {
    let (started, has_started) = oneshot::channel();
    let (held, gone) = oneshot::channel::<()>();
    let task = subject.runtime.spawn(async move {
        let _held = held;
        let _ = started.send(());
        pending::<()>().await;
    });
    subject
        .wait(has_started)?
        .map_err(|_| wrong("the task was dropped before it began"))?;
    drop(task);
    ensure(subject.wait(gone)?.is_err(), "the future still runs")
}

pub(super) fn dropping_an_unstarted_task_drops_its_future(subject: &mut Subject) -> Verified {
    let (held, gone) = oneshot::channel::<()>();
    drop(subject.runtime.spawn(async move {
        let _held = held;
        pending::<()>().await;
    }));
    ensure(subject.wait(gone)?.is_err(), "the future still runs")
}

pub(super) fn cancel_is_an_error_value(subject: &mut Subject) -> Verified {
    let task = subject.runtime.spawn(pending::<()>());
    task.cancel();
    let kind = subject.wait(task)?.map_err(|error| error.kind());
    same("the result", kind, Err(JoinErrorKind::Cancelled))
}

pub(super) fn a_detached_task_runs_on(subject: &mut Subject) -> Verified {
    let (go, may_go) = oneshot::channel::<()>();
    let (done, is_done) = oneshot::channel();
    subject
        .runtime
        .spawn(async move {
            let _ = may_go.await;
            let _ = done.send(7);
        })
        .detach();
    let _ = go.send(());
    same("its message", subject.wait(is_done)?.ok(), Some(7))
}

pub(super) fn a_task_may_spawn(subject: &mut Subject) -> Verified {
    let runtime = subject.runtime.clone();
    let outer = subject
        .runtime
        .spawn(async move { runtime.spawn(async { 5 }).await });
    let inner = subject.wait(outer)?.ok().and_then(Result::ok);
    same("the inner task's result", inner, Some(5))
}

pub(super) fn a_task_may_wake_itself(subject: &mut Subject) -> Verified {
    let task = subject.runtime.spawn(async {
        for _ in 0..1000 {
            yield_now().await;
        }
    });
    ensure(subject.wait(task)?.is_ok(), "the task failed")
}

pub(super) fn a_wake_after_the_end_is_harmless(subject: &mut Subject) -> Verified {
    let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let task = subject.runtime.spawn(poll_fn(move |cx| {
        *lock(&keep) = Some(cx.waker().clone());
        Poll::Ready(())
    }));
    ensure(subject.wait(task)?.is_ok(), "the task failed")?;
    let waker = lock(&kept).take().ok_or_else(|| wrong("it never ran"))?;
    waker.wake_by_ref();
    waker.wake();
    spawn_gives_the_result(subject)
}

pub(super) fn wakes_come_from_other_threads(subject: &mut Subject) -> Verified {
    for round in 0..50 {
        let (sender, receiver) = oneshot::channel();
        let task = subject.runtime.spawn(receiver);
        let thread = thread::spawn(move || sender.send(round));
        let got = subject.wait(task)?.ok().and_then(Result::ok);
        let _ = thread.join();
        same("what the thread sent", got, Some(round))?;
    }
    Ok(())
}

pub(super) fn tasks_take_turns(subject: &mut Subject) -> Verified {
    let (to_pong, mut pong_gets) = mpsc::unbounded::<u32>();
    let (to_ping, mut ping_gets) = mpsc::unbounded::<u32>();
    let pong = subject.runtime.spawn(async move {
        while let Some(ball) = pong_gets.next().await {
            if to_ping.unbounded_send(ball + 1).is_err() {
                return;
            }
        }
    });
    let ping = subject.runtime.spawn(async move {
        let mut ball = 0;
        while ball < 200 {
            to_pong.unbounded_send(ball + 1).ok()?;
            ball = ping_gets.next().await?;
        }
        Some(ball)
    });
    let ball = subject.wait(ping)?.ok().flatten();
    ensure(subject.wait(pong)?.is_ok(), "the second task failed")?;
    same("the last ball", ball, Some(200))
}

pub(super) fn a_busy_task_lets_others_run(subject: &mut Subject) -> Verified {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let busy = subject.runtime.spawn(async move {
        while !seen.load(Ordering::SeqCst) {
            yield_now().await;
        }
    });
    let other = subject
        .runtime
        .spawn(async move { stop.store(true, Ordering::SeqCst) });
    ensure(subject.wait(other)?.is_ok(), "the other task failed")?;
    ensure(subject.wait(busy)?.is_ok(), "the busy task failed")
}

pub(super) fn many_tasks_run(subject: &mut Subject) -> Verified {
    let tasks: Vec<_> = (0..2000_u64)
        .map(|number| {
            subject.runtime.spawn(async move {
                yield_now().await;
                number
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += subject.wait(task)?.unwrap_or_default();
    }
    same("the sum of all results", sum, 1999 * 2000 / 2)
}

/// Lets others run once.
pub(super) async fn yield_now() {
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
