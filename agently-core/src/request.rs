use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use agently_api::model::{Message, ModelProvider, Part};
use agently_api::rt::Runtime;
use agently_api::BoxFuture;
use agently_macros::syncify;
use serde_json::Value;

use crate::blocker::Blocker;
use crate::error::{Error, ErrorKind, Result};
use crate::format::Format;
use crate::options::{option_setters, Options};
use crate::prompt::{Prompt, PromptValue};
use crate::result::{fields, Call, ModelResult};
use crate::schema::{Schema, SchemaError};
use crate::session::Attached;
use crate::typed::{Output, Typed};

/// One question to the model: prompt slots, the shape wanted back, options.
///
/// Nothing is checked or sent while it is built. What is wrong with it is the error of the first
/// read of its result.
#[must_use = "a request does nothing until its result is read"]
#[derive(Clone)]
pub struct Request {
    provider: Result<Arc<dyn ModelProvider>>,
    runtime: Option<Runtime>,
    /// What the agent says; the request's own prompt goes over it.
    standing: Prompt,
    prompt: Prompt,
    options: Options,
    /// What was wrong with the declared type.
    fault: Option<SchemaError>,
}

impl Request {
    pub(crate) fn new(
        provider: Result<Arc<dyn ModelProvider>>,
        runtime: Option<Runtime>,
        standing: Prompt,
        options: Options,
    ) -> Self {
        Self {
            provider,
            runtime,
            standing,
            prompt: Prompt::new(),
            options,
            fault: None,
        }
    }

    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// Who the model is, instead of what the agent says.
    pub fn role(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt.set_role(value);
        self
    }

    /// The standing instructions, instead of the agent's.
    pub fn system(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt.set_system(value);
        self
    }

    /// Facts the model should know, after the agent's.
    pub fn info(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt.add_info(value);
        self
    }

    /// What the model should do or mind, after the agent's.
    pub fn instruct(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt.add_instruct(value);
        self
    }

    /// Examples of good answers, after the agent's.
    pub fn examples(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt.add_examples(value);
        self
    }

    /// What the request is about.
    pub fn input(mut self, value: impl Into<PromptValue>) -> Self {
        self.prompt.set_input(value);
        self
    }

    /// The shape wanted back: see [`output!`](crate::output).
    pub fn output(mut self, schema: Schema) -> Self {
        self.prompt.set_output(schema);
        self.options.typed = None;
        self.fault = None;
        self
    }

    /// The type wanted back: its schema is the shape, and an answer is accepted only when it is a
    /// `T` and keeps within the limits of its fields.
    ///
    /// [`async_get_data_object::<T>`](ModelResult::async_get_data_object) then gives every accepted
    /// answer as a `T`. What is wrong with the type itself, as when it contains itself, is the
    /// error of the first read (kind [`Schema`](ErrorKind::Schema)).
    ///
    /// ```
    /// use agently_core::{Agent, Output, Result};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, Output)]
    /// # #[output(crate = "agently_core")]
    /// struct Ticket {
    ///     /// What it is about
    ///     #[output(max_len = 80)]
    ///     title: String,
    /// }
    ///
    /// # async fn demo(agent: Agent) -> Result<()> {
    /// let result = agent.input("The printer is on fire.").output_type::<Ticket>().get_result();
    /// let ticket: Ticket = result.async_get_data_object().await?;
    /// # Ok(()) }
    /// ```
    pub fn output_type<T: Output>(mut self) -> Self {
        match T::schema() {
            Ok(schema) => {
                self = self.output(schema);
                self.options.typed = Some(Typed::of::<T>());
            }
            Err(fault) => self.fault = Some(fault),
        }
        self
    }

    /// The format in which the answer is asked for: JSON by default. See [`format`](crate::format).
    pub fn output_format(mut self, format: Format) -> Self {
        self.prompt.set_output_format(format);
        self
    }

    /// Messages that came before, oldest first, after the agent's.
    pub fn chat_history(mut self, messages: impl IntoIterator<Item = Message>) -> Self {
        self.prompt.add_chat_history(messages);
        self
    }

    /// A part that goes with the input, as an image.
    pub fn attachment(mut self, part: Part) -> Self {
        self.prompt.add_attachment(part);
        self
    }

    /// An image at a URL. The URL is handed to the provider as it is.
    pub fn image_url(self, url: impl Into<String>) -> Self {
        self.attachment(Part::image_url(url))
    }

