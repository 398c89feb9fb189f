use std::fmt;

use agently_core::settings::SettingsError;
use serde_json::{Map, Value};

use crate::Settings;

/// The group `OpenAICompatible` of [`Settings`], for those who write it in code.
///
/// Texts may contain `${ENV.NAME}`, which is read when a request is made.
///
/// ```
/// use agently::prelude::*;
/// use agently::OpenAiSettings;
///
/// let server = OpenAiSettings::new()
///     .base_url("https://gateway.example.com/v1")
///     .api_key("${ENV.GATEWAY_KEY}")
///     .model("gpt-4o-mini");
/// let settings = server.put_into(Agently::settings())?;
/// assert!(settings.is_set("OpenAICompatible.api_key"));
/// # Ok::<(), agently::Error>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "settings do nothing until they are given to somebody"]
pub struct OpenAiSettings(Map<String, Value>);

impl OpenAiSettings {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets where the server is, up to and with its `/v1`.
    pub fn base_url(self, url: impl Into<String>) -> Self {
        self.text("base_url", url.into())
    }

    /// Sets the API key.
    pub fn api_key(self, key: impl Into<String>) -> Self {
        self.text("api_key", key.into())
    }

    /// Sets the model of requests that name none.
    pub fn model(self, model: impl Into<String>) -> Self {
        self.text("model", model.into())
    }

    /// Sets the URL of the proxy to go through.
    pub fn proxy(self, url: impl Into<String>) -> Self {
        self.text("proxy", url.into())
    }

    /// Sets how often a request that failed on its way is tried again.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.0.insert("max_retries".into(), retries.into());
        self
    }

    /// Sets a field of every request body, as `temperature`.
    pub fn option(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.below("options", name.into(), value.into())
    }

    /// Sets a header of every request.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.below("headers", name.into(), Value::String(value.into()))
    }

    /// Merges it into `settings`.
    ///
    /// # Errors
    ///
    /// A placeholder is not well formed, or `settings` are not [those of this
    /// build](crate::Agently::settings).
    pub fn put_into(self, settings: Settings) -> Result<Settings, SettingsError> {
        settings.with("OpenAICompatible", Value::Object(self.0))
    }

    fn text(mut self, name: &str, value: String) -> Self {
        self.0.insert(name.to_owned(), Value::String(value));
        self
    }

    fn below(mut self, group: &str, name: String, value: Value) -> Self {
        let group = self
            .0
            .entry(group)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(fields) = group {
            fields.insert(name, value);
        }
        self
    }
}

/// Which fields are set; no values.
impl fmt::Debug for OpenAiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
