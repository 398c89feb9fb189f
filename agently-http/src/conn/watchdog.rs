use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use agently_api::rt::{Runtime, Sleep};
use std::future::Future;

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
        }
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Bytes came: the silence is over.
    pub(crate) fn heard(&mut self) {
        self.waiting_since = None;
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
            self.waiting_since.get_or_insert(now);
            if self.progressed {
                self.progressed = false;
                self.progress_at = Some(now);
            }
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

    fn earliest(&self) -> Option<(Instant, Expired)> {
        let since = |start: Option<Instant>, limit: Option<Duration>| start?.checked_add(limit?);
        let silence = since(self.waiting_since, self.silence)
            .map(|at| (at, Expired::Silence(self.silence.unwrap_or_default())));
        let no_progress = since(self.progress_at, self.no_progress).map(|at| {
            (
                at,
                Expired::NoProgress(self.no_progress.unwrap_or_default()),
            )
        });
        let deadline = self.deadline.map(|at| (at, Expired::Deadline));
        [deadline, silence, no_progress]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }
}
