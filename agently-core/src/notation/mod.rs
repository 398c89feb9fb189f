//! Data written down as text: JSON, and with their features YAML and TOML.
//!
//! Everything that is read from a file goes through here, so that one set of limits holds: a text
//! has at most 1 MiB, YAML nests at most 64 levels deep, has no tags, and expands at most 1,000
//! aliases. What a text says is data and nothing else.

mod error;
mod file;
#[cfg(feature = "toml")]
mod toml_read;
#[cfg(feature = "yaml")]
mod yaml_read;
#[cfg(feature = "yaml")]
mod yaml_write;

pub use error::NotationError;
pub(crate) use file::{read_text, FileError};

use serde_json::Value;

/// The most bytes that a text may have: 1 MiB.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// How data is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notation {
    /// JSON.
    Json,
    /// YAML 1.2. Needs the feature `yaml`.
    Yaml,
    /// TOML. Needs the feature `toml`.
    Toml,
}

impl Notation {
    /// The notation of files with this name, by its ending.
    ///
    /// ```
    /// use agently_core::notation::Notation;
    ///
    /// assert_eq!(Notation::of_path("conf/agently.yml"), Some(Notation::Yaml));
    /// assert_eq!(Notation::of_path("agently.ini"), None);
    /// ```
    #[must_use]
    pub fn of_path(path: impl AsRef<std::path::Path>) -> Option<Self> {
        let ending = path.as_ref().extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }

    /// The name, as in `YAML`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
        }
    }

    /// Reads a text of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// The text is too long, is not written in this notation, goes over a limit of it, or the
    /// notation's feature is off. The error says where, and repeats nothing of the text.
    pub fn read(self, text: &str) -> Result<Value, NotationError> {
        if text.len() > MAX_BYTES {
            return Err(NotationError::limit(
                self,
                &format!("it has {} bytes; at most {MAX_BYTES} are read", text.len()),
            ));
        }
        // Editors on Windows like to begin files with a byte order mark.
        self.read_bounded(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    pub(crate) fn read_bounded(self, text: &str) -> Result<Value, NotationError> {
        match self {
            Self::Json => serde_json::from_str(text).map_err(|error| NotationError::json(&error)),
            #[cfg(feature = "yaml")]
            Self::Yaml => yaml_read::read(text),
            #[cfg(not(feature = "yaml"))]
            Self::Yaml => Err(NotationError::feature(self, "yaml")),
            #[cfg(feature = "toml")]
            Self::Toml => toml_read::read(text),
            #[cfg(not(feature = "toml"))]
            Self::Toml => Err(NotationError::feature(self, "toml")),
        }
    }

    /// Writes data so that [`read`](Self::read) gives it back.
    ///
    /// # Errors
    ///
    /// The notation's feature is off, or it is TOML, which is only read.
    pub fn write(self, value: &Value) -> Result<String, NotationError> {
        match self {
            Self::Json => Ok(format!("{value:#}\n")),
            #[cfg(feature = "yaml")]
            Self::Yaml => Ok(yaml_write::write(value)),
            #[cfg(not(feature = "yaml"))]
            Self::Yaml => Err(NotationError::feature(self, "yaml")),
            Self::Toml => Err(NotationError::new(
                self,
                None,
                "TOML is only read; write JSON or YAML".to_owned(),
            )),
        }
    }
}

impl std::fmt::Display for Notation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
