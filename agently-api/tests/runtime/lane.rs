//! A single-thread executor that runs when it is told to.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Wake, Waker};

use agently_api::rt::{BoxIo, Connector, Executor, Runtime, SpawnError};
use agently_api::BoxFuture;

use crate::virtual_clock::VirtualClock;

/// The executor: a queue of tasks and one of blocking jobs.
#[derive(Clone, Default)]
pub(crate) struct Lane(Arc<Queue>);

#[derive(Default)]
struct Queue {
    ready: Mutex<VecDeque<Arc<Job>>>,
    all: Mutex<Vec<Weak<Job>>>,
    blocking: Mutex<VecDeque<Box<dyn FnOnce() + Send>>>,
    shut_down: AtomicBool,
}

struct Job {
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    queue: Weak<Queue>,
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        if let Some(queue) = self.queue.upgrade() {
            queue.ready.lock().unwrap().push_back(self);
        }
    }
}

impl Lane {
    pub(crate) fn runtime(&self) -> Runtime {
        Runtime::new(self.clone(), VirtualClock::new(), NoNetwork)
    }

    /// Polls what is ready until nothing is.
    pub(crate) fn run(&self) {
        loop {
            let Some(job) = self.0.ready.lock().unwrap().pop_front() else {
                return;
            };
            let waker = Waker::from(Arc::clone(&job));
            let mut slot = job.future.lock().unwrap();
            if let Some(future) = slot.as_mut() {
                if future
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_ready()
                {
                    *slot = None;
                }
            }
        }
    }

    /// Runs the blocking jobs that are waiting.
    pub(crate) fn run_blocking(&self) {
        let jobs = std::mem::take(&mut *self.0.blocking.lock().unwrap());
        for job in jobs {
            job();
        }
    }

    /// Drops every task, and refuses new ones.
    pub(crate) fn shut_down(&self) {
        self.0.shut_down.store(true, Ordering::SeqCst);
        for job in self.0.all.lock().unwrap().drain(..) {
            if let Some(job) = job.upgrade() {
                let future = job.future.lock().unwrap().take();
                drop(future);
            }
        }
        self.0.blocking.lock().unwrap().clear();
    }

    fn check_open(&self) -> Result<(), SpawnError> {
        if self.0.shut_down.load(Ordering::SeqCst) {
            Err(SpawnError::shutdown())
        } else {
            Ok(())
        }
    }
}

impl Executor for Lane {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        self.check_open()?;
        let job = Arc::new(Job {
            future: Mutex::new(Some(future)),
            queue: Arc::downgrade(&self.0),
        });
        // Whatever is pending keeps its job alive through its waker; these only find them.
        self.0.all.lock().unwrap().push(Arc::downgrade(&job));
        job.wake();
        Ok(())
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        self.check_open()?;
        self.0.blocking.lock().unwrap().push_back(job);
        Ok(())
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}

/// A connector without a network.
#[derive(Debug)]
struct NoNetwork;

impl Connector for NoNetwork {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        Box::pin(std::future::ready(Err(
            io::ErrorKind::NetworkUnreachable.into()
        )))
    }
}