    /// A key that stays the same when the same step is asked again, for servers that honour it.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.options.idempotency_key = Some(key.into());
        self
    }

    option_setters!(options);

    fn merged(&self) -> Prompt {
        let mut prompt = self.standing.merged(&self.prompt);
        if let Some(format) = self.options.bound.output_format() {
            prompt.default_output_format(format);
        }
        prompt
    }

    /// The prompt as it would be sent now, with the turns of the session.
    fn shown(&self) -> Result<Prompt> {
        let mut prompt = self.merged();
        prompt.render().map_err(prompt_error)?;
        if let Some(attached) = self.attached() {
            attached.show(&mut prompt);
        }
        Ok(prompt)
    }

    fn attached(&self) -> Option<Attached> {
        let session = self.options.session.clone()?;
        let after = self.standing.chat_history().len();
        Some(Attached { session, after })
    }

    /// The whole prompt as a person reads it: each message with its role.
    ///
    /// # Errors
    ///
    /// Kind [`Prompt`](ErrorKind::Prompt) if the prompt cannot be sent, as when it is empty.
    pub fn get_prompt_text(&self) -> Result<String> {
        self.shown()?.to_text().map_err(prompt_error)
    }

    /// The messages that would be sent.
    ///
    /// # Errors
    ///
    /// Kind [`Prompt`](ErrorKind::Prompt) if the prompt cannot be sent, as when it is empty.
    pub fn get_messages(&self) -> Result<Vec<Message>> {
        self.shown()?.render().map_err(prompt_error)
    }

    /// The result, to be read in any number of ways. Nothing is sent before the first read.
    pub fn get_result(self) -> ModelResult {
        let prompt = self.merged();
        let session = self.attached();
        let checked = match self.fault {
            Some(fault) => Err(Error::with_source(
                ErrorKind::Schema,
                "the output type has no schema",
                fault,
            )),
            None => prompt
                .render()
                .map_err(prompt_error)
                .and_then(|_| check_rules(prompt.output(), &self.options)),
        };
        let mut options = self.options;
        let bound = std::mem::take(&mut options.bound);
        if let Err(error) = bound.apply(&mut options) {
            return ModelResult::refused(error, self.runtime);
        }
        let provider = bound.provider().unwrap_or(self.provider);
        let (provider, runtime) = match (provider, self.runtime, checked) {
            (Ok(provider), Some(runtime), Ok(())) => (provider, runtime),
            (Err(error), runtime, _) => return ModelResult::refused(error, runtime),
            (_, None, _) => {
                let error = Error::no_runtime(
                    "no async runtime was configured; turn on the feature `tokio` or `smol`, \
                     or pass one to the builder",
                );
                return ModelResult::refused(error, None);
            }
            (_, runtime, Err(error)) => return ModelResult::refused(error, runtime),
        };
        ModelResult::new(Call {
            provider,
            runtime,
            prompt,
            options,
            session,
        })
    }

    fn blocker(&self) -> Blocker {
        Blocker::new(self.runtime.clone())
    }
}

#[syncify(blocker = Self::blocker)]
impl Request {
    /// Sends the request and gives the accepted data: the declared object, or the text as a JSON
    /// string if no output was declared.
    ///
    /// # Errors
    ///
    /// [`Error`] if the request cannot be sent, fails, or no attempt is accepted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn async_start(self) -> Result<Value> {
        self.get_result().async_get_data().await
    }
}

/// Every rule for a field must be for a field that there is.
fn check_rules(schema: Option<&Schema>, options: &Options) -> Result<()> {
    for (path, validator) in &options.field_validators {
        let Some(schema) = schema else {
            return Err(Error::config(format!(
                "the rule `{}` is for the field `{path}`, but no output was declared; \
                 declare one with `output`, or use `validate`",
                validator.name
            )));
        };
        fields::find(schema, path).map_err(|fault| Error::new(ErrorKind::Schema, fault))?;
    }
    Ok(())
}

pub(crate) fn prompt_error(error: crate::prompt::PromptError) -> Error {
    Error::with_source(ErrorKind::Prompt, "the prompt cannot be sent", error)
}

impl IntoFuture for Request {
    type Output = Result<Value>;
    type IntoFuture = BoxFuture<'static, Result<Value>>;

    /// The same as [`async_start`](Self::async_start).
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.async_start())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The prompt stays out of logs.
        f.debug_struct("Request").finish_non_exhaustive()
    }
}
