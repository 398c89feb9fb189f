//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::root;

/// Every file of the repository whose name ends so, build output and hidden folders left out,
/// relative to the root and sorted.
pub(crate) fn ending(end: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    walk(root(), end, &mut found)?;
    found.sort();
    Ok(found)
}

/// The text of a file of the repository.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(root().join(path)).map_err(|error| format!("{}: {error}", path.display()))
}

fn walk(folder: &Path, end: &str, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let fault = |error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        if entry.file_type().map_err(fault)?.is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(&path, end, found)?;
            }
        } else if name.ends_with(end) {
            found.push(path.strip_prefix(root()).unwrap_or(&path).to_owned());
        }
    }
    Ok(())
}
