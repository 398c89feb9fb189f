use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use agently_api::rt::{Runtime, Sleep};

/// From here on, the time between two reads is the reader's own and no lack of progress.
const READERS_TIME: Duration = Duration::from_secs(1);

/// Which limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// Nothing came for this long.
    Silence(Duration),
    /// Nothing that counts as progress came for this long.
    NoProgress(Duration),
    /// The call's own end.
    Deadline,
}

/// A limit, and the moment at which it runs out.
type Moment = (Instant, Expired);

/// All time limits of one exchange, on one timer.
///
/// The timer is not moved when bytes come: it runs out at the earliest moment that anything could
/// have expired, and is then set again for what is left. Silence counts only while somebody waits.
#[derive(Debug)]
pub(crate) struct Watchdog {
    runtime: Runtime,
    timer: Option<Sleep>,
    deadline: Option<Instant>,
    silence: Option<Duration>,
    waiting_since: Option<Instant>,
    no_progress: Option<Duration>,
    progress_at: Option<Instant>,
    progressed: bool,
    /// When the reader got the last piece and went away with it.
    handed_at: Option<Instant>,
}

impl Watchdog {
    pub(crate) fn new(
        runtime: Runtime,
        deadline: Option<Instant>,
        silence: Option<Duration>,
    ) -> Self {
        Self {
            runtime,
            timer: None,
            deadline,
            silence,
            waiting_since: None,
            no_progress: None,
            progress_at: None,
            progressed: false,
            handed_at: None,
        }
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Bytes came or went: the silence is over.
    pub(crate) fn heard(&mut self) {
        self.waiting_since = None;
    }

    /// A piece came and is about to be handed to the reader. The limits that no silence is needed
    /// for are looked at here too: a server that never lets the socket run dry cannot outrun them.
    pub(crate) fn handing_over(&mut self) -> Option<Expired> {
        let now = self.runtime.now();
        if self.waiting_since.take().is_none() {
            self.reader_is_back(now);
        }
        self.settle_progress(now);
        self.handed_at = Some(now);
        let (at, expired) = first_of([self.progress_limit(), self.deadline_limit()])?;
        (at <= now).then_some(expired)
    }

    /// A reader that took its time leaves the server that much more.
    fn reader_is_back(&mut self, now: Instant) {
        let Some(handed_at) = self.handed_at.take() else {
            return;
        };
        let away = now.saturating_duration_since(handed_at);
        if away >= READERS_TIME {
            self.progress_at = self.progress_at.and_then(|at| at.checked_add(away));
        }
    }

    fn settle_progress(&mut self, now: Instant) {
        if self.progressed {
            self.progressed = false;
            self.progress_at = Some(now);
        }
    }

    /// Sets how long a silence may last from here on.
    pub(crate) fn set_silence(&mut self, limit: Option<Duration>) {
        if self.silence != limit {
            self.silence = limit;
            self.timer = None;
        }
    }

    /// Counts progress from now on.
    pub(crate) fn watch_progress(&mut self, limit: Option<Duration>) {
        self.no_progress = limit;
        self.progressed = true;
        self.timer = None;
    }

    pub(crate) fn note_progress(&mut self) {
        self.progressed = true;
    }

    /// Ready when a limit has run out.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        if self.waiting_since.is_none() || self.progressed {
            let now = self.runtime.now();
            if self.waiting_since.is_none() {
                self.waiting_since = Some(now);
                self.reader_is_back(now);
            }
            self.settle_progress(now);
        }
        loop {
            if self.timer.is_none() {
                let Some((at, expired)) = self.earliest() else {
                    return Poll::Pending;
                };
                let left = at.saturating_duration_since(self.runtime.now());
                if left.is_zero() {
                    return Poll::Ready(expired);
                }
                self.timer = Some(self.runtime.sleep(left));
            }
            if let Some(timer) = &mut self.timer {
                if Pin::new(timer).poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            self.timer = None;
        }
    }

    fn earliest(&self) -> Option<Moment> {
        let silence = limit_from(self.waiting_since, self.silence, Expired::Silence);
        first_of([silence, self.progress_limit(), self.deadline_limit()])
    }

    fn progress_limit(&self) -> Option<Moment> {
        limit_from(self.progress_at, self.no_progress, Expired::NoProgress)
    }

    fn deadline_limit(&self) -> Option<Moment> {
        Some((self.deadline?, Expired::Deadline))
    }
}

fn limit_from(
    start: Option<Instant>,
    limit: Option<Duration>,
    expired: fn(Duration) -> Expired,
) -> Option<Moment> {
    let limit = limit?;
    Some((start?.checked_add(limit)?, expired(limit)))
}

/// The one that comes first; of two at the same moment, the last in the list.
fn first_of<const N: usize>(limits: [Option<Moment>; N]) -> Option<Moment> {
    limits.into_iter().rev().flatten().min_by_key(|(at, _)| *at)
}
