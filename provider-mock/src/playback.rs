//! Events with their times, played as a stream on a runtime's clock.

use std::time::{Duration, Instant};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, EventStream, ModelEvent};
use agently_api::rt::Runtime;

use crate::calls::Call;

/// One item of a stream, and when it comes, counted from the call.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) at: Duration,
    pub(crate) item: Result<ModelEvent, ProviderError>,
}

/// A whole stream laid out in time.
#[derive(Debug)]
pub(crate) struct Timeline {
    /// In the order of their times.
    pub(crate) steps: Vec<Step>,
    /// When the stream ends; `None` if it never does.
    pub(crate) end: Option<Duration>,
}

/// The clock of one call: offsets from its beginning, and its deadline.
#[derive(Debug)]
pub(crate) struct CallTime {
    runtime: Runtime,
    started: Instant,
    deadline: Option<Instant>,
}

impl CallTime {
    /// The call begins now.
    pub(crate) fn start(context: &CallContext) -> Self {
        Self {
            runtime: context.runtime.clone(),
            started: context.runtime.now(),
            deadline: context.deadline,
        }
    }

    /// Waits until `at` after the beginning (`None`: for ever), or for the deadline, which is an
    /// error. What is due at the very moment of the deadline still comes.
    pub(crate) async fn reach(&self, at: Option<Duration>) -> Result<(), ProviderError> {
        let target = at.and_then(|at| self.started.checked_add(at));
        let late = match (target, self.deadline) {
            (Some(target), Some(deadline)) => target > deadline,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        match if late { self.deadline } else { target } {
            Some(until) => self.sleep_until(until).await,
            None => std::future::pending().await,
        }
        if late {
            return Err(ProviderError::new(
                ProviderErrorKind::Deadline,
                "the call's deadline was reached before the scripted answer was over",
            )
            .with_hint("set a later deadline, or script shorter delays"));
        }
        Ok(())
    }

    /// One sleep of the whole length, so that virtual time is exact; a clock that wakes early is
    /// slept on again.
    async fn sleep_until(&self, until: Instant) {
        loop {
            let left = until.saturating_duration_since(self.runtime.now());
            if left.is_zero() {
                return;
            }
            self.runtime.sleep(left).await;
        }
    }
}

impl Timeline {
    /// Plays the timeline; `call` is told when it is over.
    pub(crate) fn play(self, time: CallTime, call: Option<Call>) -> EventStream {
        let playing = Playing {
            steps: self.steps.into_iter(),
            end: self.end,
            time,
            call,
            failed: false,
        };
        EventStream::new(futures_util::stream::unfold(playing, Playing::next))
    }
}

struct Playing {
    steps: std::vec::IntoIter<Step>,
    end: Option<Duration>,
    time: CallTime,
    call: Option<Call>,
    failed: bool,
}

type Item = Result<ModelEvent, ProviderError>;

impl Playing {
    async fn next(mut self) -> Option<(Item, Self)> {
        if self.failed {
            return None;
        }
        let step = self.steps.next();
        let at = step.as_ref().map_or(self.end, |step| Some(step.at));
        let item = match self.time.reach(at).await {
            Ok(()) => step.map(|step| step.item),
            Err(error) => Some(Err(error)),
        };
        self.failed = matches!(item, Some(Err(_)));
        // A reader may stop at the last event without asking for the end: that is no
        // cancellation.
        if matches!(item, None | Some(Err(_) | Ok(ModelEvent::Finish(_)))) {
            if let Some(call) = self.call.take() {
                call.complete();
            }
        }
        item.map(|item| (item, self))
    }
}
