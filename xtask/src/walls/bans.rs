//! Crates that are not used, and versions below which there are known faults.
//!
//! `deny.toml` says the same to cargo-deny, which not every machine has.

use crate::metadata::{numbers, Metadata};

/// Unmaintained or unsound, and what to take instead.
const BANNED: &[(&str, &str)] = &[
    ("async-std", "a `Runtime` (RUSTSEC-2025-0052)"),
    ("atty", "`std::io::IsTerminal` (RUSTSEC-2024-0375)"),
    (
        "backoff",
        "the retry policy of agently-http (RUSTSEC-2025-0012)",
    ),
    ("bincode", "serde_json (RUSTSEC-2025-0141)"),
    ("dotenv", "the environment (RUSTSEC-2021-0141)"),
    ("http-types", "http (RUSTSEC-2026-0174)"),
    ("instant", "`Clock` (RUSTSEC-2024-0384)"),
    ("json5", "the parser of agently-core (RUSTSEC-2025-0120)"),
    ("paste", "plain macros (RUSTSEC-2024-0436)"),
    ("reqwest", "agently-http"),
    (
        "rustls-pemfile",
        "`rustls::pki_types::pem` (RUSTSEC-2025-0134)",
    ),
    ("serde_yml", "another YAML crate (RUSTSEC-2025-0068)"),
    ("surf", "agently-http (RUSTSEC-2025-0036)"),
];

/// The oldest version of each that has no known fault.
const FLOORS: &[(&str, &str, &str)] = &[
    ("bytes", "1.11.1", "RUSTSEC-2026-0007"),
    ("h2", "0.4.16", "RUSTSEC-2026-0258"),
    ("idna", "1.0.0", "RUSTSEC-2024-0421"),
    ("ring", "0.17.12", "RUSTSEC-2025-0009"),
    ("rustls", "0.23.18", "RUSTSEC-2024-0399"),
    ("rustls-webpki", "0.103.13", "RUSTSEC-2026-0104"),
    ("time", "0.3.47", "RUSTSEC-2026-0009"),
    ("tokio", "1.44.2", "RUSTSEC-2025-0023"),
    ("tracing-subscriber", "0.3.20", "RUSTSEC-2025-0055"),
];

pub(crate) fn faults(metadata: &Metadata) -> Vec<String> {
    let mut faults = Vec::new();
    for package in metadata.packages() {
        let (name, version) = (package.name(), package.version());
        for (banned, instead) in BANNED {
            if name == *banned {
                faults.push(format!("`{name}` is banned; take {instead}"));
            }
        }
        for (floored, floor, advisory) in FLOORS {
            if name == *floored && numbers(version) < numbers(floor) {
                faults.push(format!(
                    "{name} {version} is below {floor} ({advisory}): update it"
                ));
            }
        }
    }
    faults
}
