//! How long source files are.

use crate::run::verdict;
use crate::{files, Outcome};

/// A file past this is two things.
const MOST: usize = 600;
/// Up to here a file is comfortable.
const COMFORTABLE: usize = 300;

pub(crate) fn run(_: &[String]) -> Outcome {
    let mut long = Vec::new();
    let paths = files::ending(".rs")?;
    for path in &paths {
        let lines = files::read(path)?.lines().count();
        if lines > COMFORTABLE {
            long.push((lines, path.display().to_string()));
        }
    }
    long.sort_by(|a, b| b.cmp(a));
    println!(
        "{} files, {} over {COMFORTABLE} lines",
        paths.len(),
        long.len()
    );
    for (lines, path) in &long {
        println!("  {lines:>5} {path}");
    }
    let too_long: Vec<String> = long
        .iter()
        .filter(|(lines, _)| *lines > MOST)
        .map(|(lines, path)| {
            format!("{path} has {lines} lines, over {MOST}: it is two things, split it")
        })
        .collect();
    verdict(&too_long)
}
