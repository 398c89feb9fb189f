//! Putting tool calls together.

use std::collections::BTreeMap;

use agently_api::model::{ToolCall, ToolCallDelta};

/// The calls of one answer as they grow, by index.
#[derive(Debug, Default)]
pub(super) struct ToolCalls {
    calls: BTreeMap<usize, ToolCall>,
}

impl ToolCalls {
    pub(super) fn push(&mut self, delta: &ToolCallDelta) {
        let call = self
            .calls
            .entry(delta.index)
            .or_insert_with(|| ToolCall::new("", "", ""));
        // The first id and name that say something stand; some servers repeat them.
        for (old, new) in [(&mut call.id, &delta.id), (&mut call.name, &delta.name)] {
            if let (true, Some(new)) = (old.is_empty(), new) {
                old.clone_from(new);
            }
        }
        call.arguments.push_str(&delta.arguments);
        call.extra.extend(delta.extra.clone());
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.calls.values().map(|call| call.name.clone()).collect()
    }

    /// The finished calls, in order. A call without arguments has `{}`, one without an id a made-up
    /// one.
    pub(super) fn finish(&self) -> Vec<ToolCall> {
        self.calls
            .iter()
            .map(|(index, call)| {
                let mut call = call.clone();
                if call.id.is_empty() {
                    call.id = format!("call_{index}");
                }
                if call.arguments.trim().is_empty() {
                    "{}".clone_into(&mut call.arguments);
                }
                call
            })
            .collect()
    }
}
