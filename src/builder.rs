use std::fmt;
use std::sync::Arc;

use agently_api::model::ModelProvider;
use agently_api::rt::Runtime;
use serde_json::Value;

use crate::defaults;
use crate::{Agent, Error, Result};

/// Where agents come from.
///
/// A script uses the process default, which is made from the environment on first use:
///
/// ```no_run
/// use agently::prelude::*;
///
/// let agent = Agently::create_agent();
/// ```
///
/// A service or a test makes an explicit, independent one:
///
/// ```
/// use agently::mock::{MockProvider, Reply};
/// use agently::prelude::*;
///
/// # fn main() -> agently::Result<()> {
/// let app = Agently::builder()
///     .provider(MockProvider::new().reply(Reply::text("Hello!")))
///     .build()?;
/// assert_eq!(app.agent().input("Hi").start()?, "Hello!");
/// # Ok(())
/// # }
/// ```
///
/// Both give the same [`Agent`].
#[derive(Clone)]
pub struct Agently {
    provider: Arc<dyn ModelProvider>,
    runtime: Runtime,
}

impl Agently {
    /// An explicit, independent Agently: give it a provider and, if you like, a runtime.
    pub fn builder() -> AgentlyBuilder {
        AgentlyBuilder::default()
    }

    /// An agent of this Agently.
    pub fn agent(&self) -> Agent {
        Agent::new(Arc::clone(&self.provider), self.runtime.clone())
    }

    /// The runtime.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// An agent of the process default, which is made on first use: from
    /// [`set_settings`](Self::set_settings), else from `OPENAI_BASE_URL`, `OPENAI_API_KEY` and
    /// `OPENAI_MODEL`.
    ///
    /// It runs on a background runtime of its own, never on an ambient one. What is missing is the
    /// error of the first read.
    pub fn create_agent() -> Agent {
        defaults::agent()
    }

    /// Settings of the process default, for agents created from now on. They are added to those set
    /// before; what is not set comes from the environment (the key only if the server does too).
    ///
    /// `"OpenAICompatible"` takes an object with `base_url`, `api_key`, `model`, `options` (further
    /// fields of the request body) and `headers`. Texts may contain `${ENV.NAME}`.
    ///
    /// ```
    /// # #[cfg(feature = "openai")] {
    /// use agently::prelude::*;
    ///
    /// Agently::set_settings("OpenAICompatible", json!({
    ///     "base_url": "http://127.0.0.1:11434/v1",
    ///     "model": "qwen3",
    ///     "options": { "temperature": 0.2 },
    /// }))?;
    /// # }
    /// # Ok::<(), agently::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Kind [`Config`](crate::ErrorKind::Config) for a name or a key that is not known, or a value
    /// of the wrong type; nothing is changed then.
    pub fn set_settings(name: &str, value: Value) -> Result<()> {
        defaults::set(name, value)
    }
}

impl fmt::Debug for Agently {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agently")
            .field("provider", &self.provider.name())
            .field("runtime", &self.runtime)
            .finish()
    }
}

/// Makes an [`Agently`].
#[derive(Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct AgentlyBuilder {
    provider: Option<Arc<dyn ModelProvider>>,
    runtime: Option<Runtime>,
}

impl AgentlyBuilder {
    /// The model to ask.
    pub fn provider(self, provider: impl ModelProvider) -> Self {
        self.shared_provider(Arc::new(provider))
    }

    /// The model to ask, shared with others.
    pub fn shared_provider(mut self, provider: Arc<dyn ModelProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// The runtime to run on. Without it, a background runtime of the first enabled feature of
    /// `tokio` and `smol` is used.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Puts it together.
    ///
    /// # Errors
    ///
    /// Kind [`NoProvider`](crate::ErrorKind::NoProvider) or
    /// [`NoRuntime`](crate::ErrorKind::NoRuntime), with what to do about it.
    pub fn build(self) -> Result<Agently> {
        let provider = self.provider.ok_or_else(|| {
            Error::no_provider("no model provider was given; call `.provider(…)` on the builder")
        })?;
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => defaults::runtime()?,
        };
        Ok(Agently { provider, runtime })
    }
}

impl fmt::Debug for AgentlyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentlyBuilder")
            .field(
                "provider",
                &self.provider.as_ref().map(|provider| provider.name()),
            )
            .field("runtime", &self.runtime)
            .finish()
    }
}
