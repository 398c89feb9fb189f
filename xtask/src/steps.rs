//! Commands that only start another program.

use std::path::PathBuf;

use crate::run::{cargo, cargo_output, cargo_with, root};
use crate::Outcome;

pub(crate) fn fmt(arguments: &[String]) -> Outcome {
    if arguments.iter().any(|argument| argument == "--fix") {
        cargo(&["fmt", "--all"])
    } else {
        cargo(&["fmt", "--all", "--", "--check"])
            .map_err(|error| format!("{error}; `cargo xtask fmt --fix` formats the code"))
    }
}

pub(crate) fn clippy(_: &[String]) -> Outcome {
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "-D",
        "warnings",
    ])
}

pub(crate) fn test(arguments: &[String]) -> Outcome {
    let mut line = vec!["test", "--workspace", "--locked"];
    line.extend(arguments.iter().map(String::as_str));
    cargo(&line)
}

pub(crate) fn quickstart(_: &[String]) -> Outcome {
    // With these set it would ask a real model, at somebody's expense.
    let offline = [
        ("OPENAI_BASE_URL", ""),
        ("OPENAI_API_KEY", ""),
        ("OPENAI_MODEL", ""),
    ];
    cargo_with(
        &[
            "run",
            "--locked",
            "--example",
            "quickstart",
            "--",
            "--plain",
        ],
        &offline,
    )
}

pub(crate) fn smol(_: &[String]) -> Outcome {
    cargo(&["run", "--locked", "-p", "smol-only"])
}

pub(crate) fn deny(_: &[String]) -> Outcome {
    if cargo_output(&["deny", "--version"]).is_err() {
        println!("skipped: cargo-deny is not installed; `cargo install cargo-deny` brings it");
        println!(
            "(`cargo xtask walls` checks the banned crates and the version floors without it)"
        );
        return Ok(());
    }
    cargo(&["deny", "--all-features", "check"])
}

pub(crate) fn conformance(files: &[String]) -> Outcome {
    let mut paths: Vec<PathBuf> = Vec::new();
    for file in files {
        // Cargo starts in the root; the name was given from where the user is.
        paths.push(std::path::absolute(file).map_err(|error| format!("{file}: {error}"))?);
    }
    if paths.is_empty() {
        paths = own_cases().map_err(|error| format!("{CASES}: {error}"))?;
    }
    for path in paths {
        println!("{}", path.display());
        let path = path.to_string_lossy();
        cargo(&[
            "run",
            "--quiet",
            "--release",
            "--locked",
            "-p",
            "agently-testkit",
            "--bin",
            "conformance",
            "--",
            "instant",
            &path,
        ])?;
    }
    Ok(())
}

/// Where the repository's own cases are.
const CASES: &str = "testkit/cases";

fn own_cases() -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(root().join(CASES))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
