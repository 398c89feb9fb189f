use serde::Serialize;

/// What became of a model attempt: the payload of a `$status` item.
///
/// `failed` with `retry` tells the reader to clear what it shows: the next attempt's events follow.
/// The last item of a stream is `completed`, or `failed` without `retry`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AttemptStatus {
    /// How the attempt ended.
    pub status: AttemptState,
    /// Whether another attempt follows.
    pub retry: bool,
    /// Why it failed, in words; `None` when it completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which attempt this is, from 1.
    pub attempt_index: u32,
    /// The number of the attempt that follows, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_index: Option<u32>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AttemptState {
    /// Its answer was accepted.
    Completed,
    /// It broke off, or its answer was refused.
    Failed,
}

impl AttemptStatus {
    /// The attempt's answer was accepted: the stream ends here.
    #[must_use]
    pub fn completed(attempt: u32) -> Self {
        Self {
            status: AttemptState::Completed,
            retry: false,
            reason: None,
            attempt_index: attempt,
            next_attempt_index: None,
        }
    }

    /// The attempt failed and no other follows.
    #[must_use]
    pub fn failed(attempt: u32, reason: impl Into<String>) -> Self {
        Self {
            status: AttemptState::Failed,
            reason: Some(reason.into()),
            ..Self::completed(attempt)
        }
    }

    /// The attempt failed and the next one follows.
    #[must_use]
    pub fn retrying(attempt: u32, reason: impl Into<String>) -> Self {
        Self {
            retry: true,
            next_attempt_index: Some(attempt + 1),
            ..Self::failed(attempt, reason)
        }
    }
}
