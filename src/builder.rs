use std::fmt;
use std::sync::Arc;

use agently_api::model::ModelProvider;
use agently_api::rt::Runtime;
use agently_core::settings::ProviderSource;
use serde_json::Value;

use crate::{defaults, sources};
use crate::{Agent, Error, Result, Settings};

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
    provider: Provider,
    settings: Settings,
    runtime: Runtime,
}

/// Where the model comes from.
#[derive(Clone)]
enum Provider {
    /// It was given to the builder.
    Given(Arc<dyn ModelProvider>),
    /// It is made from settings, which agents may change.
    FromSettings(Arc<dyn ProviderSource>),
}

impl Agently {
    /// An explicit, independent Agently: give it a provider and, if you like, a runtime.
    pub fn builder() -> AgentlyBuilder {
        AgentlyBuilder::default()
    }

    /// An agent of this Agently.
    pub fn agent(&self) -> Agent {
        let (settings, runtime) = (self.settings.clone(), self.runtime.clone());
        match &self.provider {
            Provider::Given(provider) => {
                Agent::with_settings(Arc::clone(provider), settings, runtime)
            }
            Provider::FromSettings(source) => {
                Agent::from_settings(settings, Arc::clone(source), Some(runtime))
            }
        }
    }

    /// Settings with nothing set, which know every key of this build: the groups `prompt` and
    /// `request`, and with the feature `openai` the group `OpenAICompatible`.
    ///
    /// ```
    /// # #[cfg(feature = "mock")] {
    /// use agently::mock::{MockProvider, Reply};
    /// use agently::prelude::*;
    ///
    /// # fn main() -> agently::Result<()> {
    /// let settings = Agently::settings()
    ///     .with("request.max_retries", 1)?
    ///     .with("request.timeout_seconds", 20)?;
    /// let app = Agently::builder()
    ///     .provider(MockProvider::new().reply(Reply::text("Hello!")))
    ///     .settings(settings)
    ///     .build()?;
    /// assert_eq!(app.agent().input("Hi").start()?, "Hello!");
    /// # Ok(())
    /// # }
    /// # }
    /// ```
    pub fn settings() -> Settings {
        Settings::new(sources::keys())
    }

    /// The runtime.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// An agent of the process default, which is made on first use: from
    /// [`set_settings`](Self::set_settings) and the settings file that `AGENTLY_SETTINGS` names, else
    /// from `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL`.
    ///
    /// It runs on a background runtime of its own, never on an ambient one. What is missing is the
    /// error of the first read.
    pub fn create_agent() -> Agent {
        defaults::agent()
    }

    /// Settings of the process default, for agents created from now on: one, as
    /// `"request.max_retries"`, or a group, which is merged into what is set. What is not set comes
    /// from the environment (the key only if the server does too).
    ///
    /// `"OpenAICompatible"` takes an object with `base_url`, `api_key`, `model`, `options` (further
    /// fields of the request body), `headers`, `proxy` and `max_retries`. Texts may contain
    /// `${ENV.NAME}`. All settings are in `docs/settings.md`.
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
    pub fn set_settings(path: &str, value: impl Into<Value>) -> Result<()> {
        defaults::set(path, value.into())
    }
}

impl fmt::Debug for Agently {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agently")
            .field(
                "provider",
                &match &self.provider {
                    Provider::Given(provider) => provider.name(),
                    Provider::FromSettings(_) => "from settings",
                },
            )
            .field("settings", &self.settings)
            .field("runtime", &self.runtime)
            .finish()
    }
}

/// Makes an [`Agently`].
#[derive(Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct AgentlyBuilder {
    provider: Option<Arc<dyn ModelProvider>>,
    settings: Option<Settings>,
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

    /// The settings of its agents, made with [`Agently::settings`]. Without a
    /// [`provider`](Self::provider) they say which model to ask; with one, that part of them does
    /// not count.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
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
        let has_settings = self.settings.is_some();
        let settings = self.settings.unwrap_or_else(Agently::settings);
        let provider = match self.provider {
            Some(provider) => Provider::Given(provider),
            None if has_settings => {
                let source = sources::source();
                source.provider(&settings)?;
                Provider::FromSettings(source)
            }
            None => {
                return Err(Error::no_provider(
                    "no model provider was given; call `.provider(…)` on the builder, \
                     or give it `.settings(…)` that speak of one",
                ));
            }
        };
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => defaults::runtime()?,
        };
        Ok(Agently {
            provider,
            settings,
            runtime,
        })
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
