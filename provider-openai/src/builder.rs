use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::Capabilities;
use agently_api::secret::Secret;
use agently_http::retry::{RetryBudget, RetryPolicy};
use agently_http::{Client, ClientBuilder, Limits, ProxyConfig, Timeouts};

use crate::client::{Inner, OpenAi};
use crate::credential::{has_placeholder, placeholder, Environment};
use crate::endpoint;
use crate::wire::DecodeOptions;

const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// Headers that say how the connection and the body are used, which is for the client to say.
const OWN_HEADERS: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Makes an [`OpenAi`].
///
/// Base URL, key, model and header values may hold `${ENV.NAME}`: the variable is read when a
/// request is made, and its absence is then an error that names it.
///
/// ```
/// use agently_provider_openai::OpenAi;
///
/// let provider = OpenAi::builder()
///     .base_url("https://gateway.example.com/openai/v1/")
///     .api_key_env("GATEWAY_KEY")
///     .model("gpt-4o-mini")
///     .option("temperature", 0.2)
///     .build()?;
/// # let _ = provider;
/// # Ok::<(), agently_api::error::ProviderError>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct OpenAiBuilder {
    name: String,
    base_url: Option<String>,
    api_key: Option<Secret>,
    model: Option<String>,
    options: Map<String, Value>,
    headers: Vec<(String, Secret)>,
    http: ClientBuilder,
    timeouts: Option<Timeouts>,
    limits: Limits,
    retry: RetryPolicy,
    budget: RetryBudget,
    decode: DecodeOptions,
    include_usage: bool,
    capabilities: Capabilities,
    environment: Environment,
}

impl Default for OpenAiBuilder {
    fn default() -> Self {
        Self {
            name: "openai".to_owned(),
            base_url: None,
            api_key: None,
            model: None,
            options: Map::new(),
            headers: Vec::new(),
            http: Client::builder(),
            timeouts: None,
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            budget: RetryBudget::new(),
            decode: DecodeOptions::default(),
            include_usage: true,
            capabilities: Capabilities::default()
                .with_images(true)
                .with_tools(true)
                .with_json_schema(true)
                .with_json_object(true),
            environment: Environment::default(),
        }
    }
}

impl OpenAiBuilder {
    /// Sets where the server is: the URL up to and with its `/v1`, or in full with
    /// `/chat/completions`. Slashes at the end do not matter; a query is kept.
    /// `https://api.openai.com/v1`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets the API key. Without one no `Authorization` header is sent, as local servers like it.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Takes the API key from this environment variable, whenever a request is made.
    pub fn api_key_env(self, name: &str) -> Self {
        self.api_key(placeholder(name))
    }

    /// Sets the model of requests that name none.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Takes base URL, key and model from `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL`,
    /// as far as they are set now.
    pub fn read_env(mut self) -> Self {
        let environment = self.environment.clone();
        if let Some(base_url) = environment.get("OPENAI_BASE_URL") {
            self = self.base_url(base_url);
        }
        if environment.get("OPENAI_API_KEY").is_some() {
            self = self.api_key_env("OPENAI_API_KEY");
        }
        if let Some(model) = environment.get("OPENAI_MODEL") {
            self = self.model(model);
        }
        self
    }

    /// Reads environment variables from elsewhere than the process.
    pub fn env_lookup(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Environment::new(lookup);
        self
    }

    /// Sets a field of every request body, as `temperature`. Options of a request go before it.
    pub fn option(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options.insert(name.into(), value.into());
        self
    }

    /// Sets several [options](Self::option).
    pub fn options(mut self, options: Map<String, Value>) -> Self {
        self.options.extend(options);
        self
    }

    /// Sets a header of every request. Its value is never printed; if its name speaks of a key, a
    /// token or the like, or its value comes from a variable, it does not go over plain `http`
    /// either. Headers of the connection and the body, as `Accept-Encoding`, are refused.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the `OpenAI-Organization` header.
    pub fn organization(self, organization: impl Into<Secret>) -> Self {
        self.header("openai-organization", organization)
    }

    /// Sets the `OpenAI-Project` header.
    pub fn project(self, project: impl Into<Secret>) -> Self {
        self.header("openai-project", project)
    }

