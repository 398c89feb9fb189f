//! Settings: what can be said without code, by dotted path.
//!
//! ```
//! use agently_core::settings::{Keys, Settings};
//! use serde_json::json;
//!
//! let settings = Settings::new(Keys::core())
//!     .with("request.max_retries", 1)?
//!     .with("request", json!({ "timeout_seconds": 20, "options": { "temperature": 0.2 } }))?;
//! assert_eq!(settings.get::<u32>("request.max_retries")?, Some(1));
//! assert_eq!(settings.get::<f64>("request.options.temperature")?, Some(0.2));
//! # Ok::<(), agently_core::settings::SettingsError>(())
//! ```
//!
//! # Three levels
//!
//! An agent is made with the settings of its Agently, and a request with those of its agent. Each
//! has a copy of its own and may change it; what is changed later above does not reach it. Where an
//! explicit call says the same as a setting (`max_retries(5)` and `request.max_retries`), the later
//! one counts.
//!
//! # Merging
//!
//! An object is merged into what is there, field by field. `null` takes a value away. Either all of
//! a value is taken or, if there is a fault in it, nothing.
//!
//! # Variables
//!
//! `${ENV.NAME}` in a text stays as it is written until the setting is used, and is never looked
//! for anywhere else: not in prompts, answers or values of variables.

mod bound;
mod dot_env;
mod environment;
mod error;
mod keys;
mod read;
mod source;
mod typed;

pub(crate) use bound::Bound;
pub use error::{SettingsError, SettingsErrorKind};
pub use keys::{KeyType, Keys};
pub use source::ProviderSource;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::notation::{read_text, Notation};
use environment::Environment;
use keys::Place;

/// A set of settings: see the [module](self). A cheap clone.
#[derive(Clone)]
#[must_use = "settings do nothing until they are given to somebody"]
pub struct Settings {
    keys: Keys,
    values: Arc<Map<String, Value>>,
    environment: Environment,
}

impl Default for Settings {
    /// Nothing set, with the [keys of this crate](Keys::core).
    fn default() -> Self {
        Self::new(Keys::core())
    }
}

