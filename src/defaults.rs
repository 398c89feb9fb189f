//! The process default: one set of settings, one provider, one background runtime, made on first
//! use.

use agently_api::rt::Runtime;
use serde_json::Value;

use crate::{Agent, Error, Result};

/// The background runtime of the first enabled backend.
pub(crate) fn runtime() -> Result<Runtime> {
    #[cfg(feature = "tokio")]
    return agently_backend_tokio::runtime().map_err(not_started);
    #[cfg(all(feature = "smol", not(feature = "tokio")))]
    return agently_backend_smol::runtime().map_err(not_started);
    #[cfg(not(any(feature = "tokio", feature = "smol")))]
    return Err(Error::no_runtime(
        "no async runtime is built in; turn on the feature `tokio` or `smol` of `agently`, \
         or pass one with `.runtime(…)` on the builder",
    ));
}

#[cfg(any(feature = "tokio", feature = "smol"))]
#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn not_started(error: std::io::Error) -> Error {
    Error::no_runtime(format!(
        "the background runtime could not be started: {error}"
    ))
}

#[cfg(feature = "openai")]
mod provider {
    use std::sync::{Arc, Mutex, PoisonError};

    use agently_api::model::ModelProvider;
    use agently_provider_openai::OpenAi;
    use serde_json::{Map, Value};

    use crate::{Error, Result};

    const KEYS: &[&str] = &["base_url", "api_key", "model", "options", "headers"];

    #[derive(Default)]
    struct Defaults {
        settings: Option<Map<String, Value>>,
        provider: Option<Arc<dyn ModelProvider>>,
    }

    static DEFAULTS: Mutex<Defaults> = Mutex::new(Defaults {
        settings: None,
        provider: None,
    });

    /// The default provider, made on first use.
    pub(super) fn get() -> Result<Arc<dyn ModelProvider>> {
        let mut defaults = DEFAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = &defaults.provider {
            return Ok(Arc::clone(provider));
        }
        let provider: Arc<dyn ModelProvider> = match &defaults.settings {
            Some(settings) => Arc::new(build(settings)?),
            None => Arc::new(from_env()?),
        };
        defaults.provider = Some(Arc::clone(&provider));
        Ok(provider)
    }

    /// Takes over settings, if a provider can be made of them and those set before.
    pub(super) fn set(settings: Map<String, Value>) -> Result<()> {
        let mut defaults = DEFAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        let mut merged = defaults.settings.clone().unwrap_or_default();
        merged.extend(settings);
        build(&merged)?;
        defaults.settings = Some(merged);
        defaults.provider = None;
        Ok(())
    }

    fn from_env() -> Result<OpenAi> {
        let known = ["OPENAI_API_KEY", "OPENAI_BASE_URL"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
        if !known {
            return Err(Error::no_provider(
                "no model is configured; set OPENAI_API_KEY and OPENAI_MODEL (and OPENAI_BASE_URL \
                 for another server than OpenAI's), or call \
                 `Agently::set_settings(\"OpenAICompatible\", …)`",
            ));
        }
        Ok(OpenAi::from_env()?)
    }

    fn build(settings: &Map<String, Value>) -> Result<OpenAi> {
        if let Some(key) = settings.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::config(format!(
                "`OpenAICompatible.{key}` is not a setting; there are {}",
                KEYS.join(", ")
            )));
        }
        let mut builder = OpenAi::builder();
        match text(settings, "base_url")? {
            // The environment's key is for the environment's server, and for no other.
            Some(url) => {
                builder = builder.base_url(url);
                if let Ok(model) = std::env::var("OPENAI_MODEL") {
                    builder = builder.model(model);
                }
            }
            None => builder = builder.read_env(),
        }
        if let Some(key) = text(settings, "api_key")? {
            builder = builder.api_key(key);
        }
        if let Some(model) = text(settings, "model")? {
            builder = builder.model(model);
        }
        for (name, value) in object(settings, "options")? {
            builder = builder.option(name, value.clone());
        }
        for (name, value) in object(settings, "headers")? {
            let value = value.as_str().ok_or_else(|| {
                Error::config(format!("`OpenAICompatible.headers.{name}` must be a text"))
            })?;
            builder = builder.header(name, value);
        }
        Ok(builder.build()?)
    }

    fn text<'a>(settings: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>> {
        match settings.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::config(format!(
                "`OpenAICompatible.{key}` must be a text"
            ))),
        }
    }

    fn object<'a>(
        settings: &'a Map<String, Value>,
        key: &str,
    ) -> Result<impl Iterator<Item = (&'a String, &'a Value)>> {
        match settings.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(_) => Err(Error::config(format!(
                "`OpenAICompatible.{key}` must be an object"
            ))),
        }
        .map(|fields| fields.into_iter().flatten())
    }
}

/// An agent of the process default.
pub(crate) fn agent() -> Agent {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return Agent::unavailable(error, None),
    };
    #[cfg(feature = "openai")]
    return match provider::get() {
        Ok(provider) => Agent::new(provider, runtime),
        Err(error) => Agent::unavailable(error, Some(runtime)),
    };
    #[cfg(not(feature = "openai"))]
    return Agent::unavailable(
        Error::no_provider(
            "no model provider is built in; turn on the feature `openai` of `agently`, \
             or pass one with `Agently::builder().provider(…)`",
        ),
        Some(runtime),
    );
}

/// Settings of the process default.
pub(crate) fn set(name: &str, value: Value) -> Result<()> {
    if name != "OpenAICompatible" {
        return Err(Error::config(format!(
            "`{name}` is not a settings group; did you mean `OpenAICompatible`?"
        )));
    }
    let Value::Object(settings) = value else {
        return Err(Error::config("`OpenAICompatible` must be an object"));
    };
    #[cfg(feature = "openai")]
    return provider::set(settings);
    #[cfg(not(feature = "openai"))]
    {
        drop(settings);
        Err(Error::config(
            "`OpenAICompatible` needs the feature `openai` of `agently`",
        ))
    }
}