    /// Sets the provider's name in meta and errors. `openai`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the time limits. Without this, answers that come as one piece may take longer to
    /// begin: [`Timeouts::whole_answer`]. [`Timeouts::total`] is for all tries of a call together.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Sets the size limits of responses.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many tool calls an answer may hold. 128.
    pub fn max_tool_calls(mut self, max: usize) -> Self {
        self.decode.max_tool_calls = max;
        self
    }

    /// Sets how many bytes the arguments of an answer's tool calls may have together. 16 MiB.
    pub fn max_tool_argument_bytes(mut self, max: usize) -> Self {
        self.decode.max_tool_argument_bytes = max;
        self
    }

    /// Sets how often and when a failed request is tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Shares this budget of retries with other providers, as those of the same server. By default
    /// each provider has one of its own, which its clones share.
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets the proxy. By default the environment says (`HTTPS_PROXY`, `NO_PROXY`).
    pub fn proxy(mut self, proxy: ProxyConfig) -> Self {
        self.http = self.http.proxy(proxy);
        self
    }

    /// Trusts the certificate authorities in this PEM text, too.
    pub fn add_root_certificate_pem(mut self, pem: &[u8]) -> Self {
        self.http = self.http.add_root_certificate_pem(pem);
        self
    }

    /// Shows this certificate chain to servers that ask for one, proven by `key`; both in PEM.
    pub fn client_identity_pem(mut self, cert_chain: &[u8], key: &[u8]) -> Self {
        self.http = self.http.client_identity_pem(cert_chain, key);
        self
    }

    /// Lets the key go over plain `http` to another machine. Off.
    pub fn allow_insecure_http_with_credentials(mut self, allow: bool) -> Self {
        self.http = self.http.allow_insecure_http_with_credentials(allow);
        self
    }

    /// Takes a stream that ends without any end marker for a whole answer. Off: it is an error of
    /// kind `Truncated`, because a lost connection looks the same.
    pub fn accept_eof(mut self, accept: bool) -> Self {
        self.decode.accept_eof = accept;
        self
    }

    /// For servers whose deltas repeat the whole text so far. Off.
    pub fn cumulative_deltas(mut self, cumulative: bool) -> Self {
        self.decode.cumulative_deltas = cumulative;
        self
    }

    /// Skips events that are no JSON, with a warning. Off: they are an error of kind `Decode`.
    pub fn skip_malformed_events(mut self, skip: bool) -> Self {
        self.decode.skip_malformed_events = skip;
        self
    }

    /// Asks for token counts at the end of streams (`stream_options.include_usage`). On; a few
    /// servers refuse the field.
    pub fn include_usage(mut self, include: bool) -> Self {
        self.include_usage = include;
        self
    }

    /// Says what the server can do beyond text. Everything, if nothing is said.
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Makes the provider. Nothing is sent, and no variable of a placeholder is read yet.
    ///
    /// # Errors
    ///
    /// Kind `Config` when the base URL, a header, a certificate or the proxy cannot be used.
    pub fn build(self) -> Result<OpenAi, ProviderError> {
        let base_url = self.base_url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
        if !has_placeholder(&base_url) {
            endpoint::chat_completions(&base_url)?;
        }
        for (name, _) in &self.headers {
            let taken = OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own));
            if taken || http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(ProviderError::new(
                    ProviderErrorKind::Config,
                    format!("{name:?} cannot be set as a header"),
                )
                .with_hint("choose another header; those of the connection and the body are set by the client"));
            }
        }
        let http = self.http.limits(self.limits).build()?;
        let mut decode = self.decode;
        decode.max_event_bytes = self.limits.event_bytes;
        decode.max_answer_bytes = usize::try_from(self.limits.body_bytes).unwrap_or(usize::MAX);
        Ok(OpenAi::new(Arc::new(Inner {
            name: self.name,
            http,
            base_url,
            api_key: self.api_key.filter(|key| !key.is_empty()),
            model: self.model,
            options: self.options,
            headers: self.headers,
            timeouts: self.timeouts,
            retry: self.retry,
            budget: self.budget,
            decode,
            include_usage: self.include_usage,
            capabilities: self.capabilities,
            environment: self.environment,
        })))
    }
}

impl fmt::Debug for OpenAiBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("OpenAiBuilder")
            .field("name", &self.name)
            .field("model", &self.model)
            .field("has_api_key", &self.api_key.is_some())
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}
