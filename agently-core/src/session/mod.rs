//! Conversations of several turns.
//!
//! A [`Session`] is a shared handle: it is given to an agent, and every request of that agent is
//! asked with the turns before it. What an accepted answer was, and what it answered, become the
//! next turn.
//!
//! ```
//! # fn demo(agent: agently_core::Agent) -> agently_core::Result<()> {
//! use agently_core::session::Session;
//!
//! let session = Session::new().max_messages(20);
//! let agent = agent.session(&session);
//! agent.input("My name is Ada.").start()?;
//! agent.input("What is my name?").start()?;
//! assert_eq!(session.messages().len(), 4);
//! # Ok(())
//! # }
//! ```
//!
//! # What becomes a turn
//!
//! The user's message is the request's input with its attachments, without the sections that were
//! sent around it; without an input it is what was sent in its place, less the output's
//! description. The assistant's message is the accepted text. Attempts that were refused, requests
//! that failed or were given up, and answers without text (as calls of tools alone) leave no trace:
//! add what you want to keep of them with [`Session::append`].
//!
//! # Many requests at once
//!
//! A request sees the turns that are there when it starts, which is at its first read. Its own turn
//! is added in one piece when its answer is accepted, before anybody gets that answer. So turns
//! stand in the order of acceptance, and never interleave.
//!
//! # What is sent
//!
//! Everything, unless [`max_messages`](Session::max_messages),
//! [`max_characters`](Session::max_characters) or a handler ([`resize`](Session::resize),
//! [`resize_async`](Session::resize_async)) says less. The session itself keeps all turns.
//!
//! # The memo
//!
//! Facts that are kept beside the turns, and are part of every request, however old they are:
//! [`Session::remember`]. They are sent under `[INFO]`.

mod attached;
mod error;
mod id;
mod sessions;
mod transfer;
mod window;

pub(crate) use attached::{Attached, Recording};
pub use error::{SessionError, SessionErrorKind};
pub use sessions::Sessions;
pub use window::Conversation;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agently_api::model::Message;
use serde_json::{Map, Value};

use window::{Rules, Tail};

/// A conversation: see the [module](self). A cheap clone; all clones are the same conversation.
#[derive(Clone)]
pub struct Session(Arc<Mutex<State>>);

struct State {
    id: String,
    messages: Vec<Message>,
    /// What stands for the messages before `from` in requests.
    summary: Vec<Message>,
    from: usize,
    memo: Map<String, Value>,
    rules: Rules,
    /// Grows when something else than a turn at the end changes.
    revision: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// A conversation without turns, of the id `default`.
    #[must_use]
    pub fn new() -> Self {
        Self::of(State::new("default".to_owned()))
    }

    /// A conversation without turns, of this id: 1 to 128 letters, digits and any of `.`, `_`, `:`
    /// and `-`.
    ///
    /// # Errors
    ///
    /// The id is none.
    pub fn with_id(id: impl Into<String>) -> Result<Self, SessionError> {
        Ok(Self::of(State::new(id::checked(id.into())?)))
    }

