use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use agently_api::rt::{in_task, Executor, SpawnError};
use agently_api::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::coop;

use crate::liveness::Liveness;

#[derive(Debug)]
pub(crate) struct TokioExecutor {
    handle: Handle,
    alive: Arc<Liveness>,
}

impl TokioExecutor {
    pub(crate) fn new(handle: Handle, alive: Arc<Liveness>) -> Self {
        Self { handle, alive }
    }
}

impl Executor for TokioExecutor {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        if self.alive.is_over() {
            return Err(SpawnError::shutdown());
        }
        // Dropping tokio's handle detaches the task.
        drop(self.handle.spawn(future));
        Ok(())
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        if self.alive.is_over() {
            return Err(SpawnError::shutdown());
        }
        drop(self.handle.spawn_blocking(job));
        Ok(())
    }

    fn may_block(&self) -> bool {
        !in_task() && !inside_poll()
    }
}

/// Whether tokio is polling a future on this thread, be it a task or the one of `block_on`.
///
/// Such a poll has a budget of operations (a `u8`, 128 today), and nothing else has one. The budget
/// cannot be read, only spent: spending more than a `u8` holds without running out means that there
/// is none. The first permit gives back on its drop what was spent.
fn inside_poll() -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    let mut first = None;
    for _ in 0..=u8::MAX {
        if !coop::has_budget_remaining() {
            return true;
        }
        match coop::poll_proceed(&mut cx) {
            Poll::Pending => return true,
            Poll::Ready(permit) if first.is_none() => first = Some(permit),
            // Forgets what it would give back.
            Poll::Ready(permit) => permit.made_progress(),
        }
    }
    false
}
