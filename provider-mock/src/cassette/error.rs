use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A cassette could not be read or written.
#[derive(Debug)]
pub struct CassetteError {
    kind: CassetteErrorKind,
    path: PathBuf,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Kinds of [`CassetteError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CassetteErrorKind {
    /// The file system refused.
    Io,
    /// The file is no cassette, or a damaged one.
    Format,
    /// The file is a cassette of a version that this library does not know.
    Version,
}

impl CassetteError {
    pub(super) fn io(path: &Path, doing: &str, source: io::Error) -> Self {
        Self {
            kind: CassetteErrorKind::Io,
            path: path.to_owned(),
            message: format!("could not be {doing}"),
            source: Some(Box::new(source)),
        }
    }

    /// `line` counts from 1.
    pub(super) fn format(path: &Path, line: usize, source: serde_json::Error) -> Self {
        Self {
            kind: CassetteErrorKind::Format,
            path: path.to_owned(),
            message: format!("is damaged in line {line}; record it again"),
            source: Some(Box::new(source)),
        }
    }

    pub(super) fn not_a_cassette(path: &Path) -> Self {
        Self {
            kind: CassetteErrorKind::Format,
            path: path.to_owned(),
            message: "is no cassette: its first line is no cassette header".to_owned(),
            source: None,
        }
    }

    pub(super) fn version(path: &Path, version: u64) -> Self {
        let message = format!(
            "is of version {version}, this library reads version {}; record it again",
            super::stored::VERSION
        );
        Self {
            kind: CassetteErrorKind::Version,
            path: path.to_owned(),
            message,
            source: None,
        }
    }

    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> CassetteErrorKind {
        self.kind
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for CassetteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the cassette {} {}", self.path.display(), self.message)
    }
}

impl Error for CassetteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
