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

use agently::engine::prompt::PromptValue;
use agently::mock::{MockProvider, MockServer, Reply};
use agently::prelude::*;
use agently::types::error::ProviderErrorKind;
use agently::types::rt::Runtime;
use agently::Error;
use support::{agent, assert_says, chain, on_each_runtime, open_ai, seed, threads};

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
    assert!(!chain(&error).contains("editor"));
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
