//! Everything that CI checks.

use std::time::Duration;

use crate::{Command, Outcome, MENU};

/// The quick ones first, so that a slip is told early.
const STEPS: &[&str] = &[
    "fmt",
    "sizes",
    "walls",
    "msrv",
    "deny",
    "clippy",
    "features",
    "docs",
    "test",
    "conformance",
    "quickstart",
    "smol",
];

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let without = left_out(arguments)?;
    let steps: Vec<&Command> = STEPS
        .iter()
        .filter(|name| !without.contains(name))
        .filter_map(|name| MENU.iter().find(|command| command.name == *name))
        .collect();
    let mut failed = Vec::new();
    for step in &steps {
        println!("\n==== {}: {} ====", step.name, step.what);
        let (outcome, took) = timed(|| (step.run)(&[]));
        match outcome {
            Ok(()) => println!("---- {} passed ({} s)", step.name, took.as_secs()),
            Err(message) => {
                println!(
                    "---- {} FAILED ({} s): {message}",
                    step.name,
                    took.as_secs()
                );
                println!("by hand: {}", step.by_hand);
                failed.push(step.name);
            }
        }
    }
    println!();
    println!(
        "checks: {} passed, {} failed",
        steps.len() - failed.len(),
        failed.len()
    );
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    }
}

/// The names after `--without`.
fn left_out(arguments: &[String]) -> Result<Vec<&'static str>, String> {
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument != "--without" {
            return Err(format!("`{argument}` is not known; `--without NAME` is"));
        }
        let name = arguments.next().map_or("", String::as_str);
        let Some(step) = STEPS.iter().find(|step| **step == name) else {
            return Err(format!(
                "`{name}` is no step; they are {}",
                STEPS.join(", ")
            ));
        };
        names.push(*step);
    }
    Ok(names)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a step took on this machine is wall time, and nothing depends on it"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let outcome = work();
    (outcome, start.elapsed())
}
