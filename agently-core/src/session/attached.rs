//! A session at one request.

use agently_api::model::Message;
use serde_json::{Map, Value};

use super::{Conversation, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::prompt::Prompt;

/// The session of a request, and where its messages go in the prompt.
pub(crate) struct Attached {
    pub(crate) session: Session,
    /// How many messages of the agent go before them.
    pub(crate) after: usize,
}

/// What becomes a turn if the answer is accepted.
pub(crate) struct Recording {
    session: Session,
    user: Message,
}

impl Attached {
    /// Puts the conversation as it is now into the prompt, and says what is to be remembered.
    pub(crate) async fn begin(self, prompt: &mut Prompt) -> Result<Option<Recording>> {
        let user = prompt.turn();
        let conversation = self.session.begin().await?;
        self.put(conversation, prompt);
        let session = self.session;
        Ok(user.map(|user| Recording { session, user }))
    }

    /// Puts the conversation into the prompt to show it, without a handler.
    pub(crate) fn show(self, prompt: &mut Prompt) {
        let conversation = self.session.lock().window();
        self.put(conversation, prompt);
    }

    fn put(&self, conversation: Conversation, prompt: &mut Prompt) {
        prompt.insert_chat_history(self.after, conversation.messages);
        if !conversation.memo.is_empty() {
            let mut memo = Map::new();
            memo.insert("memo".to_owned(), Value::Object(conversation.memo));
            prompt.add_info(memo);
        }
    }
}

impl Recording {
    /// The answer was accepted.
    pub(crate) fn accept(self, text: String) {
        if !text.trim().is_empty() {
            self.session.append([self.user, Message::assistant(text)]);
        }
    }
}

impl Session {
    /// The conversation that a request which starts now is asked with.
    async fn begin(&self) -> Result<Conversation> {
        let (mut conversation, tail, rules) = {
            let state = self.lock();
            (state.conversation(), state.tail(), state.rules.clone())
        };
        if let Some(handler) = rules.handler_for(&conversation.messages) {
            // Foreign code runs in the handler, so the lock is let go.
            conversation = handler(conversation).await.map_err(|error| {
                Error::with_boxed_source(
                    ErrorKind::Session,
                    format!(
                        "the resize handler of the session `{}` failed, so nothing was sent",
                        self.id()
                    ),
                    error,
                )
            })?;
            let mut state = self.lock();
            // If somebody else was faster, what it made stands, and ours is for this request alone.
            if state.revision == tail.revision {
                state.shorten(tail.end, &conversation);
            }
        }
        rules.cut(&mut conversation.messages);
        Ok(conversation)
    }
}
