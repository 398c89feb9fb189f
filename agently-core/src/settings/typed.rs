//! Setters for those who know at compile time what they set.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Settings;

impl Settings {
    /// Sets `request.max_retries`: how often the model is asked again when its answer is refused.
    pub fn max_retries(self, retries: u32) -> Self {
        self.assign("max_retries", retries.into())
    }

    /// Sets `request.timeout_seconds`: how long a whole request may take. Zero is one nanosecond.
    pub fn timeout(self, limit: Duration) -> Self {
        let limit = limit.max(Duration::from_nanos(1));
        self.assign("timeout_seconds", limit.as_secs_f64().into())
    }

    /// Sets `request.response_limit`: how many bytes an answer may have.
    pub fn response_limit(self, bytes: u64) -> Self {
        self.assign("response_limit", bytes.into())
    }

    /// Sets `request.model`: the model to use instead of the provider's own choice.
    pub fn model(self, model: impl Into<String>) -> Self {
        self.assign("model", Value::String(model.into()))
    }

    /// Sets a field of `request.options`: of the request body, as `temperature`.
    pub fn option(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let mut options = Map::new();
        options.insert(name.into(), value.into());
        let values = std::sync::Arc::make_mut(&mut self.values);
        match super::slot(values, "request.options") {
            Value::Object(old) => super::overlay(old, options),
            slot => *slot = Value::Object(options),
        }
        self
    }

    /// Sets `request.stream`: whether the answer is asked for piece by piece.
    pub fn stream(self, stream: bool) -> Self {
        self.assign("stream", stream.into())
    }

    /// These have the right type by their signature. A model's name is taken as it is, so that a
    /// bad placeholder in it is the error of the first read.
    fn assign(mut self, name: &str, value: Value) -> Self {
        let values = std::sync::Arc::make_mut(&mut self.values);
        *super::slot(values, &format!("request.{name}")) = value;
        self
    }
}
