//! What is missing or wrong before a request can be sent: the error of the first read, and nothing
//! goes out.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;
use std::process::Command;

use agently::core::prompt::PromptValue;
use agently::mock::{MockProvider, MockServer, Reply};
use agently::prelude::*;
use agently::types::error::ProviderErrorKind;
use agently::types::rt::Runtime;
use agently::Error;
use support::{
    agent, assert_says, on_each_runtime, open_ai, seed, seed_data, threads, SEED_ANSWER,
};

on_each_runtime! {
    an_empty_prompt_is_the_error_of_the_first_read,
    a_role_alone_asks_nothing,
    an_agent_that_cannot_ask_says_why,
    a_missing_model_is_said_before_anything_is_sent,
    a_missing_variable_is_named,
}

async fn an_empty_prompt_is_the_error_of_the_first_read(runtime: Runtime) {
    let mock = MockProvider::new().reply(Reply::text("never"));
    let agent = agent(&runtime, mock.clone());
    for request in [
        agent.request(),
        agent.input("  \n"),
        agent.input(json!(null)),
    ] {
        let told = request.get_prompt_text().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Prompt);
        assert_eq!(
            request.get_messages().unwrap_err().kind(),
            ErrorKind::Prompt
        );
        let result = request.get_result();
        for error in [
            result.async_get_text().await.unwrap_err(),
            result.async_get_data().await.unwrap_err(),
            result.async_get_meta().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Prompt);
            assert_says(&error, &["empty", "`input`"]);
            assert_eq!(error.partial_text(), None);
            assert!(error.meta().is_none());
        }
        let items: Vec<_> = result.get_async_generator(Instant).collect().await;
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].as_ref().unwrap_err().kind(), ErrorKind::Prompt);
    }
    assert_eq!(mock.requests().len(), 0);
}

async fn a_role_alone_asks_nothing(runtime: Runtime) {
    let agent = agent(&runtime, MockProvider::new()).role("You are an editor.");
    let error = agent.async_start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Prompt);
    assert_says(&error, &["nothing to answer", "`input`"]);
    assert!(!support::chain(&error).contains("editor"));
}

async fn an_agent_that_cannot_ask_says_why(runtime: Runtime) {
    for runtime in [None, Some(runtime)] {
        let agent = Agent::unavailable(Error::no_provider("buy one"), runtime);
        let result = seed(&agent).get_result();
        let error = result.async_get_data().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoProvider);
        assert_says(&error, &["buy one"]);
        let items: Vec<_> = result.get_async_generator(All).collect().await;
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].as_ref().unwrap_err().kind(), ErrorKind::NoProvider);
    }
}

async fn a_missing_model_is_said_before_anything_is_sent(runtime: Runtime) {
    let server = MockServer::start().unwrap();
    let provider = agently::openai::OpenAi::builder()
        .base_url(server.base_url())
        .build()
        .unwrap();
    let error = seed(&agent(&runtime, provider)).await.unwrap_err();
    assert_says(&error, &["model"]);
    assert!(error.provider().unwrap().hint().is_some());
    assert_eq!(server.connections(), 0);
}

async fn a_missing_variable_is_named(runtime: Runtime) {
    let server = MockServer::start().unwrap();
    let provider = open_ai(server.base_url())
        .api_key_env("SHIP_KEY")
        .env_lookup(|_| None)
        .build()
        .unwrap();
    let error = seed(&agent(&runtime, provider)).await.unwrap_err();
    assert_says(&error, &["SHIP_KEY", "not set"]);
    assert!(!error.is_retryable());
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_blocking_read_says_the_same() {
    let agent = agent(&threads(), MockProvider::new());
    assert_eq!(agent.start().unwrap_err().kind(), ErrorKind::Prompt);
    let mut items = agent.request().get_result().get_generator(Delta);
    let error = items.next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Prompt);
    assert!(items.next().is_none());

    // Without a runtime there is nothing to wait for, and no wait.
    let agent = Agent::unavailable(Error::no_runtime("turn one on"), None);
    let error = seed(&agent).start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
    assert_says(&error, &["turn one on"]);
}

#[test]
fn a_builder_without_a_provider_says_what_to_do() {
    let error = Agently::builder().runtime(threads()).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProvider);
    assert_says(&error, &[".provider("]);
}

#[cfg(not(any(feature = "tokio", feature = "smol")))]
#[test]
fn a_builder_without_a_runtime_says_what_to_do() {
    let builder = Agently::builder().provider(MockProvider::new());
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
    assert_says(&error, &["`tokio`", "`smol`", ".runtime("]);
}

#[test]
fn a_value_without_a_json_form_is_an_error_with_its_type() {
    let map = BTreeMap::from([((1, 2), "secret")]);
    let error = PromptValue::from_serialize(&map).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("BTreeMap"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_schema_that_is_none_is_an_error_with_the_path_of_the_fault() {
    let faults = [
        (json!({ "post": { "title": ["srt"] } }), "post.title"),
        (json!({ "items": [["str", 5]] }), "items"),
        (json!({ "$title": "str" }), "$title"),
    ];
    for (schema, word) in faults {
        let error = Schema::from_value(&schema).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(word), "{schema}: {text}");
    }
}

#[test]
fn settings_that_are_wrong_are_refused_with_a_reason() {
    let faults = [
        ("OpenAI", json!({}), "OpenAICompatible"),
        ("OpenAICompatible", json!("http://…"), "must be an object"),
        (
            "OpenAICompatible",
            json!({ "url": "http://a/v1" }),
            "base_url",
        ),
        (
            "OpenAICompatible",
            json!({ "model": 5 }),
            "OpenAICompatible.model",
        ),
        (
            "OpenAICompatible",
            json!({ "options": [] }),
            "OpenAICompatible.options",
        ),
        (
            "OpenAICompatible",
            json!({ "headers": { "x-ship": 5 } }),
            "OpenAICompatible.headers.x-ship",
        ),
    ];
    for (name, value, word) in faults {
        let error = Agently::set_settings(name, value.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{value}");
        assert_says(&error, &[word]);
    }
    let url = json!({ "base_url": "ftp://host" });
    let error = Agently::set_settings("OpenAICompatible", url).unwrap_err();
    assert_says(&error, &["ftp"]);
}

#[test]
fn a_base_url_that_is_none_is_refused_when_it_is_set() {
    for (url, word) in [
        ("not a url", "URL"),
        ("ftp://host/v1", "ftp"),
        ("http://", "host"),
        ("https://host/v1#here", "fragment"),
    ] {
        let error = open_ai(url).build().unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Config, "{url}");
        let text = error.to_string();
        assert!(text.contains(word), "{url}: {text}");
        assert!(error.hint().is_some(), "{url}: {text}");
    }
}

const CHILD: &str = "AGENTLY_TEST_CHILD";

/// Runs the test of this name again in a process with this environment, where [`CHILD`] is set.
/// Says whether this is that process.
#[cfg(any(feature = "tokio", feature = "smol"))]
fn in_a_process_of_its_own(test: &str, environment: &[(&str, &str)]) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"] {
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

#[cfg(any(feature = "tokio", feature = "smol"))]
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

#[cfg(any(feature = "tokio", feature = "smol"))]
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

#[cfg(any(feature = "tokio", feature = "smol"))]
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
#[cfg(any(feature = "tokio", feature = "smol"))]
fn seed_server() -> MockServer {
    let server = MockServer::builder().reply(Reply::text(SEED_ANSWER));
    server.repeat_last().start().unwrap()
}
