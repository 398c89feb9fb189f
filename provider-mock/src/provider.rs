use std::sync::{Arc, Mutex};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, Capabilities, EventStream, ModelProvider, ModelRequest};
use async_trait::async_trait;

use crate::calls::Calls;
use crate::playback::CallTime;
use crate::reply::Reply;
use crate::script::{lock, Script};

/// A model provider that answers from a script, without any network.
///
/// Each call takes the next [`Reply`]; retries are calls too. Delays run on the clock of the
/// call's runtime, so they cost nothing in virtual time. A clone is a second handle to the same
/// script and the same log: keep one to ask afterwards what was seen.
///
/// ```
/// use agently_api::model::ModelProvider;
/// use agently_provider_mock::{MockProvider, Reply};
///
/// let mock = MockProvider::new()
///     .reply(Reply::text("no JSON"))
///     .reply(Reply::text(r#"{"title":"Mars"}"#).chunked(4));
/// let provider: Box<dyn ModelProvider> = Box::new(mock.clone());
/// // … give `provider` to the code under test, then:
/// assert_eq!(mock.requests().len(), 0);
/// # drop(provider);
/// ```
#[derive(Clone, Debug)]
pub struct MockProvider {
    script: Arc<Script<ModelRequest, Reply>>,
    seen: Arc<Mutex<Vec<ModelRequest>>>,
    calls: Arc<Calls>,
    name: Arc<str>,
    capabilities: Capabilities,
}

impl MockProvider {
    /// A provider without replies. Add them with [`reply`](Self::reply).
    #[must_use]
    pub fn new() -> Self {
        Self {
            script: Arc::default(),
            seen: Arc::default(),
            calls: Arc::default(),
            name: "mock".into(),
            capabilities: Capabilities::default()
                .with_images(true)
                .with_tools(true)
                .with_json_object(true)
                .with_json_schema(true),
        }
    }

    /// A provider that works each reply out from the request. Replies added with
    /// [`reply`](Self::reply) are used first.
    ///
    /// ```
    /// use agently_provider_mock::{MockProvider, Reply};
    ///
    /// let parrot = MockProvider::respond_with(|request| {
    ///     Reply::deltas(request.messages.last().map(|message| message.text()))
    /// });
    /// # let _ = parrot;
    /// ```
    #[must_use]
    pub fn respond_with(respond: impl Fn(&ModelRequest) -> Reply + Send + Sync + 'static) -> Self {
        let mock = Self::new();
        mock.script.respond_with(respond);
        mock
    }

    /// Adds the answer to the next call that has none yet.
    #[must_use]
    pub fn reply(self, reply: Reply) -> Self {
        self.push(reply);
        self
    }

    /// Adds an answer while the mock is in use already.
    pub fn push(&self, reply: Reply) {
        self.script.push(reply);
    }

    /// Answers every call after the last scripted one as that one was answered, instead of
    /// failing.
    #[must_use]
    pub fn repeat_last(self) -> Self {
        self.script.repeat_last();
        self
    }

    /// Sets the name in meta and in errors. The default is `mock`.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets what the provider says it can do. The default is everything.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// The requests of all calls so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<ModelRequest> {
        lock(&self.seen).clone()
    }

    /// How many calls are being answered now: made, not ended, not dropped.
    #[must_use]
    pub fn active(&self) -> usize {
        self.calls.active()
    }

    /// How many calls were dropped before their answer had finished, failed or ended.
    #[must_use]
    pub fn cancelled(&self) -> usize {
        self.calls.cancelled()
    }

    /// How many calls were read to their finish, failure or end.
    #[must_use]
    pub fn completed(&self) -> usize {
        self.calls.completed()
    }
}

impl Default for MockProvider {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ModelProvider for MockProvider {
    async fn stream(
        &self,
        request: ModelRequest,
        context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        let time = CallTime::start(&context);
        let call = self.calls.begin();
        let number = {
            let mut seen = lock(&self.seen);
            seen.push(request.clone());
            seen.len()
        };
        let reply = match self.script.next(&request) {
            Ok(reply) => reply,
            Err(scripted) => {
                call.complete();
                return Err(exhausted(number, scripted));
            }
        };
        if let Some(failure) = &reply.failure {
            let reached = time.reach(Some(reply.begins_at())).await;
            call.complete();
            return Err(reached.err().unwrap_or_else(|| failure.make()));
        }
        Ok(reply.timeline(request.stream).play(time, Some(call)))
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn exhausted(call: usize, scripted: usize) -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::Other,
        format!("the mock provider has no reply for call {call}: {scripted} were scripted"),
    )
    .with_hint("add a reply for every call, retries included, or use `repeat_last`")
}
