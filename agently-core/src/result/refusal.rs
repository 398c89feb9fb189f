//! What an answer was refused for, and by whom.

use serde_json::Value;

/// The longest reason that is sent back to the model, in characters.
const MAX_REASON: usize = 300;

/// Why an answer was refused.
pub(super) struct Refusal {
    /// In words for the model, of bounded length.
    pub(super) reason: String,
    /// The validator that refused it; `None` if the pipeline did.
    pub(super) validator: Option<String>,
    /// More about it, for the caller.
    pub(super) payload: Option<Value>,
    /// Whether the answer was still being written.
    pub(super) early: bool,
}

impl Refusal {
    pub(super) fn new(reason: String) -> Self {
        Self {
            reason: bounded(reason),
            validator: None,
            payload: None,
            early: false,
        }
    }
}

/// A reason of bounded length.
pub(super) fn bounded(reason: String) -> String {
    match reason.char_indices().nth(MAX_REASON) {
        Some((end, _)) => format!("{}…", reason.get(..end).unwrap_or_default()),
        None => reason,
    }
}
