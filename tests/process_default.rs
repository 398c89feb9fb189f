//! The process default: environment, settings, and what it says when there is nothing.

#![cfg(all(
    any(feature = "tokio", feature = "smol"),
    feature = "openai",
    feature = "mock",
    feature = "macros"
))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use agently::mock::{MockServer, Reply};
use agently::prelude::*;
use support::{assert_says, seed, seed_data, SEED_ANSWER};

const CHILD: &str = "AGENTLY_TEST_CHILD";

/// Runs the test of this name again in a process with this environment, where [`CHILD`] is set.
/// Says whether this is that process.
fn in_a_process_of_its_own(test: &str, environment: &[(&str, &str)]) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in [
        "OPENAI_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_MODEL",
        "AGENTLY_SETTINGS",
    ] {
        command.env_remove(name);
    }
    let output = command
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .env("NO_PROXY", "*")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
    false
}

#[test]
fn the_default_without_an_environment_says_what_to_set() {
    if !in_a_process_of_its_own("the_default_without_an_environment_says_what_to_set", &[]) {
        return;
    }
    // Making the agent is no error; asking is.
    let agent = Agently::create_agent();
    let error = seed(&agent).start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProvider);
    assert_says(&error, &["OPENAI_API_KEY", "OPENAI_MODEL", "set_settings"]);
}

#[test]
fn the_default_reads_the_environment() {
    let server = seed_server();
    let environment = [
        ("OPENAI_BASE_URL", &*server.base_url()),
        ("OPENAI_API_KEY", "sk-from-env"),
        ("OPENAI_MODEL", "model-from-env"),
    ];
    if in_a_process_of_its_own("the_default_reads_the_environment", &environment) {
        let agent = Agently::create_agent();
        assert_eq!(seed(&agent).start().unwrap(), seed_data());
        return;
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].field("/model"), Some(&json!("model-from-env")));
}

#[test]
fn settings_go_before_the_environment_and_for_later_agents() {
    let server = seed_server();
    let environment = [
        ("SHIP_URL", &*server.base_url()),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
        ("OPENAI_MODEL", "model-from-env"),
    ];
    let name = "settings_go_before_the_environment_and_for_later_agents";
    if in_a_process_of_its_own(name, &environment) {
        Agently::set_settings(
            "OpenAICompatible",
            json!({
                "base_url": "${ENV.SHIP_URL}",
                "model": "from-settings",
                "options": { "temperature": 0.5 },
                "headers": { "x-ship": "Beagle" },
            }),
        )
        .unwrap();
        let agent = Agently::create_agent();
        // A fault changes nothing.
        let fault = Agently::set_settings("OpenAICompatible", json!({ "model": 5 }));
        assert!(fault.is_err());
        assert_eq!(seed(&agent).start().unwrap(), seed_data());
        let other = Agently::create_agent();
        assert_eq!(seed(&other).start().unwrap(), seed_data());
        return;
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.field("/model"), Some(&json!("from-settings")));
        assert_eq!(request.field("/temperature"), Some(&json!(0.5)));
        assert_eq!(request.header("x-ship"), Some("Beagle"));
    }
}

/// A server for as many requests as come.
fn seed_server() -> MockServer {
    let server = MockServer::builder().reply(Reply::text(SEED_ANSWER));
    server.repeat_last().start().unwrap()
}

/// Writes a settings file for a test, and gives its path.
fn settings_file(test: &str, ending: &str, text: &str) -> PathBuf {
    let name = format!("agently-{test}-{}.{ending}", std::process::id());
    let path = std::env::temp_dir().join(name);
    if std::env::var_os(CHILD).is_none() {
        std::fs::write(&path, text).unwrap();
    }
    path
}

#[test]
fn the_default_reads_the_file_that_the_environment_names() {
    let server = seed_server();
    let yaml = format!(
        "OpenAICompatible:\n  base_url: {}\n  model: from-file\nrequest:\n  options: {{seed: 5}}\n",
        server.base_url()
    );
    let name = "the_default_reads_the_file_that_the_environment_names";
    let path = settings_file(name, "yaml", &yaml);
    if in_a_process_of_its_own(name, &[("AGENTLY_SETTINGS", path.to_str().unwrap())]) {
        let first = Agently::create_agent();
        // What is set is merged into what the file says, for agents made from then on.
        Agently::set_settings("OpenAICompatible.model", "from-code").unwrap();
        for agent in [Agently::create_agent(), first] {
            assert_eq!(seed(&agent).start().unwrap(), seed_data());
        }
        return;
    }
    std::fs::remove_file(&path).unwrap();
    let models: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.field("/model").unwrap().to_string())
        .collect();
    assert_eq!(models, [r#""from-code""#, r#""from-file""#]);
    assert_eq!(server.requests()[1].field("/seed"), Some(&json!(5)));
}

#[test]
fn a_fault_in_that_file_is_the_error_of_the_first_read() {
    let name = "a_fault_in_that_file_is_the_error_of_the_first_read";
    let text = r#"{ "OpenAICompatible": { "modle": "m" } }"#;
    let path = settings_file(name, "json", text);
    if in_a_process_of_its_own(name, &[("AGENTLY_SETTINGS", path.to_str().unwrap())]) {
        let error = Agently::create_agent().input("x").start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_says(
            &error,
            &[
                "AGENTLY_SETTINGS",
                "did you mean `OpenAICompatible.model`?",
                ".json",
            ],
        );
        // It is not hidden by settings in code either.
        assert!(Agently::set_settings("request.max_retries", 1).is_err());
        return;
    }
    std::fs::remove_file(&path).unwrap();
}
