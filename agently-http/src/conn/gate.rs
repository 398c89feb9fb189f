use std::sync::atomic::{AtomicBool, AtomicU64, AtomicU8, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

const POLLING: u8 = 1;
const NOTIFIED: u8 = 2;

/// How often a poll goes round for its own wake-ups before it hands the turn back.
const ROUNDS: u32 = 4;

/// The waker of one connection, and its byte counters.
///
/// hyper's parts wake each other through the task they live in: taking a chunk of the body wakes
/// the connection, which is in the same value and polled by the same call. Without the gate each
/// chunk would cost the task a second, idle turn. The gate keeps wake-ups that happen during a
/// poll to itself and goes round again; all others reach the task.
#[derive(Debug)]
pub(super) struct Gate {
    state: AtomicU8,
    task: AtomicWaker,
    received: AtomicU64,
    sent: AtomicU64,
    /// What `received` was when the exchange began.
    received_before: AtomicU64,
    write_failed: AtomicBool,
}

impl Gate {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU8::new(0),
            task: AtomicWaker::new(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received_before: AtomicU64::new(0),
            write_failed: AtomicBool::new(false),
        })
    }

    /// Bytes read from the connection so far.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(super) fn add_received(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes handed to the connection so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(super) fn add_sent(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A request goes out: what comes from here on is its answer.
    pub(super) fn begin_exchange(&self) {
        self.received_before
            .store(self.received(), Ordering::Relaxed);
    }

    /// Bytes of the answer so far.
    pub(super) fn answered(&self) -> u64 {
        self.received() - self.received_before.load(Ordering::Relaxed)
    }

    /// Nothing more can be written: the connection is good for reading its answer only.
    pub(super) fn note_write_failure(&self) {
        self.write_failed.store(true, Ordering::Relaxed);
    }

    pub(super) fn write_failed(&self) -> bool {
        self.write_failed.load(Ordering::Relaxed)
    }

    /// Polls `work` with this gate's waker, on behalf of `task`.
    pub(super) fn poll<T>(
        &self,
        task: &mut Context<'_>,
        waker: &Waker,
        mut work: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.task.register(task.waker());
        let mut inner = Context::from_waker(waker);
        for _ in 0..ROUNDS {
            self.state.store(POLLING, Ordering::Release);
            let polled = work(&mut inner);
            let state = self.state.swap(0, Ordering::AcqRel);
            if polled.is_ready() || state & NOTIFIED == 0 {
                return polled;
            }
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Wake for Gate {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(NOTIFIED, Ordering::AcqRel) & POLLING == 0 {
            self.task.wake();
        }
    }
}
