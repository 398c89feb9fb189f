use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use agently_api::rt::{Executor, SpawnError};
use agently_api::BoxFuture;
use futures_channel::mpsc;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::park::block_on;

#[derive(Debug)]
pub(super) struct HandExecutor(pub(super) Arc<Queue>);

impl Executor for HandExecutor {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        self.0
            .tasks
            .unbounded_send(future)
            .map_err(|_closed| SpawnError::shutdown())
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        if self.0.tasks.is_closed() {
            return Err(SpawnError::shutdown());
        }
        // A system without a thread to spare is as good as shut down.
        thread::Builder::new()
            .name("hand-blocking".to_owned())
            .spawn(job)
            .map_err(|_no_thread| SpawnError::shutdown())?;
        Ok(())
    }
}

/// The way to the thread that runs the tasks.
pub(super) struct Queue {
    tasks: mpsc::UnboundedSender<BoxFuture<'static, ()>>,
}

impl Queue {
    pub(super) fn start() -> io::Result<Self> {
        let (tasks, incoming) = mpsc::unbounded();
        thread::Builder::new()
            .name("hand-tasks".to_owned())
            .spawn(move || block_on(work(incoming)))?;
        Ok(Self { tasks })
    }

    /// Ends the thread, which drops its tasks.
    pub(super) fn close(&self) {
        self.tasks.close_channel();
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("is_closed", &self.tasks.is_closed())
            .finish()
    }
}

/// Runs what comes in until the queue is closed.
async fn work(mut incoming: mpsc::UnboundedReceiver<BoxFuture<'static, ()>>) {
    let mut tasks = FuturesUnordered::new();
    poll_fn(|cx| {
        loop {
            match incoming.poll_next_unpin(cx) {
                Poll::Ready(Some(task)) => tasks.push(task),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        while let Poll::Ready(Some(())) = tasks.poll_next_unpin(cx) {}
        Poll::Pending
    })
    .await;
}
