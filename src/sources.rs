//! The providers that settings can speak of, and the keys of all settings in this build.

use std::sync::Arc;

use agently_core::settings::{Keys, ProviderSource};

/// The settings that this build knows.
pub(crate) fn keys() -> Keys {
    let keys = Keys::core();
    #[cfg(feature = "openai")]
    let keys = openai::with_keys(keys);
    keys
}

/// Makes the providers that this build has.
pub(crate) fn source() -> Arc<dyn ProviderSource> {
    #[cfg(feature = "openai")]
    return openai::source();
    #[cfg(not(feature = "openai"))]
    return Arc::new(none::NoSource);
}

#[cfg(not(feature = "openai"))]
mod none {
    use std::sync::Arc;

    use agently_api::model::ModelProvider;
    use agently_core::settings::ProviderSource;

    use crate::{Error, Result, Settings};

    pub(super) struct NoSource;

    impl ProviderSource for NoSource {
        fn provider(&self, _: &Settings) -> Result<Arc<dyn ModelProvider>> {
            Err(Error::no_provider(
                "no model provider is built in; turn on the feature `openai` of `agently`, \
                 or pass one with `Agently::builder().provider(…)`",
            ))
        }
    }
}

#[cfg(feature = "openai")]
mod openai {
    use std::sync::{Arc, Mutex, OnceLock, PoisonError};

    use agently_api::model::ModelProvider;
    use agently_core::settings::{KeyType, Keys, ProviderSource};
    use agently_provider_openai::{OpenAi, ProxyConfig, RetryPolicy};
    use serde_json::{Map, Value};

    use crate::{Error, Result, Settings};

    const KEYS: &[(&str, KeyType)] = &[
        ("OpenAICompatible.base_url", KeyType::Text),
        ("OpenAICompatible.api_key", KeyType::Secret),
        ("OpenAICompatible.model", KeyType::Text),
        ("OpenAICompatible.options", KeyType::Object),
        ("OpenAICompatible.headers", KeyType::Secrets),
        ("OpenAICompatible.proxy", KeyType::Secret),
        ("OpenAICompatible.max_retries", KeyType::Count),
    ];

    pub(super) fn with_keys(keys: Keys) -> Keys {
        KEYS.iter()
            .fold(keys, |keys, &(path, kind)| keys.with(path, kind))
    }

    /// How many providers are kept for those who come with the same settings again.
    const KEPT: usize = 8;

    /// One for the process, so that agents with the same settings share their connections.
    pub(super) fn source() -> Arc<dyn ProviderSource> {
        static SOURCE: OnceLock<Arc<Source>> = OnceLock::new();
        Arc::<Source>::clone(SOURCE.get_or_init(Arc::default))
    }

    /// Keeps the last few providers that it made.
    #[derive(Default)]
    struct Source(Mutex<Vec<(Settings, Arc<dyn ModelProvider>)>>);

    impl ProviderSource for Source {
        fn provider(&self, settings: &Settings) -> Result<Arc<dyn ModelProvider>> {
            if !settings.is_set("OpenAICompatible") {
                return from_env(settings);
            }
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = kept
                .iter()
                .find(|(known, _)| known.is_same_at("OpenAICompatible", settings));
            if let Some((_, provider)) = known {
                return Ok(Arc::clone(provider));
            }
            let provider: Arc<dyn ModelProvider> = Arc::new(build(settings)?);
            if kept.len() >= KEPT {
                drop(kept.remove(0));
            }
            kept.push((settings.clone(), Arc::clone(&provider)));
            Ok(provider)
        }
    }

    /// Without settings, the environment says.
    fn from_env(settings: &Settings) -> Result<Arc<dyn ModelProvider>> {
        let known = ["OPENAI_API_KEY", "OPENAI_BASE_URL"]
            .iter()
            .any(|name| settings.env(name).is_some());
        if !known {
            return Err(Error::no_provider(
                "no model is configured; set OPENAI_API_KEY and OPENAI_MODEL (and OPENAI_BASE_URL \
                 for another server than OpenAI's), call \
                 `Agently::set_settings(\"OpenAICompatible\", …)`, or name a settings file in \
                 AGENTLY_SETTINGS",
            ));
        }
        let variables = settings.clone();
        let builder = OpenAi::builder()
            .env_lookup(move |name| variables.env(name))
            .read_env();
        Ok(Arc::new(builder.build()?))
    }

    fn build(settings: &Settings) -> Result<OpenAi> {
        // Placeholders go to the provider as they are: it reads the variables when it is asked.
        let text = |name: &str| match settings.as_written(&format!("OpenAICompatible.{name}")) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let object = |name: &str| match settings.as_written(&format!("OpenAICompatible.{name}")) {
            Some(Value::Object(fields)) => fields.clone(),
            _ => Map::new(),
        };
        let variables = settings.clone();
        let mut builder = OpenAi::builder().env_lookup(move |name| variables.env(name));
        match text("base_url") {
            // The environment's key is for the environment's server, and for no other.
            Some(url) => {
                builder = builder.base_url(url);
                if let Some(model) = settings.env("OPENAI_MODEL") {
                    builder = builder.model(model);
                }
            }
            None => builder = builder.read_env(),
        }
        if let Some(key) = text("api_key") {
            builder = builder.api_key(key);
        }
        if let Some(model) = text("model") {
            builder = builder.model(model);
        }
        for (name, value) in object("headers") {
            if let Value::String(value) = value {
                builder = builder.header(name, value);
            }
        }
        builder = builder.options(
            settings
                .get("OpenAICompatible.options")?
                .unwrap_or_default(),
        );
        if let Some(url) = settings.secret("OpenAICompatible.proxy")? {
            builder = builder.proxy(ProxyConfig::url(url.expose()));
        }
        if let Some(retries) = settings.get("OpenAICompatible.max_retries")? {
            builder = builder.retry(RetryPolicy::default().with_max_retries(retries));
        }
        Ok(builder.build()?)
    }
}
