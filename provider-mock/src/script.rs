//! The list of answers that a mock still has to give.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers of type `R` to requests of type `Q`: queued ones first, then a function's, then the
/// last one again if that was asked for.
pub(crate) struct Script<Q, R>(Mutex<State<Q, R>>);

struct State<Q, R> {
    waiting: VecDeque<R>,
    scripted: usize,
    last: Option<R>,
    repeat_last: bool,
    respond: Option<Respond<Q, R>>,
}

type Respond<Q, R> = Arc<dyn Fn(&Q) -> R + Send + Sync>;

impl<Q, R: Clone> Script<Q, R> {
    pub(crate) fn push(&self, reply: R) {
        let mut state = lock(&self.0);
        state.scripted += 1;
        state.waiting.push_back(reply);
    }

    pub(crate) fn repeat_last(&self) {
        lock(&self.0).repeat_last = true;
    }

    pub(crate) fn respond_with(&self, respond: impl Fn(&Q) -> R + Send + Sync + 'static) {
        lock(&self.0).respond = Some(Arc::new(respond));
    }

    /// Whether it has been told anything.
    pub(crate) fn is_blank(&self) -> bool {
        let state = lock(&self.0);
        state.scripted == 0 && state.respond.is_none()
    }

    /// The next answer; with none left, how many there were.
    pub(crate) fn next(&self, request: &Q) -> Result<R, usize> {
        // The user's function runs outside of the lock: it may use the mock itself.
        let respond = {
            let mut state = lock(&self.0);
            if let Some(reply) = state.waiting.pop_front() {
                state.last = Some(reply.clone());
                return Ok(reply);
            }
            match (&state.respond, state.repeat_last, &state.last) {
                (Some(respond), ..) => Arc::clone(respond),
                (None, true, Some(reply)) => return Ok(reply.clone()),
                (None, ..) => return Err(state.scripted),
            }
        };
        Ok(respond(request))
    }
}

impl<Q, R> Default for Script<Q, R> {
    fn default() -> Self {
        Self(Mutex::new(State {
            waiting: VecDeque::new(),
            scripted: 0,
            last: None,
            repeat_last: false,
            respond: None,
        }))
    }
}

impl<Q, R> fmt::Debug for Script<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0);
        f.debug_struct("Script")
            .field("waiting", &state.waiting.len())
            .field("repeat_last", &state.repeat_last)
            .field("respond_with", &state.respond.is_some())
            .finish_non_exhaustive()
    }
}

/// A lock that a panic elsewhere does not close: what it guards is never left half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
