//! How much of a conversation is sent.

use std::error::Error as StdError;
use std::sync::Arc;

use agently_api::model::{Message, Part, Role};
use agently_api::BoxFuture;
use serde_json::{Map, Value};

/// What a resize handler is given, and gives back.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Conversation {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// The facts beside them.
    pub memo: Map<String, Value>,
}

pub(super) type Resized = Result<Conversation, Box<dyn StdError + Send + Sync>>;
pub(super) type Handler = dyn Fn(Conversation) -> BoxFuture<'static, Resized> + Send + Sync;

/// The end of a conversation at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    /// How many messages there were.
    pub(super) end: usize,
    pub(super) revision: u64,
}

#[derive(Clone, Default)]
pub(super) struct Rules {
    pub(super) max_messages: Option<usize>,
    pub(super) max_characters: Option<usize>,
    pub(super) handler: Option<Arc<Handler>>,
}

impl Rules {
    /// The handler, if these messages are for it.
    pub(super) fn handler_for(&self, messages: &[Message]) -> Option<Arc<Handler>> {
        let unlimited = self.max_messages.is_none() && self.max_characters.is_none();
        let due = !messages.is_empty() && (unlimited || self.start(messages) > 0);
        self.handler.clone().filter(|_| due)
    }

    /// Leaves the longest end of the conversation that is within the limits and does not begin in
    /// the middle of a turn.
    pub(super) fn cut(&self, messages: &mut Vec<Message>) {
        messages.drain(..self.start(messages));
    }

    /// Where that end begins.
    fn start(&self, messages: &[Message]) -> usize {
        let (mut start, mut characters) = (messages.len(), 0_usize);
        for (index, message) in messages.iter().enumerate().rev() {
            characters = characters.saturating_add(length(message));
            let count = messages.len() - index;
            if self.max_messages.is_some_and(|max| count > max)
                || self.max_characters.is_some_and(|max| characters > max)
            {
                break;
            }
            if index == 0 || message.role == Role::User {
                start = index;
            }
        }
        start
    }
}

/// How many characters a message has.
fn length(message: &Message) -> usize {
    let length = |part: &Part| match part {
        Part::Text { text } => text.chars().count(),
        Part::ToolCall(call) => call.arguments.chars().count(),
        Part::ToolResult { content, .. } => content.chars().count(),
        _ => 0,
    };
    message.parts.iter().map(length).sum()
}
