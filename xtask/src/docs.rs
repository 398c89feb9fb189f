//! Documentation: that it builds, and that what it names is there.

use std::path::Path;

use crate::run::{cargo_with, root, verdict};
use crate::{files, Outcome};

/// The pages whose paths are checked.
const PAGES: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
];

pub(crate) fn run(_: &[String]) -> Outcome {
    let mut faults = Vec::new();
    for page in PAGES {
        let text = files::read(Path::new(page))?;
        for path in code_paths(&text).into_iter().chain(links(&text)) {
            if !root().join(&path).exists() {
                faults.push(format!("{page} names `{path}`, which is not there"));
            }
        }
    }
    for page in files::ending(".md")? {
        let folder = page.parent().unwrap_or(Path::new(""));
        if page.starts_with("docs") {
            for link in links(&files::read(&page)?) {
                if !root().join(folder).join(&link).exists() {
                    faults.push(format!(
                        "{} links to `{link}`, which is not there",
                        page.display()
                    ));
                }
            }
        }
    }
    let built = cargo_with(
        &[
            "doc",
            "--workspace",
            "--no-deps",
            "--all-features",
            "--locked",
        ],
        &[("RUSTDOCFLAGS", "-D warnings")],
    );
    faults.extend(built.err());
    verdict(&faults)
}

/// The paths in a page's inline code: whatever has a slash and no blank, with `{a,b}` spelled out.
fn code_paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        // Between the first and the second tick, the third and the fourth, and so on.
        let spans = line.split('`').skip(1).step_by(2);
        for span in spans.filter(|span| is_path(span)) {
            expand(span.trim_end_matches('/'), &mut paths);
        }
    }
    paths
}

fn is_path(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-{},".contains(c);
    span.contains('/') && !span.starts_with('/') && span.chars().all(plain)
}

/// `src/{a,b}.rs` as `src/a.rs` and `src/b.rs`.
fn expand(path: &str, into: &mut Vec<String>) {
    let choice = path
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match choice {
        None => into.push(path.to_owned()),
        Some((before, (choices, after))) => {
            for choice in choices.split(',') {
                expand(&format!("{before}{choice}{after}"), into);
            }
        }
    }
}

/// The targets of a page's links into the repository.
fn links(text: &str) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter_map(|target| target.split('#').next())
        // `crate::Item` is a link of rustdoc, which checks it itself.
        .filter(|target| !target.is_empty() && !target.contains("::") && !target.contains("://"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{code_paths, links};

    #[test]
    fn paths_are_found_in_inline_code_alone() {
        let text = "See `src/{a,b}.rs`, `docs/`, and/or `cargo test`.\n\
                    ```\nlet x = `not/this`;\n```\n`https://x.test/a` `a::b`";
        assert_eq!(code_paths(text), ["src/a.rs", "src/b.rs", "docs"]);
    }

    #[test]
    fn links_into_the_repository_are_found_and_others_are_not() {
        let text = "[a](docs/a.md#part) [b](https://x.test/b) [c](#here) [d](crate::Item)";
        assert_eq!(links(text), ["docs/a.md"]);
    }
}
