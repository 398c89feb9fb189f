//! Starting other programs, always from the workspace root, always shown first.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// The workspace root.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_program());
    command.args(arguments).current_dir(root());
    command
}

/// Runs cargo and shows its output.
pub(crate) fn cargo(arguments: &[&str]) -> Outcome {
    cargo_with(arguments, &[])
}

/// Like [`cargo`], with other environment variables; an empty value takes one away.
pub(crate) fn cargo_with(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let mut command = command(arguments);
    let mut line = String::from("$ ");
    for (name, value) in environment {
        line.push_str(&format!("{name}='{value}' "));
        if value.is_empty() {
            command.env_remove(name);
        } else {
            command.env(name, value);
        }
    }
    println!("{line}cargo {}", arguments.join(" "));
    let status = command
        .status()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`cargo {}` failed: {status}", arguments.join(" ")))
    }
}

/// Runs cargo and takes what it prints.
pub(crate) fn cargo_output(arguments: &[&str]) -> Result<String, String> {
    let output = command(arguments)
        .output()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!(
            "`cargo {}` failed: {}\n{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        ))
    }
}

/// Joins what several checks found wrong into one outcome.
pub(crate) fn verdict(faults: &[String]) -> Outcome {
    if faults.is_empty() {
        return Ok(());
    }
    let many = faults.len();
    let list: String = faults
        .iter()
        .map(|fault| format!("\n  - {fault}"))
        .collect();
    Err(format!("{many} found:{list}"))
}
