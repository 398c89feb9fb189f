use std::time::Duration;

use agently_api::model::ToolSpec;
use serde_json::{Map, Value};

use crate::session::Session;
use crate::settings::Bound;
use crate::typed::Typed;
use crate::validate::Validator;

/// How a request is made, beside its prompt.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) model: Option<String>,
    pub(crate) body: Map<String, Value>,
    pub(crate) tools: Vec<ToolSpec>,
    pub(crate) stream: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) max_retries: u32,
    pub(crate) response_limit: usize,
    pub(crate) accept_length: bool,
    pub(crate) raw_events: bool,
    pub(crate) validators: Vec<Validator>,
    /// By wildcard path.
    pub(crate) field_validators: Vec<(String, Validator)>,
    /// The type that the answer was asked for as.
    pub(crate) typed: Option<Typed>,
    /// What the settings say; written into the fields above when the request is made.
    pub(crate) bound: Bound,
    pub(crate) session: Option<Session>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: None,
            body: Map::new(),
            tools: Vec::new(),
            stream: true,
            timeout: None,
            idempotency_key: None,
            max_retries: 3,
            // The decoded-response cap of the wire contract: 256 MiB.
            response_limit: 256 << 20,
            accept_length: false,
            raw_events: false,
            validators: Vec::new(),
            field_validators: Vec::new(),
            typed: None,
            bound: Bound::default(),
            session: None,
        }
    }
}

