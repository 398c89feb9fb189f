//! What a conversation has to do with a prompt.

use agently_api::model::{Message, Part, Role};

use super::{Prompt, Slot};
use crate::format::Format;

impl Prompt {
    /// The user's message as a conversation remembers it: the input and the attachments, or what is
    /// sent in the place of an input. `None` if there is neither.
    pub(crate) fn turn(&self) -> Option<Message> {
        let text = match &self.input {
            Some(input) if self.is_filled(Slot::Input) => input.to_string(),
            _ => {
                let mut asked = self.clone();
                asked.output = None;
                asked.user_text(Format::Json, None)
            }
        };
        let mut parts = Vec::new();
        if !text.is_empty() {
            parts.push(Part::text(text));
        }
        parts.extend(self.attachments.iter().cloned());
        (!parts.is_empty()).then(|| Message::new(Role::User, parts))
    }

    /// Puts messages behind the first `at` earlier messages.
    pub(crate) fn insert_chat_history(&mut self, at: usize, messages: Vec<Message>) {
        let at = at.min(self.chat_history.len());
        self.chat_history.splice(at..at, messages);
    }
}
