//! Where placeholders get their values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::error::{SettingsError, SettingsErrorKind};

const OPEN: &str = "${ENV.";

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Environment variables: those of the process, then those of `.env` files.
#[derive(Clone)]
pub(super) struct Environment {
    lookup: Arc<Lookup>,
    files: Arc<BTreeMap<String, String>>,
    /// The names that may be read; a `*` at the end stands for any rest. `None` allows all.
    allowed: Option<Arc<[String]>>,
}

impl Environment {
    pub(super) fn set_lookup(
        &mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) {
        self.lookup = Arc::new(lookup);
    }

    /// Adds the variables of a file; what an earlier file said stands.
    pub(super) fn add_file(&mut self, variables: Vec<(String, String)>) {
        let files = Arc::make_mut(&mut self.files);
        for (name, value) in variables {
            files.entry(name).or_insert(value);
        }
    }

    /// Adds the variables of another's files.
    pub(super) fn add_files_of(&mut self, other: &Self) {
        if !other.files.is_empty() {
            let files = other.files.iter();
            self.add_file(
                files
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            );
        }
    }

    pub(super) fn allow(&mut self, names: Vec<String>) {
        self.allowed = Some(names.into());
    }

    /// Whether variables certainly come from the same places.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lookup, &other.lookup)
            && self.files == other.files
            && self.allowed == other.allowed
    }

    fn is_allowed(&self, name: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| {
            allowed
                .iter()
                .any(|pattern| match pattern.strip_suffix('*') {
                    Some(start) => name.starts_with(start),
                    None => name == pattern,
                })
        })
    }

    /// The variable, if it may be read, is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        if !self.is_allowed(name) {
            return None;
        }
        let filled = |value: &String| !value.is_empty();
        (self.lookup)(name)
            .filter(filled)
            .or_else(|| self.files.get(name).filter(|value| filled(value)).cloned())
    }

    /// Puts the values of variables in the place of `${ENV.NAME}`, once: values are not looked
    /// into. `path` is the setting.
    pub(super) fn expand<'a>(
        &self,
        text: &'a str,
        path: &str,
    ) -> Result<Cow<'a, str>, SettingsError> {
        if !has_placeholder(text) {
            return Ok(Cow::Borrowed(text));
        }
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let (name, after) = split_name(after).ok_or_else(|| malformed(path))?;
            let value = self.get(name).ok_or_else(|| self.missing(name, path))?;
            expanded.push_str(before);
            expanded.push_str(&value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(Cow::Owned(expanded))
    }

    /// Whether every placeholder of the text is well formed and may be read.
    pub(super) fn check(&self, text: &str, path: &str) -> Result<(), SettingsError> {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(OPEN) {
            let (name, after) = split_name(after).ok_or_else(|| malformed(path))?;
            if !self.is_allowed(name) {
                return Err(self.missing(name, path));
            }
            rest = after;
        }
        Ok(())
    }

    fn missing(&self, name: &str, path: &str) -> SettingsError {
        if self.is_allowed(name) {
            SettingsError::new(
                SettingsErrorKind::MissingVariable,
                path,
                format!(
                    "needs the environment variable {name}, which is not set; \
                     set it, or write it into a `.env` file that is read"
                ),
            )
        } else {
            SettingsError::new(
                SettingsErrorKind::Placeholder,
                path,
                format!(
                    "asks for the environment variable {name}, which settings may not read here; \
                     add it to `allow_env`"
                ),
            )
        }
    }
}

fn malformed(path: &str) -> SettingsError {
    SettingsError::new(
        SettingsErrorKind::Placeholder,
        path,
        "holds a placeholder that is not well formed; write it as ${ENV.NAME}, with letters, \
         digits and `_` in the name",
    )
}

fn split_name(text: &str) -> Option<(&str, &str)> {
    text.split_once('}').filter(|(name, _)| is_name(name))
}

/// Whether this can name a variable.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a text has a placeholder in it, so that its value is known only when it is used.
pub(super) fn has_placeholder(text: &str) -> bool {
    text.contains(OPEN)
}

/// The process's environment, by one closure for all, so that two of them are known to be the same.
fn process() -> Arc<Lookup> {
    static PROCESS: OnceLock<Arc<Lookup>> = OnceLock::new();
    Arc::clone(PROCESS.get_or_init(|| Arc::new(|name| std::env::var(name).ok())))
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            lookup: process(),
            files: Arc::default(),
            allowed: None,
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names only.
        f.debug_struct("Environment")
            .field("files", &self.files.keys())
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}