impl Settings {
    /// Nothing set, of these keys.
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            values: Arc::default(),
            environment: Environment::default(),
        }
    }

    /// The settings that there are.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Sets the setting, or merges the group, at `path`.
    ///
    /// # Errors
    ///
    /// There is no such setting, or it cannot have this value; the error names the right one.
    pub fn with(mut self, path: &str, value: impl Into<Value>) -> Result<Self, SettingsError> {
        self.set(path, value)?;
        Ok(self)
    }

    /// [`with`](Self::with), in place. After an error nothing has changed.
    ///
    /// # Errors
    ///
    /// As [`with`](Self::with).
    pub fn set(&mut self, path: &str, value: impl Into<Value>) -> Result<(), SettingsError> {
        let value = value.into();
        let mut values = (*self.values).clone();
        self.put(path, value, &mut values)?;
        self.values = Arc::new(values);
        Ok(())
    }

    /// Merges an object of groups, as a whole settings file has it.
    ///
    /// # Errors
    ///
    /// As [`with`](Self::with), and if it is no object.
    pub fn with_value(mut self, value: Value) -> Result<Self, SettingsError> {
        self.merge_value(value)?;
        Ok(self)
    }

    fn merge_value(&mut self, value: Value) -> Result<(), SettingsError> {
        let groups = match value {
            Value::Object(groups) => groups,
            // An empty file.
            Value::Null => return Ok(()),
            _ => {
                return Err(SettingsError::new(
                    SettingsErrorKind::Type,
                    "",
                    "settings must be an object of groups, as `request`",
                ));
            }
        };
        let mut values = (*self.values).clone();
        for (path, value) in groups {
            self.put(&path, value, &mut values)?;
        }
        self.values = Arc::new(values);
        Ok(())
    }

    /// Merges a text of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// The text is not written in this notation, or there is a fault in the settings.
    pub fn with_text(self, notation: Notation, text: &str) -> Result<Self, SettingsError> {
        let value = notation
            .read(text)
            .map_err(|error| SettingsError::syntax(&error))?;
        self.with_value(value)
    }

    /// Merges a file, whose ending says its notation: `.json`, `.yaml`, `.yml` or `.toml`.
    ///
    /// It is read at once, on this thread: at the start of a program, not in a task.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is larger than 1 MiB, is not written in the notation of its ending,
    /// or there is a fault in the settings.
    pub fn with_file(self, path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        let path = path.as_ref();
        let notation = Notation::of_path(path).ok_or_else(|| {
            SettingsError::new(
                SettingsErrorKind::File,
                "",
                format!(
                    "the file {} has no ending that says its notation; \
                     name it `.json`, `.yaml` or `.toml`",
                    path.display()
                ),
            )
        })?;
        let text = read_text(path).map_err(|error| SettingsError::file(path, &error))?;
        self.with_text(notation, &text)
            .map_err(|error| error.in_file(path))
    }

    /// Reads a `.env` file, for variables that the process does not have.
    ///
    /// A line is `NAME=value`; values may be quoted, and `#` begins a comment. The process's
    /// environment itself is not changed. It is read at once, on this thread.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is larger than 1 MiB, or has a line that is none.
    pub fn with_dot_env(self, path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        let path = path.as_ref();
        let text = read_text(path).map_err(|error| SettingsError::file(path, &error))?;
        self.with_dot_env_text(&text)
            .map_err(|error| error.in_file(path))
    }

    /// [`with_dot_env`](Self::with_dot_env), of a text.
    ///
    /// # Errors
    ///
    /// The text has a line that is none. The error names the line and repeats nothing of it.
    pub fn with_dot_env_text(mut self, text: &str) -> Result<Self, SettingsError> {
        self.environment.add_file(dot_env::parse(text)?);
        Ok(self)
    }

    /// Reads environment variables from elsewhere than the process.
    pub fn env_lookup(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.environment.set_lookup(lookup);
        self
    }

    /// Lets settings read only these variables; a `*` at the end stands for any rest, as in
    /// `OPENAI_*`. Without this, every variable that a placeholder names is read.
    ///
    /// Say it before settings come from where you do not trust every name.
    pub fn allow_env<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.environment
            .allow(names.into_iter().map(Into::into).collect());
        self
    }

    /// The variable, if settings may read it, and it is set and not empty.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<String> {
        self.environment.get(name)
    }

    /// Merges all that `other` has set, and the variables of its `.env` files. Its keys, and where
    /// else it reads variables, stay with it.
    ///
    /// # Errors
    ///
    /// `other` has settings that this one does not know.
    pub fn merge(&mut self, other: &Self) -> Result<(), SettingsError> {
        self.merge_value(Value::Object((*other.values).clone()))?;
        self.environment.add_files_of(&other.environment);
        Ok(())
    }

    /// Whether something is set at `path`, or below it.
    #[must_use]
    pub fn is_set(&self, path: &str) -> bool {
        self.as_written(path).is_some()
    }

    /// Whether the same is set at `path`, and below it, as in `other`.
    #[must_use]
    pub fn is_same_at(&self, path: &str, other: &Self) -> bool {
        self.as_written(path) == other.as_written(path)
            && self.environment.is_same(&other.environment)
    }

    /// Takes away what is set at `path` and below it.
    pub fn remove(&mut self, path: &str) {
        if self.is_set(path) {
            take(Arc::make_mut(&mut self.values), path);
        }
    }

    /// What is set at `path`, as it was written: placeholders are placeholders, and secrets are
    /// secrets. Whoever calls this answers for where they go.
    #[must_use]
    pub fn as_written(&self, path: &str) -> Option<&Value> {
        let mut steps = path.split('.');
        let mut value = self.values.get(steps.next()?)?;
        for step in steps {
            value = value.as_object()?.get(step)?;
        }
        Some(value)
    }

    fn put(
        &self,
        path: &str,
        value: Value,
        values: &mut Map<String, Value>,
    ) -> Result<(), SettingsError> {
        let place = self.keys.find(path)?;
        if value.is_null() {
            take(values, path);
            return Ok(());
        }
        match place {
            Place::Group => {
                let Value::Object(fields) = value else {
                    return Err(SettingsError::new(
                        SettingsErrorKind::Type,
                        path,
                        "must be an object, because it is a group of settings",
                    ));
                };
                for (name, field) in fields {
                    self.put(&format!("{path}.{name}"), field, values)?;
                }
                return Ok(());
            }
            Place::Setting(kind) => kind.check(path, &value)?,
            Place::Field { secret: true } => KeyType::Secret.check(path, &value)?,
            Place::Field { secret: false } => {}
        }
        self.check_placeholders(path, &value)?;
        let slot = slot(values, path);
        match value {
            Value::Object(new) => {
                if !slot.is_object() {
                    *slot = Value::Object(Map::new());
                }
                if let Value::Object(old) = slot {
                    overlay(old, new);
                }
            }
            value => *slot = value,
        }
        Ok(())
    }

    fn check_placeholders(&self, path: &str, value: &Value) -> Result<(), SettingsError> {
        match value {
            Value::String(text) => self.environment.check(text, path),
            Value::Array(items) => items
                .iter()
                .try_for_each(|item| self.check_placeholders(path, item)),
            Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
                self.check_placeholders(&format!("{path}.{name}"), field)
            }),
            _ => Ok(()),
        }
    }
}

/// The place of `path`, with the objects above it made.
fn slot<'a>(values: &'a mut Map<String, Value>, path: &str) -> &'a mut Value {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let slot = values.entry(first).or_insert(Value::Null);
    let Some(rest) = rest else { return slot };
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(fields) => self::slot(fields, rest),
        other => other,
    }
}

/// Removes `path`, and objects that are empty then.
fn take(values: &mut Map<String, Value>, path: &str) {
    let Some((first, rest)) = path.split_once('.') else {
        values.shift_remove(path);
        return;
    };
    if let Some(Value::Object(fields)) = values.get_mut(first) {
        take(fields, rest);
        if fields.is_empty() {
            values.shift_remove(first);
        }
    }
}

/// Puts `new` over `old`, field by field; null takes away.
fn overlay(old: &mut Map<String, Value>, new: Map<String, Value>) {
    for (name, value) in new {
        match (old.get_mut(&name), value) {
            (_, Value::Null) => {
                old.shift_remove(&name);
            }
            (Some(Value::Object(old)), Value::Object(new)) => overlay(old, new),
            (_, value) => {
                old.insert(name, value);
            }
        }
    }
}

/// Which settings are set; no values.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<&str> = self.keys.paths().filter(|path| self.is_set(path)).collect();
        f.debug_struct("Settings")
            .field("set", &set)
            .field("environment", &self.environment)
            .finish()
    }
}
