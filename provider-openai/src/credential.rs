//! Settings that may come from the environment.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::secret::Secret;

const OPEN: &str = "${ENV.";

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where environment variables come from.
#[derive(Clone)]
pub(crate) struct Environment(Arc<Lookup>);

impl Environment {
    pub(crate) fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// The variable, if it is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// Puts the values of variables in the place of `${ENV.NAME}`, once: values are not looked
    /// into. `setting` is what the error calls the text.
    pub(crate) fn expand<'a>(
        &self,
        text: &'a str,
        setting: &str,
    ) -> Result<Cow<'a, str>, ProviderError> {
        if !text.contains(OPEN) {
            return Ok(Cow::Borrowed(text));
        }
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let name = after.split_once('}').filter(|(name, _)| is_name(name));
            let Some((name, after)) = name else {
                return Err(ProviderError::new(
                    ProviderErrorKind::Config,
                    format!("the {setting} holds a placeholder that does not end"),
                )
                .with_hint("write it as ${ENV.NAME}, with letters, digits and `_` in the name"));
            };
            let Some(value) = self.get(name) else {
                return Err(ProviderError::new(
                    ProviderErrorKind::Config,
                    format!(
                        "the {setting} needs the environment variable {name}, which is not set"
                    ),
                )
                .with_hint(format!("set {name} and start the program again")));
            };
            expanded.push_str(before);
            expanded.push_str(&value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(Cow::Owned(expanded))
    }

    /// [`expand`](Self::expand) for a secret.
    pub(crate) fn expand_secret(
        &self,
        secret: &Secret,
        setting: &str,
    ) -> Result<Secret, ProviderError> {
        let text = self.expand(secret.expose(), setting)?;
        // Keys come out of files and shells with a line break at the end.
        Ok(Secret::new(text.trim()))
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// The placeholder for a variable.
pub(crate) fn placeholder(name: &str) -> String {
    format!("{OPEN}{name}}}")
}

/// Whether a text has a placeholder in it, so that its value is known only when it is used.
pub(crate) fn has_placeholder(text: &str) -> bool {
    text.contains(OPEN)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
