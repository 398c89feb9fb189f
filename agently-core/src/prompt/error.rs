use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::format::FormatError;

/// A prompt cannot be sent.
///
/// No message contains anything of the prompt itself.
#[derive(Clone, Debug)]
pub struct PromptError {
    kind: PromptErrorKind,
    message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kinds of [`PromptError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PromptErrorKind {
    /// No slot asks anything of the model.
    Empty,
    /// A value cannot be written down.
    Value,
    /// The output format cannot hold an answer of the declared shape.
    Format,
}

impl PromptError {
    pub(super) fn empty(message: impl Into<String>) -> Self {
        Self {
            kind: PromptErrorKind::Empty,
            message: message.into(),
            source: None,
        }
    }

    pub(super) fn value(type_name: &str, source: serde_json::Error) -> Self {
        Self {
            kind: PromptErrorKind::Value,
            message: format!(
                "a `{type_name}` cannot be put into the prompt, because it has no JSON form; \
                 pass a text, or a type whose map keys are strings"
            ),
            source: Some(Arc::new(source)),
        }
    }

    pub(super) fn format(error: &FormatError) -> Self {
        Self {
            kind: PromptErrorKind::Format,
            message: error.to_string(),
            source: None,
        }
    }

    /// Which kind of fault this is.
    #[must_use]
    pub fn kind(&self) -> PromptErrorKind {
        self.kind
    }
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for PromptError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
