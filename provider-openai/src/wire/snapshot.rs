//! Whole messages that come where deltas should be.

use std::borrow::Cow;
use std::collections::VecDeque;

use agently_api::model::ModelEvent;

use super::channel::Channels;
use super::lenient::List;
use super::response::{Arguments, Channel, Content, Delta, ToolCallBody};
use super::surrogate;

/// What a kept tool call piece counts beside its arguments, in bytes.
const PIECE_BYTES: usize = 256;

/// The messages of an answer that came without deltas, put together.
///
/// Some servers repeat the message so far in each chunk, some send it in pieces, some end with an
/// empty one. A message that begins with what is known replaces it; any other is added to it, so
/// that nothing that was said is ever lost.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// In the form that [`surrogate::marked`] gives.
    text: String,
    reasoning: String,
    refusal: String,
    calls: Vec<CallGroup>,
    call_bytes: usize,
}

/// The tool calls of one message.
#[derive(Debug)]
pub(crate) struct CallGroup {
    pub(crate) pieces: Vec<ToolCallBody>,
    pub(crate) marked: bool,
}

impl Snapshot {
    /// Takes a message; `true` if something came with it.
    pub(crate) fn take(&mut self, mut message: Delta<'_>, marked: bool) -> bool {
        let reasoning = message.take_reasoning();
        let thought_apart = !reasoning.is_empty();
        let mut said = Self::default();
        let mut push = |channel: Channel, piece: Cow<'_, str>| {
            said.channel(channel)
                .push_str(&surrogate::marked(piece, marked));
        };
        reasoning.each(Channel::Reasoning, &mut push);
        message.content.each(Channel::Text, &mut |channel, piece| {
            if !(thought_apart && channel == Channel::Reasoning) {
                push(channel, piece);
            }
        });
        if let Some(refusal) = message.refusal.0 {
            push(Channel::Refusal, refusal);
        }
        let mut grew = false;
        for channel in [Channel::Text, Channel::Reasoning, Channel::Refusal] {
            let said = std::mem::take(said.channel(channel));
            grew |= grow(self.channel(channel), said);
        }
        grew | self.take_calls(message.tool_calls, marked)
    }

    fn take_calls(&mut self, calls: List<ToolCallBody>, marked: bool) -> bool {
        let group = CallGroup {
            pieces: calls.into_iter().collect(),
            marked,
        };
        if group.pieces.is_empty() {
            return false;
        }
        let mut known = self.calls.iter().flat_map(|known| {
            let pieces = known.pieces.iter();
            pieces.map(|piece| (piece, known.marked))
        });
        if known.all(|(piece, piece_marked)| piece_marked == marked && group.covers(piece)) {
            self.calls.clear();
            self.call_bytes = 0;
        }
        self.call_bytes = self.call_bytes.saturating_add(group.bytes());
        self.calls.push(group);
        true
    }

    fn channel(&mut self, channel: Channel) -> &mut String {
        match channel {
            Channel::Text => &mut self.text,
            Channel::Reasoning => &mut self.reasoning,
            Channel::Refusal => &mut self.refusal,
        }
    }

    /// How much memory is held for the texts, in bytes.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len() + self.reasoning.len() + self.refusal.len()
    }

    /// How much memory is held for tool calls, in bytes.
    pub(crate) fn call_bytes(&self) -> usize {
        self.call_bytes
    }

    /// Hands the texts out, and gives the tool calls back; `true` if half of a surrogate pair had
    /// to be replaced.
    pub(crate) fn read_out(
        self,
        channels: &mut Channels,
        events: &mut VecDeque<ModelEvent>,
    ) -> (bool, Vec<CallGroup>) {
        let content = |text: String| Content::Text(Cow::Owned(text));
        let replaced = channels.push_delta(
            content(self.text),
            content(self.reasoning),
            content(self.refusal),
            true,
            false,
            events,
        );
        (replaced, self.calls)
    }
}

/// Whether the text grew by what was said.
fn grow(known: &mut String, said: String) -> bool {
    match said.strip_prefix(known.as_str()) {
        Some("") => false,
        Some(_) => {
            *known = said;
            true
        }
        None => {
            known.push_str(&said);
            !said.is_empty()
        }
    }
}

impl CallGroup {
    /// Whether a piece of an earlier message is in this one too.
    fn covers(&self, earlier: &ToolCallBody) -> bool {
        self.pieces.iter().any(|piece| {
            let same = match (&piece.id, &earlier.id) {
                (Some(id), Some(earlier)) => id == earlier,
                _ => piece.index == earlier.index,
            };
            let name = earlier.name.is_none() || piece.name == earlier.name;
            let arguments = match (&piece.arguments, &earlier.arguments) {
                (_, Arguments::Absent) => true,
                (Arguments::Piece(piece), Arguments::Piece(earlier)) => piece.starts_with(earlier),
                (piece, earlier) => piece == earlier,
            };
            same && name && arguments
        })
    }

    fn bytes(&self) -> usize {
        let sizes = self.pieces.iter().map(|piece| {
            let arguments = match &piece.arguments {
                Arguments::Absent => 0,
                Arguments::Piece(piece) => piece.len(),
                Arguments::Whole(value) => value.to_string().len(),
            };
            PIECE_BYTES.saturating_add(arguments)
        });
        sizes.fold(0, usize::saturating_add)
    }
}
