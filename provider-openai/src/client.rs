use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, Capabilities, EventStream, ModelProvider, ModelRequest};
use agently_api::secret::Secret;
use agently_http::retry::{RetryBudget, RetryPolicy};
use agently_http::{CallOptions, Client, Request, Timeouts};

use crate::builder::OpenAiBuilder;
use crate::credential::{has_placeholder, Environment};
use crate::endpoint;
use crate::retry;
use crate::stream::Call;
use crate::wire::{self, BodyOptions, DecodeOptions, Redactor};

/// A server that speaks the chat completions format.
///
/// A cheap clone over one pool of connections and one retry budget. See [`OpenAi::builder`].
#[derive(Clone)]
pub struct OpenAi {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) http: Client,
    pub(crate) base_url: String,
    pub(crate) api_key: Option<Secret>,
    pub(crate) model: Option<String>,
    pub(crate) options: Map<String, Value>,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) timeouts: Option<Timeouts>,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) decode: DecodeOptions,
    pub(crate) include_usage: bool,
    pub(crate) capabilities: Capabilities,
    pub(crate) environment: Environment,
}

impl OpenAi {
    /// Starts with the defaults: OpenAI's own server, no key, no model.
    pub fn builder() -> OpenAiBuilder {
        OpenAiBuilder::default()
    }

    /// The server that `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL` describe.
    ///
    /// # Errors
    ///
    /// As [`OpenAiBuilder::build`].
    pub fn from_env() -> Result<Self, ProviderError> {
        Self::builder().read_env().build()
    }

    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }
}

impl Inner {
    /// Everything that a call needs, for as many tries as it takes.
    fn prepare(
        self: &Arc<Self>,
        request: &ModelRequest,
        mut context: CallContext,
    ) -> Result<Call, ProviderError> {
        let expand = |text: &str, setting: &str| {
            let expanded = self.environment.expand(text, setting);
            expanded.map(|text| text.into_owned())
        };
        let url = endpoint::chat_completions(&expand(&self.base_url, "base URL")?)?;
        let mut secrets = Vec::new();
        let query_has_key = url.query().is_some_and(|query| {
            let mut fields = endpoint::query_fields(query);
            fields.any(|(name, _)| is_credential(name))
        });
        let query = url.query().into_iter().flat_map(endpoint::query_fields);
        secrets.extend(query.flat_map(|(_, value)| endpoint::spellings(value)));
        let model = match &self.model {
            Some(model) if request.model.is_none() => Some(expand(model, "model")?),
            _ => None,
        };
        let options = BodyOptions::new(&self.options)
            .with_model(model.as_deref())
            .with_include_usage(self.include_usage);
        let body = Bytes::from(wire::body(request, options)?);

        let accept = match request.stream {
            true => "text/event-stream",
            false => "application/json",
        };
        let mut has_key = query_has_key;
        let mut post = Request::post(url)
            .with_header("content-type", "application/json")?
            .with_header("accept", accept)?
            .with_body(body.clone());
        if let Some(key) = &self.api_key {
            let key = self.environment.expand_secret(key, "API key")?;
            if !key.is_empty() {
                post = post.with_bearer(&key)?;
                has_key = true;
                secrets.push(key);
            }
        }
        if let Some(key) = &context.idempotency_key {
            post = post.with_header("idempotency-key", key)?;
        }
        for (name, value) in &self.headers {
            let credential = is_credential(name) || has_placeholder(value.expose());
            let value = self
                .environment
                .expand_secret(value, &format!("header `{name}`"))?;
            if credential {
                post = post.with_secret_header(name, &value)?;
                has_key = true;
                secrets.push(value);
            } else {
                post = post.with_header(name, value.expose())?;
            }
        }

        let mut timeouts = self.timeouts.or_else(|| {
            // A server that answers in one piece is silent until all of it is written.
            (!request.stream).then(Timeouts::whole_answer)
        });
        // The limit on the whole is for all tries together, so it becomes a part of the deadline.
        let total = timeouts.as_mut().and_then(|timeouts| timeouts.total.take());
        let end = total.and_then(|total| context.runtime.now().checked_add(total));
        context.deadline = context.deadline.into_iter().chain(end).min();
        let mut call_options = CallOptions::default().with_deadline(context.deadline);
        if let Some(timeouts) = timeouts {
            call_options = call_options.with_timeouts(timeouts);
        }
        let mut decode = self.decode.clone();
        decode.raw_events = context.raw_events;
        decode.streaming = request.stream;
        decode.call_id_seed = fastrand::u64(..);
        Ok(Call {
            provider: Arc::clone(self),
            has_key,
            request: post,
            options: call_options,
            decode,
            redactor: Redactor::new(secrets, body),
            context,
        })
    }
}

/// Whether a header carries a credential, by its name. What does must not go over plain `http`, and
/// is taken out of error messages.
fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "auth",
        "key",
        "token",
        "secret",
        "cookie",
        "password",
        "signature",
    ]
    .iter()
    .any(|word| name.contains(word))
}

#[async_trait]
impl ModelProvider for OpenAi {
    async fn stream(
        &self,
        request: ModelRequest,
        context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        if request.messages.is_empty() {
            return Err(ProviderError::new(
                ProviderErrorKind::Config,
                "the request holds no messages",
            )
            .with_hint("give it a prompt"));
        }
        let call = self.inner.prepare(&request, context)?;
        drop(request);
        let answer = retry::run(&call).await?;
        Ok(EventStream::new(answer.into_stream()))
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities
    }

    fn name(&self) -> &str {
        &self.inner.name
    }
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            name,
            model,
            api_key,
            retry,
            ..
        } = &*self.inner;
        f.debug_struct("OpenAi")
            .field("name", name)
            .field("model", model)
            .field("has_api_key", &api_key.is_some())
            .field("retry", retry)
            .finish_non_exhaustive()
    }
}
