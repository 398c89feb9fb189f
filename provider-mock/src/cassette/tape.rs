//! The file that recorders write.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use serde_json::Value;

use super::error::CassetteError;
use super::stored::{Exchange, Header};
use crate::script::lock;

/// The lines of a cassette in the making.
#[derive(Debug)]
pub(super) struct Tape {
    path: PathBuf,
    /// Where the file is written before it takes the place of the old one: in the same folder,
    /// because a rename is atomic only within one file system.
    temporary: PathBuf,
    header: String,
    next: AtomicUsize,
    /// Lines by the order in which the calls were made. The lock is held while the file is
    /// written, so that a later state is never replaced by an earlier one.
    lines: Mutex<BTreeMap<usize, String>>,
}

impl Tape {
    /// A tape without calls. The place is tried, but a file that is there stays as it is.
    pub(super) fn new(path: PathBuf, header: &Header) -> Result<Self, CassetteError> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let header = serde_json::to_string(header)
            .map_err(|error| CassetteError::io(&path, "written", error.into()))?;
        let Some(name) = path.file_name() else {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
            return Err(CassetteError::io(&path, "written", error));
        };
        let mut name = name.to_owned();
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}-{unique}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        fs::write(&temporary, b"")
            .and_then(|()| fs::remove_file(&temporary))
            .map_err(|error| CassetteError::io(&path, "written", error))?;
        Ok(Self {
            path,
            temporary,
            header,
            next: AtomicUsize::new(0),
            lines: Mutex::default(),
        })
    }

    /// Numbers a call.
    pub(super) fn begin(&self) -> usize {
        self.next.fetch_add(1, Ordering::SeqCst)
    }

    /// Keeps a call that is over, and writes the file.
    pub(super) fn finish(&self, call: usize, exchange: &Exchange<Value>) {
        if let Ok(line) = serde_json::to_string(exchange) {
            lock(&self.lines).insert(call, line);
        }
        // `Recorder::save` writes again and reports: there is nobody here to tell.
        let _ = self.write();
    }

    /// Writes the file.
    pub(super) fn write(&self) -> Result<(), CassetteError> {
        let lines = lock(&self.lines);
        let mut text = self.header.clone();
        text.push('\n');
        for line in lines.values() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line}");
        }
        replace(&self.temporary, &self.path, &text)
            .map_err(|error| CassetteError::io(&self.path, "written", error))
    }
}

fn replace(temporary: &Path, path: &Path, text: &str) -> io::Result<()> {
    let replaced = fs::write(temporary, text).and_then(|()| fs::rename(temporary, path));
    if replaced.is_err() {
        let _ = fs::remove_file(temporary);
    }
    replaced
}
