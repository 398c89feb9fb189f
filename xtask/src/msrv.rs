//! The oldest supported compiler.

use crate::metadata::{numbers, Metadata};
use crate::run::verdict;
use crate::{files, Outcome};

pub(crate) fn run(_: &[String]) -> Outcome {
    let metadata = Metadata::load()?;
    let mut faults = Vec::new();

    let mut named = Vec::new();
    for path in files::ending("Cargo.toml")? {
        let text = files::read(&path)?;
        let lines = text.lines().filter(|line| sets_rust_version(line));
        named.extend(lines.map(|_| path.display().to_string()));
    }
    if named.len() != 1 {
        faults.push(format!(
            "`rust-version` is set in {}; it belongs in `[workspace.package]` of the root alone, \
             the others inherit it",
            named.join(", ")
        ));
    }

    let Some(ours) = metadata.members().find(|member| member.name() == "agently") else {
        return Err("the workspace has no package `agently`".to_owned());
    };
    let ours = ours.rust_version();
    for member in metadata.members() {
        if member.rust_version() != ours {
            faults.push(format!(
                "`{}` does not say `rust-version.workspace = true`",
                member.name()
            ));
        }
    }

    let published = metadata.members().filter(|member| member.is_published());
    let closure = metadata.closure(published);
    for package in &closure {
        if numbers(package.rust_version()) > numbers(ours) {
            faults.push(format!(
                "{} {} needs Rust {}, we promise {ours}: take an older one, or raise \
                 `rust-version` in the root Cargo.toml and say so in CHANGELOG.md",
                package.name(),
                package.version(),
                package.rust_version()
            ));
        }
    }
    println!("Rust {ours} is enough for {} packages", closure.len());
    verdict(&faults)
}

fn sets_rust_version(line: &str) -> bool {
    line.trim_start()
        .strip_prefix("rust-version")
        .is_some_and(|rest| rest.trim_start().starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::sets_rust_version;

    #[test]
    fn inheriting_a_version_is_not_setting_it() {
        assert!(sets_rust_version(r#"rust-version = "1.85""#));
        assert!(!sets_rust_version("rust-version.workspace = true"));
        assert!(!sets_rust_version(r#"# rust-version = "1.85""#));
    }
}
