//! The one who awaits: runs what the engine asks for and tells it what came of it.

use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use agently_api::rt::{Runtime, Sleep};

use crate::chunk::StepFuture;
use crate::condition::Test;
use crate::data::FlowData;
use crate::definition::Op;
use crate::engine::{Effect, Step, Timer};
use crate::error::{ChunkError, ChunkResult, End, Error, Failure};
use crate::poll_set::PollSet;
use crate::shared::Shared;

/// Steps that are taken before others on the same thread get their turn.
const BUDGET: u32 = 128;

/// Drives one execution: ready once it is closed.
///
/// Dropping it cancels what runs.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    runtime: Runtime,
    steps: PollSet<Run>,
    timers: PollSet<Alarm>,
    set: Vec<Option<Timer>>,
}

/// A step that runs.
struct Run {
    step: Arc<Step>,
    /// None once it has been dropped.
    future: Option<StepFuture>,
    limit: Option<(Sleep, std::time::Duration)>,
}

impl Future for Run {
    type Output = (Arc<Step>, ChunkResult<serde_json::Value>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(future) = &mut this.future else {
            return Poll::Pending;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        let outcome = match polled {
            Ok(Poll::Ready(outcome)) => outcome,
            Ok(Poll::Pending) => {
                let Some((sleep, limit)) = &mut this.limit else {
                    return Poll::Pending;
                };
                if Pin::new(sleep).poll(cx).is_pending() {
                    return Poll::Pending;
                }
                Err(ChunkError::failed(Failure::Timeout(*limit)))
            }
            Err(panic) => Err(panicked(panic.as_ref())),
        };
        Poll::Ready((Arc::clone(&this.step), outcome))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // What a chunk holds may panic when it is dropped: that must not end the driver.
        let future = self.future.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}

/// A timer that runs.
struct Alarm(Timer, Sleep);

impl Future for Alarm {
    type Output = Timer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Timer> {
        Pin::new(&mut self.1).poll(cx).map(|()| self.0)
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> ChunkError {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    ChunkError::failed(Failure::Panic(text))
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, runtime: Runtime) -> Self {
        Self {
            shared,
            runtime,
            steps: PollSet::new(),
            timers: PollSet::new(),
            set: Vec::new(),
        }
    }

    /// Begins a step; its outcome if it is done at once.
    fn begin(&mut self, step: Arc<Step>) -> Option<<Run as Future>::Output> {
        let place = step.key.slot();
        let (handler, limit) = match step.definition.node(step.node).map(|node| &node.op) {
            Some(Op::Chunk(handler, limits)) => (handler, limits.timeout),
            Some(Op::Branch { cases, .. }) => {
                let case = step.case.and_then(|case| cases.get(case as usize));
                match case.map(|(condition, _)| &condition.test) {
                    Some(Test::Ask(handler)) => (handler, None),
                    _ => return None,
                }
            }
            _ => return None,
        };
        let data = FlowData::new(Arc::clone(&self.shared), Arc::clone(&step));
        let future = match catch_unwind(AssertUnwindSafe(|| handler(data))) {
            Ok(future) => future,
            Err(panic) => return Some((step, Err(panicked(panic.as_ref())))),
        };
        let limit = limit.map(|limit| (self.runtime.sleep(limit), limit));
        let run = Run {
            step,
            future: Some(future),
            limit,
        };
        self.steps.start(place, run)
    }

    /// Tells the engine what came of a step.
    fn end(&mut self, (step, outcome): <Run as Future>::Output) {
        let key = step.key;
        match outcome {
            Ok(value) => {
                drop(step);
                self.shared.with(|engine| engine.finished(key, value));
            }
            Err(error) => match error.into_end() {
                End::Paused(pause) => self.shared.with(|engine| engine.paused(key, pause)),
                End::Failed(failure) => {
                    let error = Error::of_chunk(step.name(), failure);
                    self.shared.with(|engine| engine.failed(key, error));
                }
            },
        }
    }

    fn obey(&mut self, effect: Effect) {
        match effect {
            Effect::Run(step) => {
                if let Some(outcome) = self.begin(step) {
                    self.end(outcome);
                }
            }
            Effect::Cancel(key) => self.steps.stop(key.slot()),
            Effect::CancelAll => {
                self.steps.clear();
                self.timers.clear();
                self.set.clear();
            }
            Effect::SetTimer(timer, after) => {
                let place = match self.set.iter().position(Option::is_none) {
                    Some(place) => place,
                    None => {
                        self.set.push(None);
                        self.set.len() - 1
                    }
                };
                if let Some(set) = self.set.get_mut(place) {
                    *set = Some(timer);
                }
                let alarm = Alarm(timer, self.runtime.sleep(after));
                if let Some(timer) = self.timers.start(place, alarm) {
                    self.ring(place, timer);
                }
            }
            Effect::CancelTimer(timer) => {
                if let Some(place) = self.set.iter().position(|set| *set == Some(timer)) {
                    self.timers.stop(place);
                    if let Some(set) = self.set.get_mut(place) {
                        *set = None;
                    }
                }
            }
        }
    }

    fn ring(&mut self, place: usize, timer: Timer) {
        if let Some(set) = self.set.get_mut(place) {
            *set = None;
        }
        self.shared.with(|engine| engine.timer(timer));
    }

    /// Takes steps until there is nothing to do; whether the execution is closed.
    fn drive(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut left = BUDGET;
        loop {
            let (effect, closed) = self.shared.with(|engine| {
                engine.driving = true;
                (engine.next_effect(), engine.is_closed())
            });
            left = left.saturating_sub(1);
            if left == 0 {
                // What was taken out must be done first.
                if let Some(effect) = effect {
                    self.obey(effect);
                }
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(effect) = effect {
                self.obey(effect);
                continue;
            }
            if closed {
                return Poll::Ready(());
            }
            match self.steps.poll_next(cx) {
                Poll::Ready(Some((_, outcome))) => self.end(outcome),
                Poll::Ready(None) => {}
                Poll::Pending => match self.timers.poll_next(cx) {
                    Poll::Ready(Some((place, timer))) => self.ring(place, timer),
                    Poll::Ready(None) => {}
                    Poll::Pending => {
                        if self.rest(cx) {
                            return Poll::Pending;
                        }
                    }
                },
            }
        }
    }

    /// Goes to sleep, unless there is something to do after all.
    fn rest(&self, cx: &Context<'_>) -> bool {
        self.shared.with(|engine| {
            if engine.has_effects() || engine.is_closed() {
                return false;
            }
            engine.driving = false;
            if !engine
                .driver
                .as_ref()
                .is_some_and(|known| known.will_wake(cx.waker()))
            {
                engine.driver = Some(cx.waker().clone());
            }
            true
        })
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.drive(cx)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.with(|engine| {
            engine.driving = true;
            engine.abandon();
        });
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
