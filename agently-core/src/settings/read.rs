//! Reading settings: expanded, and of their type.

use std::time::Duration;

use agently_api::secret::Secret;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::environment::has_placeholder;
use super::{KeyType, Settings, SettingsError, SettingsErrorKind};

impl Settings {
    /// The setting, or the whole group, at `path`, with the values of variables in the place of
    /// placeholders; `None` if it is not set.
    ///
    /// # Errors
    ///
    /// There is no such setting, a variable is missing, or the value is no `T`.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, SettingsError> {
        let Some(value) = self.resolve(path)? else {
            return Ok(None);
        };
        serde_json::from_value(value).map(Some).map_err(|_| {
            SettingsError::new(
                SettingsErrorKind::Type,
                path,
                format!("cannot be read as `{}`", std::any::type_name::<T>()),
            )
        })
    }

    /// A text that must not be printed.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn secret(&self, path: &str) -> Result<Option<Secret>, SettingsError> {
        // Keys come out of files and shells with a line break at the end.
        let text = self.get::<String>(path)?;
        Ok(text.map(|text| Secret::new(text.trim())))
    }

    /// A number of seconds.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and if it is no time span.
    pub fn seconds(&self, path: &str) -> Result<Option<Duration>, SettingsError> {
        let seconds = self.get::<f64>(path)?;
        seconds
            .map(|seconds| {
                Duration::try_from_secs_f64(seconds).map_err(|_| {
                    SettingsError::new(
                        SettingsErrorKind::Value,
                        path,
                        "must be a number of seconds, more than 0",
                    )
                })
            })
            .transpose()
    }

    /// All that is set, to be shown or stored: placeholders are placeholders, and secrets that were
    /// written out are `"…"`.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let mut values = (*self.values).clone();
        for (name, value) in &mut values {
            self.redact(name, false, value);
        }
        Value::Object(values)
    }

    fn redact(&self, path: &str, secret: bool, value: &mut Value) {
        let secret = secret || self.keys.exact(path).is_some_and(KeyType::is_secret);
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.redact(&format!("{path}.{name}"), secret, field);
                }
            }
            value if secret && !is_placeholder_alone(value) => *value = "…".into(),
            _ => {}
        }
    }

    fn resolve(&self, path: &str) -> Result<Option<Value>, SettingsError> {
        // A name that is misspelt must not look like a setting that is not set.
        self.keys.find(path)?;
        self.as_written(path)
            .map(|value| self.expanded(path, value))
            .transpose()
    }

    fn expanded(&self, path: &str, value: &Value) -> Result<Value, SettingsError> {
        Ok(match value {
            Value::String(text) => {
                let expanded = self.environment.expand(text, path)?.into_owned();
                match self.keys.exact(path) {
                    Some(kind) if has_placeholder(text) => typed(kind, path, expanded)?,
                    _ => Value::String(expanded),
                }
            }
            Value::Array(items) => items
                .iter()
                .map(|item| self.expanded(path, item))
                .collect::<Result<_, _>>()?,
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| {
                        let value = self.expanded(&format!("{path}.{name}"), field)?;
                        Ok((name.clone(), value))
                    })
                    .collect::<Result<Map<_, _>, SettingsError>>()?,
            ),
            value => value.clone(),
        })
    }
}

/// Whether a text is one placeholder and nothing else.
fn is_placeholder_alone(value: &Value) -> bool {
    value
        .as_str()
        .and_then(|text| text.strip_prefix("${ENV.")?.strip_suffix('}'))
        .is_some_and(super::environment::is_name)
}

/// A text that came from a variable, as a value of this type.
fn typed(kind: KeyType, path: &str, text: String) -> Result<Value, SettingsError> {
    let value = match kind {
        KeyType::Bool | KeyType::Count | KeyType::Seconds => serde_json::from_str(text.trim())
            .ok()
            .filter(|value: &Value| value.is_boolean() || value.is_number())
            .unwrap_or(Value::String(String::new())),
        _ => Value::String(text),
    };
    kind.check(path, &value)?;
    Ok(value)
}
