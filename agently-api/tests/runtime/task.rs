use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use agently_api::rt::{in_task, JoinErrorKind, Task};
use futures_util::FutureExt;

use crate::lane::Lane;
use crate::Dropped;

/// The result of a task that has one by now.
fn result<T>(task: &mut Task<T>) -> Result<T, JoinErrorKind> {
    task.now_or_never()
        .expect("the task is still running")
        .map_err(|error| error.kind())
}

#[test]
fn a_task_gives_its_result() {
    let lane = Lane::default();
    let mut task = lane.runtime().spawn(async { 6 * 7 });
    assert!((&mut task).now_or_never().is_none(), "it has not run yet");
    lane.run();
    assert_eq!(result(&mut task), Ok(42));
}

#[test]
fn dropping_a_task_cancels_its_work() {
    let lane = Lane::default();
    let dropped = Dropped::default();
    let guard = dropped.guard();
    let task = lane.runtime().spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    lane.run();
    assert!(!dropped.get());
    drop(task);
    lane.run();
    assert!(dropped.get());
}

#[test]
fn a_task_dropped_before_its_first_poll_never_runs() {
    let lane = Lane::default();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    drop(lane.runtime().spawn(async move {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    lane.run();
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert_eq!(Arc::strong_count(&runs), 1, "the future is still there");
}

#[test]
fn a_detached_task_runs_on() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    let (sender, receiver) = futures_channel::oneshot::channel();
    runtime
        .spawn(async move {
            let _ = sender.send("done");
        })
        .detach();
    lane.run();
    assert_eq!(receiver.now_or_never(), Some(Ok("done")));
}

#[test]
fn a_panic_is_an_error_that_names_it_and_the_executor_goes_on() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    let mut literal: Task<()> = runtime.spawn(async { panic!("plain words") });
    let number = 3;
    let mut formatted: Task<()> = runtime.spawn(async move { panic!("number {number}") });
    let mut other: Task<()> = runtime.spawn(async move { std::panic::panic_any(number) });
    let mut after = runtime.spawn(async { "alive" });
    lane.run();
    let message = |task: &mut Task<()>| {
        let error = task.now_or_never().unwrap().unwrap_err();
        assert_eq!(error.kind(), JoinErrorKind::Panicked);
        error.to_string()
    };
    assert_eq!(message(&mut literal), "the task panicked: plain words");
    assert_eq!(message(&mut formatted), "the task panicked: number 3");
    assert_eq!(message(&mut other), "the task panicked");
    assert_eq!(result(&mut after), Ok("alive"));
}

#[test]
fn a_cancelled_task_says_so_unless_it_had_finished() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    let mut running = runtime.spawn(pending::<()>());
    let mut finished = runtime.spawn(async { 1 });
    lane.run();
    running.cancel();
    finished.cancel();
    lane.run();
    assert_eq!(result(&mut running), Err(JoinErrorKind::Cancelled));
    assert_eq!(result(&mut finished), Ok(1));
}

#[test]
fn a_shutdown_ends_running_tasks_and_refuses_new_ones() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    let (keep, wait) = futures_channel::oneshot::channel::<()>();
    let running = runtime.spawn(wait);
    lane.run();
    lane.shut_down();
    assert_eq!(
        running.now_or_never().unwrap().unwrap_err().kind(),
        JoinErrorKind::Cancelled
    );
    drop(keep);

    let mut late = runtime.spawn(async {});
    let mut late_job = runtime.spawn_blocking(|| ());
    let error = (&mut late).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), JoinErrorKind::Refused);
    assert!(error.to_string().contains("shut down"), "{error}");
    assert_eq!(result(&mut late_job), Err(JoinErrorKind::Refused));
}

#[test]
fn a_blocking_job_gives_its_result_or_its_panic() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    let mut job = runtime.spawn_blocking(|| 42);
    let mut broken: Task<()> = runtime.spawn_blocking(|| panic!("job"));
    lane.run_blocking();
    assert_eq!(result(&mut job), Ok(42));
    assert_eq!(result(&mut broken), Err(JoinErrorKind::Panicked));
}

#[test]
fn a_blocking_job_whose_task_is_dropped_in_time_does_not_run() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    let ran = Arc::new(AtomicUsize::new(0));
    let job = |amount: usize| {
        let ran = Arc::clone(&ran);
        move || {
            ran.fetch_add(amount, Ordering::SeqCst);
        }
    };
    drop(runtime.spawn_blocking(job(1)));
    runtime.spawn_blocking(job(10)).detach();
    lane.run_blocking();
    assert_eq!(ran.load(Ordering::SeqCst), 10);
}

#[test]
fn a_thread_is_in_a_task_while_it_polls_one_and_only_then() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    let mut task = runtime.spawn(async { in_task() });
    let mut job = runtime.spawn_blocking(in_task);
    let mut broken: Task<()> = runtime.spawn(async { panic!("in a task") });
    assert!(!in_task());
    lane.run();
    lane.run_blocking();
    assert!(!in_task());
    assert_eq!(result(&mut task), Ok(true));
    assert_eq!(result(&mut job), Ok(false));
    assert_eq!(result(&mut broken), Err(JoinErrorKind::Panicked));
}

#[test]
fn clones_of_a_runtime_are_the_same_runtime_and_no_two_others_are() {
    let lane = Lane::default();
    let runtime = lane.runtime();
    assert_eq!(runtime.id(), runtime.clone().id());
    assert_ne!(runtime.id(), lane.runtime().id());
}

#[test]
fn a_panic_while_cancelled_work_is_dropped_stays_inside_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("while dropping");
        }
    }
    let lane = Lane::default();
    let mut task = lane.runtime().spawn(async {
        let _bomb = Bomb;
        pending::<()>().await;
    });
    lane.run();
    task.cancel();
    lane.run();
    assert_eq!(result(&mut task), Err(JoinErrorKind::Panicked));
}
