//! Futures that one task polls itself, each by its own waker.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Places for futures. A place keeps its waker, so that a future in a used place costs nothing but
/// its own box.
#[derive(Debug)]
pub(crate) struct PollSet<F> {
    places: Vec<Place<F>>,
    ready: Arc<Ready>,
}

#[derive(Debug)]
struct Place<F> {
    future: Option<F>,
    signal: Arc<Signal>,
    waker: Waker,
}

/// Places that were woken, in order, and the task that polls them.
#[derive(Debug, Default)]
struct Ready {
    queue: Mutex<(VecDeque<usize>, Option<Waker>)>,
}

#[derive(Debug)]
struct Signal {
    place: usize,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let task = {
            let mut queue = self
                .ready
                .queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            queue.0.push_back(self.place);
            queue.1.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<F: Future + Unpin> PollSet<F> {
    pub(crate) fn new() -> Self {
        Self {
            places: Vec::new(),
            ready: Arc::default(),
        }
    }

    /// Puts a future into a place and polls it for the first time.
    pub(crate) fn start(&mut self, place: usize, future: F) -> Option<F::Output> {
        if self.places.is_empty() {
            self.places.reserve_exact(1);
        }
        while self.places.len() <= place {
            let signal = Arc::new(Signal {
                place: self.places.len(),
                queued: AtomicBool::new(false),
                ready: Arc::clone(&self.ready),
            });
            self.places.push(Place {
                future: None,
                waker: Waker::from(Arc::clone(&signal)),
                signal,
            });
        }
        let found = self.places.get_mut(place)?;
        found.future = Some(future);
        found.poll()
    }

    /// Drops the future in a place.
    pub(crate) fn stop(&mut self, place: usize) {
        if let Some(place) = self.places.get_mut(place) {
            place.future = None;
        }
    }

    pub(crate) fn clear(&mut self) {
        for place in &mut self.places {
            place.future = None;
        }
    }

    /// Polls the next future that was woken; its place and its output if it is done.
    ///
    /// `Pending` when none is woken: the task is woken when one is.
    pub(crate) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<(usize, F::Output)>> {
        let next = {
            let mut queue = self
                .ready
                .queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let next = queue.0.pop_front();
            if next.is_none()
                && !queue
                    .1
                    .as_ref()
                    .is_some_and(|known| known.will_wake(cx.waker()))
            {
                queue.1 = Some(cx.waker().clone());
            }
            next
        };
        let Some(index) = next else {
            return Poll::Pending;
        };
        let Some(place) = self.places.get_mut(index) else {
            return Poll::Ready(None);
        };
        // Before the poll, so that a wake during it counts.
        place.signal.queued.store(false, Ordering::Release);
        Poll::Ready(place.poll().map(|output| (index, output)))
    }
}

impl<F: Future + Unpin> Place<F> {
    fn poll(&mut self) -> Option<F::Output> {
        let future = self.future.as_mut()?;
        match Pin::new(future).poll(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(output) => {
                // Gone before the output is used: it may hold what the output is made of.
                self.future = None;
                Some(output)
            }
            Poll::Pending => None,
        }
    }
}
