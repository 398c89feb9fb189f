use std::error::Error;
use std::fmt;

/// An output format does not exist, or cannot hold an answer of the declared shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    message: String,
}

impl FormatError {
    pub(super) fn new(message: String) -> Self {
        Self { message }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for FormatError {}