/// The setters that an agent (for all its requests) and a request (for itself) share.
macro_rules! option_setters {
    ($options:ident) => {
        /// Sets a [setting](crate::settings), or merges a group of them. A fault in it is the error
        /// of the first read.
        ///
        /// ```
        /// # fn demo(agent: agently_core::Agent) {
        /// let agent = agent.set_settings("request.max_retries", 1);
        /// # }
        /// ```
        pub fn set_settings(mut self, path: &str, value: impl Into<serde_json::Value>) -> Self {
            self.$options().bound.set(path, value.into());
            self
        }

        /// Merges [settings](crate::settings) into those it has. A fault in them is the error of
        /// the first read.
        pub fn settings(mut self, settings: &crate::settings::Settings) -> Self {
            self.$options().bound.merge(settings);
            self
        }

        /// Asks with the turns of this [session](crate::session), and adds those that are accepted.
        pub fn session(mut self, session: &crate::Session) -> Self {
            self.$options().session = Some(session.clone());
            self
        }

        /// Asks without the turns of any session.
        pub fn without_session(mut self) -> Self {
            self.$options().session = None;
            self
        }

        /// The model to use instead of the provider's own choice.
        pub fn model(mut self, model: impl Into<String>) -> Self {
            let options = self.$options();
            options.bound.forget("request.model");
            options.model = Some(model.into());
            self
        }

        /// A field of the request body (`temperature`, `max_tokens`, …), passed through as it is.
        pub fn option(
            mut self,
            name: impl Into<String>,
            value: impl Into<serde_json::Value>,
        ) -> Self {
            let (name, options) = (name.into(), self.$options());
            options.bound.forget(&format!("request.options.{name}"));
            options.body.insert(name, value.into());
            self
        }

        /// A tool that the model may call. The calls are read with
        /// [`async_get_tool_calls`](crate::ModelResult::async_get_tool_calls).
        pub fn tool(mut self, tool: agently_api::model::ToolSpec) -> Self {
            self.$options().tools.push(tool);
            self
        }

        /// Whether the answer is asked for piece by piece (the default) or as one piece.
        pub fn stream(mut self, stream: bool) -> Self {
            let options = self.$options();
            options.bound.forget("request.stream");
            options.stream = stream;
            self
        }

        /// How long the whole request may take, retries included. No limit by default.
        pub fn timeout(mut self, limit: std::time::Duration) -> Self {
            let options = self.$options();
            options.bound.forget("request.timeout_seconds");
            options.timeout = Some(limit);
            self
        }

        /// How often the model is asked again when its answer is refused: 3 by default.
        pub fn max_retries(mut self, retries: u32) -> Self {
            let options = self.$options();
            options.bound.forget("request.max_retries");
            options.max_retries = retries;
            self
        }

        /// How many bytes of text, reasoning and tool arguments an answer may have: 256 MiB by
        /// default.
        pub fn response_limit(mut self, bytes: usize) -> Self {
            let options = self.$options();
            options.bound.forget("request.response_limit");
            options.response_limit = bytes;
            self
        }

        /// Whether an answer that was cut off at a length limit is taken all the same. By default
        /// it is an error of kind [`Length`](crate::ErrorKind::Length).
        pub fn accept_length(mut self, accept: bool) -> Self {
            let options = self.$options();
            options.bound.forget("request.accept_length");
            options.accept_length = accept;
            self
        }

        /// A rule of your own for the answer, asked once per attempt, after those given before.
        ///
        /// It gets the data (the text as a JSON string if no output was declared). When it says
        /// [`Judgment::Fail`](crate::Judgment::Fail), the model is told why and asked again, within
        /// the budget of [`max_retries`](Self::max_retries).
        ///
        /// ```
        /// use agently_core::Judgment;
        /// # fn demo(request: agently_core::Request) -> agently_core::Request {
        /// request.validate("short title", |data, _context| {
        ///     let title = data["title"].as_str().unwrap_or_default();
        ///     Judgment::pass_if(title.len() <= 40, "the title is longer than 40 characters")
        /// })
        /// # }
        /// ```
        pub fn validate(
            mut self,
            name: impl Into<String>,
            handler: impl Fn(&serde_json::Value, &crate::ValidationContext) -> crate::Judgment
                + Send
                + Sync
                + 'static,
        ) -> Self {
            let validator = crate::validate::Validator::new(name.into(), handler);
            self.$options().validators.push(validator);
            self
        }

        /// [`validate`](Self::validate) with an async rule.
        pub fn validate_async<F>(
            mut self,
            name: impl Into<String>,
            handler: impl Fn(serde_json::Value, crate::ValidationContext) -> F
                + Send
                + Sync
                + 'static,
        ) -> Self
        where
            F: std::future::Future<Output = crate::Judgment> + Send + 'static,
        {
            let validator = crate::validate::Validator::new_async(name.into(), handler);
            self.$options().validators.push(validator);
            self
        }

        /// A rule of your own for one field, asked the moment the field closes in the stream.
        ///
        /// `path` is as in `title` or `items[*].name`. When the rule says
        /// [`Judgment::Fail`](crate::Judgment::Fail), the attempt is given up at once: its
        /// connection is closed, what the model would still have written is saved, and the next
        /// attempt begins. It needs a declared output.
        ///
        /// ```
        /// use agently_core::Judgment;
        /// # fn demo(request: agently_core::Request) -> agently_core::Request {
        /// request.validate_field("language", "known language", |language, _context| {
        ///     Judgment::pass_if(language == "en" || language == "de", "it must be `en` or `de`")
        /// })
        /// # }
        /// ```
        pub fn validate_field(
            mut self,
            path: impl Into<String>,
            name: impl Into<String>,
            handler: impl Fn(&serde_json::Value, &crate::ValidationContext) -> crate::Judgment
                + Send
                + Sync
                + 'static,
        ) -> Self {
            let validator = crate::validate::Validator::new(name.into(), handler);
            self.$options().field_validators.push((path.into(), validator));
            self
        }

        /// Whether the provider's raw events are kept for [`Original`](crate::Original) readers
        /// that come late.
        pub fn raw_events(mut self, keep: bool) -> Self {
            let options = self.$options();
            options.bound.forget("request.raw_events");
            options.raw_events = keep;
            self
        }
    };
}

pub(crate) use option_setters;
