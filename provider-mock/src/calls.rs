//! How many calls run, have ended and were given up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Calls {
    active: AtomicUsize,
    cancelled: AtomicUsize,
    completed: AtomicUsize,
}

impl Calls {
    pub(crate) fn begin(self: &Arc<Self>) -> Call {
        self.active.fetch_add(1, Ordering::SeqCst);
        Call {
            calls: Arc::clone(self),
            completed: false,
        }
    }

    pub(crate) fn active(&self) -> usize {
        self.active.load(Ordering::SeqCst)
    }

    pub(crate) fn cancelled(&self) -> usize {
        self.cancelled.load(Ordering::SeqCst)
    }

    pub(crate) fn completed(&self) -> usize {
        self.completed.load(Ordering::SeqCst)
    }
}

/// One running call. Dropped before [`complete`](Self::complete), it counts as cancelled.
#[derive(Debug)]
pub(crate) struct Call {
    calls: Arc<Calls>,
    completed: bool,
}

impl Call {
    pub(crate) fn complete(mut self) {
        self.completed = true;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let counter = if self.completed {
            &self.calls.completed
        } else {
            &self.calls.cancelled
        };
        counter.fetch_add(1, Ordering::SeqCst);
        self.calls.active.fetch_sub(1, Ordering::SeqCst);
    }
}
