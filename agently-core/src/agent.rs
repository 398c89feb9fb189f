use std::fmt;
use std::sync::Arc;

use agently_api::model::{Message, ModelProvider};
use agently_api::rt::Runtime;
use agently_macros::syncify;
use serde_json::Value;

use crate::blocker::Blocker;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::options::{option_setters, Options};
use crate::prompt::{Prompt, PromptValue};
use crate::request::Request;
use crate::schema::Schema;
use crate::session::{Session, Sessions};
use crate::settings::{Bound, ProviderSource, Settings};
use crate::typed::Output;

/// A model with standing instructions: what requests are made from.
///
/// It is a cheap clone. What is set on the agent ([`role`](Self::role), [`info`](Self::info), …)
/// goes into every request made from it; what is set on a request stays with that request.
///
/// ```
/// # fn demo(agent: agently_core::Agent) {
/// let agent = agent.role("You are a careful editor.").option("temperature", 0.2);
/// let request = agent.input("Shorten this: …");
/// # }
/// ```
#[must_use = "an agent does nothing until a request is made from it"]
#[derive(Clone)]
pub struct Agent {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    /// The model, or why there is none: the error of the first read.
    provider: Result<Arc<dyn ModelProvider>>,
    runtime: Option<Runtime>,
    prompt: Prompt,
    options: Options,
    sessions: Sessions,
}

impl Agent {
    /// An agent that asks `provider`, on `runtime`.
    pub fn new(provider: Arc<dyn ModelProvider>, runtime: Runtime) -> Self {
        Self::assemble(Ok(provider), Some(runtime))
    }

    /// An agent that cannot ask anybody: `error` is the error of every read. For those who
    /// assemble agents from settings.
    pub fn unavailable(error: Error, runtime: Option<Runtime>) -> Self {
        Self::assemble(Err(error), runtime)
    }

    /// An agent that asks the provider which `settings` speak of. When its settings change, `source`
    /// is asked again. Without a `runtime` every read is an error.
    pub fn from_settings(
        settings: Settings,
        source: Arc<dyn ProviderSource>,
        runtime: Option<Runtime>,
    ) -> Self {
        let mut agent = Self::assemble(source.provider(&settings), runtime);
        agent.options().bound = Bound::new(settings, Some(source));
        agent
    }

    /// [`new`](Self::new), with these settings. What they say of a provider does not count.
    pub fn with_settings(
        provider: Arc<dyn ModelProvider>,
        settings: Settings,
        runtime: Runtime,
    ) -> Self {
        let mut agent = Self::new(provider, runtime);
        agent.options().bound = Bound::new(settings, None);
        agent
    }

    fn assemble(provider: Result<Arc<dyn ModelProvider>>, runtime: Option<Runtime>) -> Self {
        Self {
            inner: Arc::new(Inner {
                provider,
                runtime,
                prompt: Prompt::default(),
                options: Options::default(),
                sessions: Sessions::default(),
            }),
        }
    }

    fn prompt(&mut self) -> &mut Prompt {
        &mut Arc::make_mut(&mut self.inner).prompt
    }

    fn options(&mut self) -> &mut Options {
        &mut Arc::make_mut(&mut self.inner).options
    }

    /// Who the model is, in every request.
    pub fn role(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt().set_role(value);
        self
    }

    /// The standing instructions of every request.
    pub fn system(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt().set_system(value);
        self
    }

    /// Facts that every request is given.
    pub fn info(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt().add_info(value);
        self
    }

    /// Instructions that every request is given.
    pub fn instruct(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt().add_instruct(value);
        self
    }

    /// Examples that every request is given.
    pub fn examples(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt().add_examples(value);
        self
    }

    /// Messages that every request begins with, oldest first.
    pub fn chat_history(mut self, messages: impl IntoIterator<Item = Message>) -> Self {
        self.prompt().add_chat_history(messages);
        self
    }

    /// The format in which the answer is asked for: JSON by default. See [`format`](crate::format).
    pub fn output_format(mut self, format: Format) -> Self {
        self.prompt().set_output_format(format);
        self
    }

    option_setters!(options);

    /// Where the sessions come from that [`activate_session`](Self::activate_session) names.
    pub fn sessions(mut self, sessions: Sessions) -> Self {
        Arc::make_mut(&mut self.inner).sessions = sessions;
        self
    }

    /// Asks with the turns of the session of this id, new if there was none. Clones of an agent have
    /// the same sessions. An id that is none is the error of the first read.
    ///
    /// ```
    /// # fn demo(agent: agently_core::Agent) -> agently_core::Result<()> {
    /// let (ada, ben) = (agent.clone().activate_session("ada"), agent.activate_session("ben"));
    /// ada.input("My name is Ada.").start()?;
    /// ben.input("What is my name?").start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn activate_session(mut self, id: &str) -> Self {
        match self.inner.sessions.open(id) {
            Ok(session) => self.session(&session),
            Err(error) => {
                self.options().bound.fail(error.into());
                self
            }
        }
    }

    /// The session of this agent, if it has one.
    #[must_use]
    pub fn active_session(&self) -> Option<Session> {
        self.inner.options.session.clone()
    }

    /// A new request of this agent.
    pub fn request(&self) -> Request {
        Request::new(
            self.inner.provider.clone(),
            self.inner.runtime.clone(),
            self.inner.prompt.clone(),
            self.inner.options.clone(),
        )
    }

    fn blocker(&self) -> Blocker {
        Blocker::new(self.inner.runtime.clone())
    }

    /// A new request with this input.
    pub fn input(&self, value: impl Into<PromptValue>) -> Request {
        self.request().input(value)
    }

    /// A new request for an answer of this shape.
    pub fn output(&self, schema: Schema) -> Request {
        self.request().output(schema)
    }

    /// A new request for an answer of this type.
    pub fn output_type<T: Output>(&self) -> Request {
        self.request().output_type::<T>()
    }
}

#[syncify(blocker = Self::blocker)]
impl Agent {
    /// Sends what the agent itself says as a request, and gives the accepted data.
    ///
    /// # Errors
    ///
    /// [`Error`] if the request cannot be sent, fails, or no attempt is accepted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn async_start(&self) -> Result<Value> {
        self.request().async_start().await
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field(
                "provider",
                &self.inner.provider.as_ref().map(|provider| provider.name()),
            )
            .finish_non_exhaustive()
    }
}
