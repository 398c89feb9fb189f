//! Which room may know which: the arrows of ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::metadata::{Metadata, Package};

/// Each room and the rooms it may depend on. Dev-dependencies are free: a test may look anywhere.
const ROOMS: &[(&str, &[&str])] = &[
    ("agently-api", &[]),
    ("agently-macros", &[]),
    ("agently-backend-smol", &["agently-api"]),
    ("agently-backend-tokio", &["agently-api"]),
    ("agently-core", &["agently-api", "agently-macros"]),
    ("agently-flow", &["agently-api", "agently-macros"]),
    ("agently-http", &["agently-api"]),
    ("agently-provider-mock", &["agently-api"]),
    ("agently-provider-openai", &["agently-api", "agently-http"]),
    (
        "agently-testkit",
        &[
            "agently-api",
            "agently-core",
            "agently-flow",
            "agently-provider-mock",
        ],
    ),
    (
        "agently",
        &[
            "agently-api",
            "agently-backend-smol",
            "agently-backend-tokio",
            "agently-core",
            "agently-flow",
            "agently-macros",
            "agently-provider-mock",
            "agently-provider-openai",
        ],
    ),
    ("xtask", &[]),
];

/// Runtimes that the root package's tests must not switch on for everybody.
const RUNTIME_SWITCHES: &[&str] = &["async-io", "smol", "tokio"];

pub(crate) fn faults(metadata: &Metadata) -> Vec<String> {
    let ours: BTreeSet<&str> = metadata.members().map(Package::name).collect();
    let mut faults = Vec::new();
    for member in metadata.members() {
        let room = member.name();
        let allowed = ROOMS.iter().find(|(name, _)| *name == room);
        if allowed.is_none() && member.is_published() {
            faults.push(format!(
                "`{room}` is a room without a row in xtask/src/walls/rooms.rs and ARCHITECTURE.md"
            ));
        }
        for dependency in member.dependencies() {
            let name = dependency.name;
            if dependency.kind == "dev" {
                if room == "agently" && RUNTIME_SWITCHES.contains(&name) {
                    faults.push(format!(
                        "the root package's dev-dependency `{name}` switches a runtime on for the \
                         whole workspace; put the test into a package of its own"
                    ));
                }
                continue;
            }
            // Unpublished packages without a row are programs: they may use every room.
            let Some((_, allowed)) = allowed else {
                continue;
            };
            if ours.contains(name) && !allowed.contains(&name) {
                faults.push(format!(
                    "`{room}` must not know `{name}`: arrows point down only"
                ));
            }
        }
    }
    faults
}
