use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::MAX_BYTES;

/// A file cannot be read.
#[derive(Debug)]
pub(crate) enum FileError {
    /// It cannot be opened or read.
    Io(io::Error),
    /// It is a folder, a device or a pipe.
    NoFile,
    /// It is larger than 1 MiB.
    TooLarge,
    /// It is no UTF-8.
    NoText,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
            Self::NoFile => f.write_str("it is not a regular file"),
            Self::TooLarge => write!(f, "it is larger than {MAX_BYTES} bytes"),
            Self::NoText => f.write_str("it is not UTF-8 text"),
        }
    }
}

/// The text of a regular file of at most 1 MiB.
pub(crate) fn read_text(path: &Path) -> Result<String, FileError> {
    // Asked before it is opened, because opening a pipe waits for its other end.
    if !std::fs::metadata(path).map_err(FileError::Io)?.is_file() {
        return Err(FileError::NoFile);
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(FileError::Io)?;
    if bytes.len() > MAX_BYTES {
        return Err(FileError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|_| FileError::NoText)
}
