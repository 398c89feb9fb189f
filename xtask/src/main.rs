//! The menu of project commands: `cargo xtask` prints it.
//!
//! CI runs `cargo xtask ci` and nothing else of its own, so whatever it finds can be found here
//! first. Nothing has to be installed.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command line program"
)]

mod ci;
mod docs;
mod features;
mod files;
mod metadata;
mod msrv;
mod run;
mod sizes;
mod steps;
mod walls;

use std::process::ExitCode;

/// What a command comes to: nothing, or what is wrong and what to do about it.
type Outcome = Result<(), String>;

/// One entry of the menu.
struct Command {
    name: &'static str,
    what: &'static str,
    by_hand: &'static str,
    run: fn(&[String]) -> Outcome,
}

const MENU: &[Command] = &[
    Command {
        name: "ci",
        what: "everything that CI checks, in its order; `--without NAME` leaves a step out",
        by_hand: "each of the commands below",
        run: ci::run,
    },
    Command {
        name: "fmt",
        what: "is the code formatted? (`--fix` formats it)",
        by_hand: "cargo fmt --all -- --check",
        run: steps::fmt,
    },
    Command {
        name: "sizes",
        what: "no source file longer than 600 lines; lists those over 300",
        by_hand: "git ls-files '*.rs' | xargs wc -l | sort -n",
        run: sizes::run,
    },
    Command {
        name: "walls",
        what: "which room knows which, what each may depend on, how many crates there are",
        by_hand: "cargo tree -p PACKAGE -e normal --prefix none | sort -u",
        run: walls::run,
    },
    Command {
        name: "msrv",
        what: "the oldest supported compiler is named once and enough for what is published",
        by_hand: "cargo metadata --all-features, `rust_version` of each package",
        run: msrv::run,
    },
    Command {
        name: "deny",
        what: "licences, advisories and sources of dependencies, if cargo-deny is installed",
        by_hand: "cargo deny --all-features check",
        run: steps::deny,
    },
    Command {
        name: "clippy",
        what: "lints of every package, tests and examples included",
        by_hand: "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings",
        run: steps::clippy,
    },
    Command {
        name: "features",
        what: "each feature alone, none, and all of them compile without a warning",
        by_hand:
            "cargo clippy -p PACKAGE --no-deps --no-default-features --features F -- -D warnings",
        run: features::run,
    },
    Command {
        name: "docs",
        what: "the documentation builds without a warning and names no file that is not there",
        by_hand:
            "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --all-features --locked",
        run: docs::run,
    },
    Command {
        name: "test",
        what: "all tests (arguments are passed on to cargo)",
        by_hand: "cargo test --workspace --locked",
        run: steps::test,
    },
    Command {
        name: "quickstart",
        what: "the README's program, against the server that it starts itself",
        by_hand: "cargo run --locked --example quickstart -- --plain",
        run: steps::quickstart,
    },
    Command {
        name: "smol",
        what: "the quickstart on smol, built without a tokio runtime",
        by_hand: "cargo run --locked -p smol-only",
        run: steps::smol,
    },
    Command {
        name: "conformance",
        what: "runs case files through the whole engine: `conformance [FILE...]`, else our own",
        by_hand: "cargo run -q --release -p agently-testkit --bin conformance -- instant FILE",
        run: steps::conformance,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let asked_for_help = matches!(name.as_deref(), None | Some("help" | "--help" | "-h"));
    let Some(command) = MENU
        .iter()
        .find(|command| Some(command.name) == name.as_deref())
    else {
        print_menu();
        if asked_for_help {
            return ExitCode::SUCCESS;
        }
        eprintln!(
            "\nerror: there is no command `{}`",
            name.unwrap_or_default()
        );
        return ExitCode::FAILURE;
    };
    if rest
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        println!(
            "{}: {}\nby hand: {}",
            command.name, command.what, command.by_hand
        );
        return ExitCode::SUCCESS;
    }
    println!("{}: {}", command.name, command.what);
    match (command.run)(&rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nerror: {message}\nby hand: {}", command.by_hand);
            ExitCode::FAILURE
        }
    }
}

fn print_menu() {
    println!("cargo xtask COMMAND\n");
    for command in MENU {
        println!("  {:<12} {}", command.name, command.what);
        println!("  {:<12}   = {}", "", command.by_hand);
    }
}
