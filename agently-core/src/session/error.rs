use std::error::Error as StdError;
use std::fmt;

use crate::error::{Error, ErrorKind};

/// A session cannot be made.
///
/// `Display` says where and what is wrong, and repeats nothing of what was said in the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionError {
    kind: SessionErrorKind,
    message: String,
}

/// The kinds of [`SessionError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// The id has letters that it cannot have, or too many.
    Id,
    /// The text is not written in the notation it was said to be.
    Syntax,
    /// The data is no session.
    Form,
    /// The data is a session of a version that is not known here.
    Version,
    /// There is too much of it.
    Limit,
}

impl SessionError {
    pub(super) fn new(kind: SessionErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Which kind of fault this is.
    #[must_use]
    pub fn kind(&self) -> SessionErrorKind {
        self.kind
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for SessionError {}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        Self::with_source(ErrorKind::Session, "the session cannot be used", error)
    }
}
