use std::panic::resume_unwind;
use std::sync::mpsc;

use agently_api::rt::JoinErrorKind;

use super::Subject;
use crate::conformance::{ensure, same, wrong, Verified};

pub(super) fn a_plain_thread_may_block(subject: &mut Subject) -> Verified {
    ensure(
        subject.runtime.executor().may_block(),
        "`may_block` is false on a plain thread",
    )?;
    same("the result", subject.wait(async { 3 })?, 3)
}

pub(super) fn a_blocking_job_may_block(subject: &mut Subject) -> Verified {
    let runtime = subject.runtime.clone();
    let job = subject.runtime.spawn_blocking(move || {
        let may_block = runtime.executor().may_block();
        let waited = runtime.block_on(runtime.spawn(async { 4 }));
        (may_block, waited)
    });
    let (may_block, waited) = subject
        .wait(job)?
        .map_err(|error| wrong(format!("the job failed: {error}")))?;
    ensure(may_block, "`may_block` is false inside `spawn_blocking`")?;
    let waited = waited.map_err(|error| wrong(format!("`block_on` was refused: {error}")))?;
    same("the task's result", waited.ok(), Some(4))
}

pub(super) fn a_blocking_job_gives_its_result(subject: &mut Subject) -> Verified {
    let outcome = subject.wait(subject.runtime.spawn_blocking(|| 11))?;
    same("the job's result", outcome.ok(), Some(11))
}

pub(super) fn a_panic_in_a_blocking_job_is_an_error_value(subject: &mut Subject) -> Verified {
    // Without the panic hook, which would print.
    let job = subject
        .runtime
        .spawn_blocking(|| resume_unwind(Box::new("the planned panic")));
    let outcome: Result<(), _> = subject.wait(job)?;
    let kind = outcome.map_err(|error| error.kind());
    same("the result", kind, Err(JoinErrorKind::Panicked))?;
    a_blocking_job_gives_its_result(subject)
}

pub(super) fn blocking_jobs_hold_up_no_task(subject: &mut Subject) -> Verified {
    let (sender, receiver) = mpsc::channel();
    let receivers: Vec<_> = (0..4)
        .map(|_| {
            let (go, may_go) = mpsc::channel::<()>();
            (go, subject.runtime.spawn_blocking(move || may_go.recv()))
        })
        .collect();
    let task = subject.runtime.spawn(async move { sender.send(()) });
    ensure(subject.wait(task)?.is_ok(), "the task failed")?;
    ensure(receiver.recv().is_ok(), "the task said nothing")?;
    for (go, job) in receivers {
        let _ = go.send(());
        let outcome = subject.wait(job)?;
        ensure(matches!(outcome, Ok(Ok(()))), "a blocking job failed")?;
    }
    Ok(())
}

pub(super) fn a_task_may_not_block(subject: &mut Subject) -> Verified {
    let runtime = subject.runtime.clone();
    let task = subject.runtime.spawn(async move {
        (
            runtime.executor().may_block(),
            runtime.block_on(async {}).is_err(),
        )
    });
    let seen = subject
        .wait(task)?
        .map_err(|error| wrong(format!("the task failed: {error}")))?;
    same("(`may_block`, refused) inside a task", seen, (false, true))
}

pub(super) fn block_on_may_not_be_nested(subject: &mut Subject) -> Verified {
    let runtime = &subject.runtime;
    let refused = subject.wait(async { runtime.block_on(async {}).is_err() })?;
    ensure(refused, "`block_on` inside `block_on` was not refused")
}
