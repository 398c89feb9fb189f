//! Runs conformance cases through the real path: mock provider, result, `Instant` generator, data.
//!
//! `conformance instant FILE` compares and ends with `N passed, N failed`;
//! `conformance instant FILE --emit` prints what came, one JSON line a case.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a command-line program"
)]

mod case;
mod compare;
mod run;

use std::process::ExitCode;

use case::Case;

const USAGE: &str = "usage: conformance instant FILE [--emit]";

/// How many failing cases are shown in detail.
const SHOWN: usize = 20;

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn start() -> Result<ExitCode, String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let emit = words.iter().any(|word| word == "--emit");
    let plain: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "--emit")
        .collect();
    let ["instant", file] = plain.as_slice() else {
        return Err(USAGE.to_owned());
    };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let mut passed = 0;
    let mut failed = 0;
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let case = Case::parse(line).map_err(|error| format!("{file}:{}: {error}", number + 1))?;
        let outcome = run::run(&case);
        if emit {
            println!("{}", outcome.to_json(&case.id));
            continue;
        }
        let differences = compare::differences(&case, &outcome);
        if differences.is_empty() {
            passed += 1;
            continue;
        }
        failed += 1;
        if failed <= SHOWN {
            println!("{} differs:", case.id);
            for difference in differences.iter().take(5) {
                println!("  {difference}");
            }
        }
    }
    if emit {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{passed} passed, {failed} failed");
    Ok(ExitCode::from(u8::from(failed > 0)))
}
