use std::fmt;
use std::future::pending;
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use agently_api::rt::SpawnError;
use agently_api::BoxFuture;
use futures_util::future::{AbortHandle, AbortRegistration, Abortable};

type Queue = async_executor::Executor<'static>;

#[derive(Debug)]
pub(crate) struct SmolExecutor {
    workers: Arc<Workers>,
}

impl SmolExecutor {
    pub(crate) fn new(workers: Arc<Workers>) -> Self {
        Self { workers }
    }
}

impl agently_api::rt::Executor for SmolExecutor {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        let queue = self.workers.queue().ok_or_else(SpawnError::shutdown)?;
        queue.spawn(future).detach();
        Ok(())
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        self.workers.queue().ok_or_else(SpawnError::shutdown)?;
        blocking::unblock(job).detach();
        Ok(())
    }
}

/// A task queue and the threads that work on it.
///
/// The threads and this own the queue together. When this has let go of it and the last thread has
/// ended, the queue is dropped, and with it every task that was left.
pub(crate) struct Workers {
    queue: Mutex<Option<Arc<Queue>>>,
    threads: Vec<AbortHandle>,
}

impl Workers {
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let queue = Arc::new(Queue::new());
        let mut workers = Self {
            queue: Mutex::new(Some(Arc::clone(&queue))),
            threads: Vec::with_capacity(count),
        };
        for _ in 0..count {
            let (stop, stopped) = AbortHandle::new_pair();
            let queue = Arc::clone(&queue);
            // If one fails, dropping `workers` stops the ones before.
            thread::Builder::new()
                .name("agently-smol".to_owned())
                .spawn(move || work(&queue, stopped))?;
            workers.threads.push(stop);
        }
        Ok(workers)
    }

    fn queue(&self) -> Option<Arc<Queue>> {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn shutdown(&self) {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        for stop in &self.threads {
            stop.abort();
        }
        // Last, since it may drop the tasks here and now.
        drop(queue);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("threads", &self.threads.len())
            .field("is_over", &self.queue().is_none())
            .finish()
    }
}

/// One thread's life: runs tasks until it is stopped.
fn work(queue: &Queue, stopped: AbortRegistration) {
    let mut stopped = Abortable::new(pending::<()>(), stopped);
    loop {
        // Tasks started through `Runtime` do not panic; those of a direct caller must not take the
        // thread with them.
        let ended = catch_unwind(AssertUnwindSafe(|| {
            async_io::block_on(queue.run(&mut stopped))
        }));
        if ended.is_ok() {
            return;
        }
    }
}
