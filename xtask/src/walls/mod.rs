//! The walls of the house: which room knows which, what each may pull in, and how much there is.

mod bans;
mod rooms;
mod tree;

use std::collections::BTreeSet;

use crate::metadata::Metadata;
use crate::run::verdict;
use crate::Outcome;
use tree::Tree;

/// Runtimes, and what only they need.
const RUNTIMES: &[&str] = &[
    "async-executor",
    "async-global-executor",
    "async-io",
    "async-std",
    "blocking",
    "smol",
    "tokio",
];
/// HTTP stacks, and what only they need.
const HTTP: &[&str] = &[
    "h2",
    "http",
    "hyper",
    "hyper-util",
    "reqwest",
    "rustls",
    "ureq",
];
/// What hyper asks of the `tokio` crate: its channels. None of it is a runtime.
const TOKIO_WITHOUT_RUNTIME: &[&str] = &["default", "sync"];

/// The most crates of a default build of `agently`, ours included.
const MOST_DEFAULT: usize = 85;
/// The most crates without default features.
const MOST_BARE: usize = 40;

pub(crate) fn run(_: &[String]) -> Outcome {
    let metadata = Metadata::load()?;
    let members: BTreeSet<&str> = metadata.members().map(|member| member.name()).collect();
    let mut faults = rooms::faults(&metadata);
    faults.extend(bans::faults(&metadata));

    for room in [
        "agently-api",
        "agently-core",
        "agently-flow",
        "agently-macros",
    ] {
        if members.contains(room) {
            let tree = Tree::load(room, &["--all-features"])?;
            faults.extend(tree.names_of(RUNTIMES).map(|name| knows(room, name)));
            faults.extend(tree.names_of(HTTP).map(|name| knows(room, name)));
        }
    }
    let http = Tree::load("agently-http", &["--all-features"])?;
    let other_runtimes = http.names_of(RUNTIMES).filter(|name| *name != "tokio");
    faults.extend(other_runtimes.map(|name| knows("agently-http", name)));
    faults.extend(without_tokio_runtime("agently-http", &http));
    let smol_only = Tree::load("smol-only", &[])?;
    faults.extend(without_tokio_runtime("smol-only", &smol_only));

    for (arguments, most, what) in [
        (&[] as &[&str], MOST_DEFAULT, "by default"),
        (
            &["--no-default-features"],
            MOST_BARE,
            "without default features",
        ),
    ] {
        let count = Tree::load("agently", arguments)?.len();
        println!("`agently` is {count} crates {what} (at most {most})");
        if count > most {
            faults.push(format!(
                "`agently` is {count} crates {what}, over {most}: take one away, or make it a feature"
            ));
        }
    }
    verdict(&faults)
}

fn knows(room: &str, name: &str) -> String {
    format!("`{room}` must not know `{name}`; `cargo tree -p {room} -i {name}` says how it came in")
}

fn without_tokio_runtime(package: &str, tree: &Tree) -> Option<String> {
    let features = tree.features_of("tokio");
    let extra: Vec<&str> = features
        .iter()
        .map(String::as_str)
        .filter(|feature| !TOKIO_WITHOUT_RUNTIME.contains(feature))
        .collect();
    (!extra.is_empty()).then(|| {
        format!(
            "`{package}` switches on tokio's {}; `cargo tree -p {package} -e features -i tokio` \
             says how",
            extra.join(", ")
        )
    })
}
