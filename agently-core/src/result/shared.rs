//! Who drives a request: whoever reads it.
//!
//! A result has no task of its own. Its driver, one boxed future, is polled in place by the
//! reader that needs more than the log holds, and by one reader at a time. It stops after every
//! event, so that the request is pulled no further than the fastest reader wants. When the last
//! handle goes, the driver goes with it, and with the driver the provider's stream.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use agently_api::BoxFuture;

use super::log::Log;
use crate::error::{Error, ErrorKind};

/// What the clones and readers of one result share.
pub(super) struct Shared {
    pub(super) log: Arc<Log>,
    driver: Mutex<Driver>,
    readers: Arc<Readers>,
}

enum Driver {
    /// Nobody has read yet.
    Unstarted(Box<dyn FnOnce(Arc<Log>) -> BoxFuture<'static, ()> + Send>),
    /// Waiting to be polled.
    Idle(BoxFuture<'static, ()>),
    /// Some reader is polling it at this moment.
    Polled,
    /// Nothing more will come.
    Finished,
}

/// How often a reader pulls in one turn of its task before it gives the thread away.
pub(super) const TURNS: u32 = 64;

/// Whether the log may have grown.
pub(super) enum Progress {
    /// Look again.
    Made,
    /// The reader will be woken.
    Awaited,
}

impl Shared {
    pub(super) fn new(
        log: Arc<Log>,
        start: impl FnOnce(Arc<Log>) -> BoxFuture<'static, ()> + Send + 'static,
    ) -> Self {
        Self {
            log,
            driver: Mutex::new(Driver::Unstarted(Box::new(start))),
            readers: Arc::default(),
        }
    }

    /// A log whose outcome is known already.
    pub(super) fn finished(log: Arc<Log>) -> Self {
        Self {
            log,
            driver: Mutex::new(Driver::Finished),
            readers: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Driver> {
        // The lock is never held while foreign code runs.
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new reader.
    pub(super) fn reader(&self) -> Reader {
        let id = self.readers.last_id.fetch_add(1, Ordering::Relaxed);
        Reader {
            id: ReaderId(id),
            readers: Arc::clone(&self.readers),
        }
    }

    /// Asks for raw events; false if the request has started without them.
    pub(super) fn want_raw(&self) -> bool {
        // Under the lock, so that nobody starts the request between the look and the wish.
        let slot = self.lock();
        if matches!(*slot, Driver::Unstarted(_)) {
            self.log.want_raw();
        }
        self.log.wants_raw()
    }

    /// Whether anybody has read yet.
    pub(super) fn is_started(&self) -> bool {
        !matches!(*self.lock(), Driver::Unstarted(_))
    }

    /// Pulls one more event, starting the request if need be.
    ///
    /// The caller has seen the whole log. After [`Progress::Made`] it looks again; after
    /// [`Progress::Awaited`] its waker will be called.
    pub(super) fn pull(&self, reader: &Reader, cx: &Context<'_>) -> Progress {
        let reader = reader.id;
        let mut driver = {
            let mut slot = self.lock();
            // Registered under the lock: whoever holds the driver will see it when putting it back.
            self.readers.register(reader, cx.waker());
            match std::mem::replace(&mut *slot, Driver::Polled) {
                Driver::Idle(driver) => driver,
                Driver::Unstarted(start) => start(Arc::clone(&self.log)),
                Driver::Polled => return Progress::Awaited,
                Driver::Finished => {
                    *slot = Driver::Finished;
                    return Progress::Made;
                }
            }
        };
        let before = self.log.version();
        self.readers.woken.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&self.readers));
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| {
            driver.as_mut().poll(&mut Context::from_waker(&waker))
        }));
        let next = match polled {
            Ok(Poll::Pending) => Driver::Idle(driver),
            Ok(Poll::Ready(())) => Driver::Finished,
            Err(panic) => {
                self.log.fail(panicked(panic.as_ref()));
                Driver::Finished
            }
        };
        let finished = matches!(next, Driver::Finished);
        *self.lock() = next;
        if finished || self.log.version() != before {
            self.readers.wake_others(reader);
            return Progress::Made;
        }
        // A wake-up during the poll may have missed a reader that came while we held the driver.
        if self.readers.woken.load(Ordering::Acquire) {
            self.readers.wake_all();
        }
        Progress::Awaited
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(
        ErrorKind::Panic,
        match message {
            Some(message) => format!("code inside the model request panicked: {message}"),
            None => "code inside the model request panicked".to_owned(),
        },
    )
}

/// One who reads. What it leaves behind when it stops is its waker, and its drop takes that away.
pub(super) struct Reader {
    id: ReaderId,
    readers: Arc<Readers>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.readers.forget(self.id);
    }
}

/// Tells readers apart. Two of them may live in one task and have the same waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ReaderId(u64);

/// The wakers of the readers that wait. It is itself the waker the driver is polled with.
#[derive(Default)]
struct Readers {
    wakers: Mutex<Wakers>,
    last_id: AtomicU64,
    woken: AtomicBool,
}

impl Readers {
    fn lock(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, reader: ReaderId, waker: &Waker) {
        let mut wakers = self.lock();
        let Wakers { one, more } = &mut *wakers;
        match one {
            Some((known, waker_of_it)) if *known == reader => waker_of_it.clone_from(waker),
            None if more.is_empty() => *one = Some((reader, waker.clone())),
            _ => {
                more.insert(reader, waker.clone());
            }
        }
    }

    fn forget(&self, reader: ReaderId) {
        let mut wakers = self.lock();
        let forgotten = match &wakers.one {
            Some((known, _)) if *known == reader => wakers.one.take().map(|(_, waker)| waker),
            _ => wakers.more.remove(&reader),
        };
        // Foreign code runs when a waker is dropped, so the lock is let go first.
        drop(wakers);
        drop(forgotten);
    }

    /// Wakes all but the one who is looking anyway.
    fn wake_others(&self, own: ReaderId) {
        self.wake_unless(|reader| reader == own);
    }

    fn wake_all(&self) {
        self.wake_unless(|_| false);
    }

    fn wake_unless(&self, spared: impl Fn(ReaderId) -> bool) {
        // Foreign code runs in `wake`, so the lock is let go first.
        let Wakers { one, more } = std::mem::take(&mut *self.lock());
        for (reader, waker) in one.into_iter().chain(more) {
            if !spared(reader) {
                waker.wake();
            }
        }
    }
}

/// A list that allocates only for its second entry: most results have one reader.
#[derive(Default)]
struct Wakers {
    one: Option<(ReaderId, Waker)>,
    more: BTreeMap<ReaderId, Waker>,
}

impl Wake for Readers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.wake_all();
    }
}
