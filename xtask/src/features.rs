//! Feature sets.

use crate::metadata::Metadata;
use crate::run::{cargo, verdict};
use crate::Outcome;

/// Each feature alone, none, and all, of every published package that has features.
///
/// Whole powersets would add minutes and find little: features here only add.
pub(crate) fn run(_: &[String]) -> Outcome {
    let metadata = Metadata::load()?;
    let mut faults = Vec::new();
    for member in metadata.members().filter(|member| member.is_published()) {
        let features = member.features();
        if features.is_empty() {
            continue;
        }
        let mut check = |arguments: &[&str]| {
            let mut line = vec!["clippy", "-p", member.name(), "--no-deps", "--locked"];
            line.extend(arguments);
            line.extend(["--", "-D", "warnings"]);
            faults.extend(cargo(&line).err());
        };
        check(&["--no-default-features"]);
        for feature in features {
            check(&["--no-default-features", "--features", feature]);
        }
        check(&["--all-features"]);
    }
    verdict(&faults)
}
