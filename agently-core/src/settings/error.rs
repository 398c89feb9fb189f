use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::notation::{FileError, NotationError};

/// A setting, or a text with settings, is wrong.
///
/// `Display` says where, what is wrong and what to write instead. It repeats names, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    kind: SettingsErrorKind,
    path: String,
    message: String,
}

/// The kinds of [`SettingsError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettingsErrorKind {
    /// There is no setting of this name.
    UnknownKey,
    /// The value is of another type than the setting's.
    Type,
    /// The value is of the right type, and none that the setting can have.
    Value,
    /// A placeholder `${ENV.NAME}` is not well formed, or its variable may not be read.
    Placeholder,
    /// The environment variable of a placeholder is not set.
    MissingVariable,
    /// A text is not JSON, YAML, TOML or a `.env` file.
    Syntax,
    /// A file cannot be read.
    File,
}

impl SettingsError {
    pub(super) fn new(
        kind: SettingsErrorKind,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            path: path.into(),
            message: message.into(),
        }
    }

    pub(super) fn syntax(error: &NotationError) -> Self {
        Self::new(SettingsErrorKind::Syntax, "", error.to_string())
    }

    pub(super) fn file(path: &Path, error: &FileError) -> Self {
        Self::new(
            SettingsErrorKind::File,
            "",
            format!("the file {}: {error}", path.display()),
        )
    }

    /// The same, of this file.
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.message = format!("{} (in {})", self.message, path.display());
        self
    }

    /// Which kind of fault this is.
    #[must_use]
    pub fn kind(&self) -> SettingsErrorKind {
        self.kind
    }

    /// The setting, as in `request.max_retries`; empty if the fault is not one setting's.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong and what to do, without the setting's name.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "`{}` {}", self.path, self.message)
        }
    }
}

impl StdError for SettingsError {}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Self::with_source(ErrorKind::Config, "the settings are wrong", error)
    }
}