    fn of(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Only our own code runs under this lock, and it leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> String {
        self.lock().id.clone()
    }

    /// Sends at most this many messages of the conversation with a request, the latest ones.
    ///
    /// Turns are not split: what is sent begins with a message of the user.
    #[must_use = "this is the same session, to be given to an agent"]
    pub fn max_messages(self, count: usize) -> Self {
        self.lock().rules.max_messages = Some(count);
        self
    }

    /// Sends at most this many characters of the conversation with a request, of the latest turns.
    ///
    /// Texts, arguments and results of tools count; images do not. Turns are not split.
    #[must_use = "this is the same session, to be given to an agent"]
    pub fn max_characters(self, count: usize) -> Self {
        self.lock().rules.max_characters = Some(count);
        self
    }

    /// Lets `handler` make the conversation shorter before it is sent.
    ///
    /// It is called before a request whenever the conversation goes over a limit, or before every
    /// request if no limit is set. What it leaves stands for the turns so far, in later requests
    /// too; [`messages`](Self::messages) still has all of them. A limit that is set holds for what
    /// it leaves as well.
    ///
    /// ```
    /// use agently_core::session::Session;
    ///
    /// // The first turn, which says what this is about, and the latest two.
    /// let session = Session::new().max_messages(8).resize(|conversation| {
    ///     let end = conversation.messages.len().saturating_sub(4);
    ///     conversation.messages.drain(2.min(end)..end);
    /// });
    /// ```
    #[must_use = "this is the same session, to be given to an agent"]
    pub fn resize(self, handler: impl Fn(&mut Conversation) + Send + Sync + 'static) -> Self {
        self.resize_async(move |mut conversation| {
            handler(&mut conversation);
            std::future::ready(Ok(conversation))
        })
    }

    /// [`resize`](Self::resize) with an async handler, which may fail: then the request does, before
    /// anything of it is sent, and the conversation stays as it was.
    ///
    /// It may ask a model for a summary, through an agent that does not have this session. It counts
    /// towards the request's time limit.
    #[must_use = "this is the same session, to be given to an agent"]
    pub fn resize_async<F>(
        self,
        handler: impl Fn(Conversation) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Conversation, Box<dyn StdError + Send + Sync>>> + Send + 'static,
    {
        self.lock().rules.handler = Some(Arc::new(move |conversation| {
            Box::pin(handler(conversation))
        }));
        self
    }

    /// All turns, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.lock().messages.clone()
    }

    /// What a request would be sent with now, before a handler has shortened it.
    #[must_use]
    pub fn window(&self) -> Vec<Message> {
        self.lock().window().messages
    }

    /// Adds messages at the end, in one piece.
    pub fn append(&self, messages: impl IntoIterator<Item = Message>) {
        // Foreign code runs in the iterator, so it ends before the lock is taken.
        let messages: Vec<Message> = messages.into_iter().collect();
        self.lock().messages.extend(messages);
    }

    /// Takes all turns away. The memo stays.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.messages.clear();
        state.summary.clear();
        state.from = 0;
        state.revision += 1;
    }

    /// Keeps a fact beside the turns; replaces what had this name.
    pub fn remember(&self, name: impl Into<String>, fact: impl Into<Value>) {
        let (name, fact) = (name.into(), fact.into());
        let mut state = self.lock();
        state.memo.insert(name, fact);
        state.revision += 1;
    }

    /// Takes a fact away, and gives it.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn forget(&self, name: &str) -> Option<Value> {
        let mut state = self.lock();
        state.revision += 1;
        state.memo.shift_remove(name)
    }

    /// All facts.
    #[must_use]
    pub fn memo(&self) -> Map<String, Value> {
        self.lock().memo.clone()
    }
}

impl State {
    fn new(id: String) -> Self {
        Self {
            id,
            messages: Vec::new(),
            summary: Vec::new(),
            from: 0,
            memo: Map::new(),
            rules: Rules::default(),
            revision: 0,
        }
    }

    /// The conversation as it stands in requests, within no limit yet.
    fn conversation(&self) -> Conversation {
        let rest = self.messages.get(self.from..).unwrap_or_default();
        Conversation {
            messages: [&*self.summary, rest].concat(),
            memo: self.memo.clone(),
        }
    }

    /// The conversation within the limits.
    fn window(&self) -> Conversation {
        let mut conversation = self.conversation();
        self.rules.cut(&mut conversation.messages);
        conversation
    }

    /// What a handler has made of the conversation stands for the messages before `end`.
    fn shorten(&mut self, end: usize, conversation: &Conversation) {
        self.summary.clone_from(&conversation.messages);
        self.from = end;
        self.memo.clone_from(&conversation.memo);
        self.revision += 1;
    }

    fn tail(&self) -> Tail {
        Tail {
            end: self.messages.len(),
            revision: self.revision,
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was said stays out of logs.
        let state = self.lock();
        f.debug_struct("Session")
            .field("id", &state.id)
            .field("messages", &state.messages.len())
            .finish_non_exhaustive()
    }
}
