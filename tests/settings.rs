//! Settings at work: on agents, on requests, and as the process default.

#![cfg(all(feature = "mock", feature = "openai", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently::mock::{MockProvider, MockServer, Reply};
use agently::prelude::*;
use agently::types::error::ProviderErrorKind;
use agently::types::rt::Runtime;
use agently::{Error, OpenAiSettings};
use support::{
    assert_says, chain, in_virtual_time, on_each_runtime, seed, seed_data, threads, SEED_ANSWER,
};

on_each_runtime! {
    settings_alone_make_a_provider,
    an_agent_and_a_request_may_change_theirs,
    agents_with_the_same_settings_share_connections,
    a_missing_variable_is_named_at_the_first_read,
}

fn server() -> MockServer {
    let server = MockServer::builder().reply(Reply::text(SEED_ANSWER));
    server.repeat_last().start().unwrap()
}

fn of_server(server: &MockServer) -> Settings {
    let settings = OpenAiSettings::new()
        .base_url(server.base_url())
        .model("from-settings");
    settings.put_into(Agently::settings()).unwrap()
}

fn app(settings: Settings, runtime: &Runtime) -> Agently {
    let builder = Agently::builder().settings(settings);
    builder.runtime(runtime.clone()).build().unwrap()
}

fn mocked(mock: &MockProvider, settings: Settings, runtime: &Runtime) -> Agently {
    let builder = Agently::builder().provider(mock.clone()).settings(settings);
    builder.runtime(runtime.clone()).build().unwrap()
}

async fn settings_alone_make_a_provider(runtime: Runtime) {
    let server = server();
    let settings = OpenAiSettings::new()
        .base_url("${ENV.SHIP_URL}")
        .api_key("${ENV.SHIP_KEY}")
        .model("${ENV.SHIP_MODEL}")
        .option("temperature", 0.5)
        .header("x-ship", "Beagle")
        .max_retries(0)
        .put_into(Agently::settings())
        .unwrap()
        .with_dot_env_text(&format!(
            "SHIP_URL={}\nSHIP_KEY=sk-file\nSHIP_MODEL=of-file",
            server.base_url()
        ))
        .unwrap();
    let agent = app(settings, &runtime).agent();
    assert_eq!(seed(&agent).await.unwrap(), seed_data());
    let request = &server.requests()[0];
    assert_eq!(request.field("/model"), Some(&json!("of-file")));
    assert_eq!(request.field("/temperature"), Some(&json!(0.5)));
    // The server does not keep its value.
    assert!(request.header("authorization").is_some());
    assert_eq!(request.header("x-ship"), Some("Beagle"));
}

async fn an_agent_and_a_request_may_change_theirs(runtime: Runtime) {
    let server = server();
    let app = app(of_server(&server), &runtime);
    let agent = app
        .agent()
        .set_settings("OpenAICompatible", json!({ "model": "agent's" }))
        .set_settings("request.options", json!({ "seed": 1, "top_p": 0.5 }));
    for request in [
        seed(&agent),
        seed(&agent)
            .set_settings("OpenAICompatible.model", "request's")
            .set_settings("request.options.seed", 2),
        seed(&agent).set_settings("request.model", "overridden"),
        seed(&agent)
            .set_settings("request.model", "set")
            .model("called"),
        seed(&agent)
            .model("called")
            .set_settings("request.model", "set"),
        seed(&agent).option("seed", 3),
        seed(&app.agent()),
    ] {
        assert_eq!(request.await.unwrap(), seed_data());
    }
    let requests = server.requests();
    let field = |at: &str| -> Vec<String> {
        let field = |index: usize| requests[index].field(at).map(ToString::to_string);
        (0..7)
            .map(|index| field(index).unwrap_or_default())
            .collect()
    };
    let quoted = [
        "agent's",
        "request's",
        "overridden",
        "called",
        "set",
        "agent's",
        "from-settings",
    ];
    assert_eq!(field("/model"), quoted.map(|name| format!("{name:?}")));
    assert_eq!(field("/seed"), ["1", "2", "1", "1", "1", "3", ""]);
    assert_eq!(
        field("/top_p"),
        ["0.5", "0.5", "0.5", "0.5", "0.5", "0.5", ""]
    );
}

async fn agents_with_the_same_settings_share_connections(runtime: Runtime) {
    let server = server();
    for _ in 0..3 {
        let agent = app(of_server(&server), &runtime).agent();
        let agent = agent.set_settings("OpenAICompatible.options.seed", 1);
        seed(&agent).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.connections(), 1);
}

async fn a_missing_variable_is_named_at_the_first_read(runtime: Runtime) {
    let server = server();
    let settings = of_server(&server).env_lookup(|_| None);
    let app = app(settings, &runtime);
    let key = app
        .agent()
        .set_settings("OpenAICompatible.api_key", "${ENV.NO_KEY}");
    let error = seed(&key).await.unwrap_err();
    assert_says(&error, &["NO_KEY", "not set"]);
    let limit = app
        .agent()
        .set_settings("request.timeout_seconds", "${ENV.NO_LIMIT}");
    let error = seed(&limit).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_says(
        &error,
        &["`request.timeout_seconds`", "NO_LIMIT", "not set"],
    );
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_fault_of_a_chain_is_the_error_of_the_first_read() {
    let mock = MockProvider::new().reply(Reply::text("never"));
    let app = mocked(&mock, Agently::settings(), &threads());
    for (path, value, words) in [
        (
            "request.max_retry",
            json!(1),
            "did you mean `request.max_retries`?",
        ),
        ("request.max_retries", json!("x"), "whole number"),
        (
            "OpenAICompatible",
            json!({ "url": "x" }),
            "was given to the builder",
        ),
        (
            "OpenAICompatible.model",
            json!("x"),
            "was given to the builder",
        ),
    ] {
        let error = app
            .agent()
            .set_settings(path, value.clone())
            .input("x")
            .start();
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{path}");
        assert_says(&error, &[words]);
        // The first fault of a chain counts.
        let request = app.agent().input("x").set_settings(path, value);
        let error = request.set_settings("nonsense", 1).start().unwrap_err();
        assert_says(&error, &[words]);
    }
    assert!(mock.requests().is_empty());
}

#[test]
fn a_given_provider_goes_before_the_one_in_settings() {
    let mock = MockProvider::new().reply(Reply::text("mock"));
    let settings = OpenAiSettings::new()
        .base_url("http://127.0.0.1:9/v1")
        .model("m");
    let settings = settings.put_into(Agently::settings()).unwrap();
    let app = mocked(&mock, settings.max_retries(0), &threads());
    assert_eq!(app.agent().input("x").start().unwrap(), "mock");
}

#[test]
fn settings_without_a_provider_say_what_to_set() {
    let settings = Agently::settings().env_lookup(|_| None);
    let builder = Agently::builder().settings(settings).runtime(threads());
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProvider);
    assert_says(&error, &["OPENAI_API_KEY", "set_settings"]);
    let settings = Agently::settings().with("OpenAICompatible.base_url", "ftp://a");
    let builder = Agently::builder().settings(settings.unwrap());
    let error = builder.runtime(threads()).build().unwrap_err();
    assert_says(&error, &["ftp"]);
}

#[test]
fn retries_and_limits_come_from_settings() {
    in_virtual_time(0..3, |runtime| async move {
        let mock = MockProvider::new().reply(Reply::text("{}")).repeat_last();
        let settings = Agently::settings().with("request.max_retries", 1).unwrap();
        let app = mocked(&mock, settings, &runtime);
        assert!(seed(&app.agent()).await.is_err());
        assert_eq!(mock.requests().len(), 2);
        // An explicit call goes before what was set, until it is set again.
        assert!(seed(&app.agent().max_retries(0)).await.is_err());
        assert_eq!(mock.requests().len(), 3);
        let agent = app
            .agent()
            .max_retries(0)
            .settings(&Agently::settings().max_retries(2));
        assert!(seed(&agent).await.is_err());
        assert_eq!(mock.requests().len(), 6);
        let agent = app.agent().set_settings("request.response_limit", 1);
        assert_eq!(seed(&agent).await.unwrap_err().kind(), ErrorKind::Limit);
        let agent = app.agent().set_settings("request.stream", false);
        assert!(seed(&agent).await.is_err());
        assert!(!mock.requests().last().unwrap().stream);
    });
}

#[test]
fn a_time_limit_comes_from_settings() {
    in_virtual_time(0..3, |runtime| async move {
        let mock = MockProvider::new().reply(Reply::text("x").hang());
        let settings = Agently::settings().env_lookup(|_| Some("2.5".to_owned()));
        let settings = settings
            .with("request.timeout_seconds", "${ENV.LIMIT}")
            .unwrap();
        let start = runtime.now();
        let error = mocked(&mock, settings, &runtime)
            .agent()
            .input("x")
            .await
            .unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Provider(ProviderErrorKind::Deadline)
        );
        assert_eq!(runtime.now() - start, Duration::from_millis(2500));
    });
}

#[test]
fn placeholders_are_for_settings_alone() {
    let mock =
        MockProvider::respond_with(|request| Reply::text(request.messages.last().unwrap().text()));
    let settings = Agently::settings().env_lookup(|_| Some("sk-secret".to_owned()));
    let agent = mocked(&mock, settings, &threads()).agent();
    let answer = agent.input("Say ${ENV.KEY}.").start().unwrap();
    assert_eq!(answer, "Say ${ENV.KEY}.");
}

#[test]
fn nothing_secret_is_printed() {
    const KEY: &str = "sk-0123456789";
    let server = OpenAiSettings::new()
        .api_key(KEY)
        .header("x-token", KEY)
        .proxy(format!("http://user:{KEY}@127.0.0.1:9"))
        .base_url(format!("http://127.0.0.1:9/v1?token={KEY}"));
    let mut text = format!("{server:?}");
    let settings = server.clone().put_into(Agently::settings()).unwrap();
    let app = app(settings.clone(), &threads());
    text += &format!(
        "{settings:?} {app:?} {:?} {:?}",
        app.agent(),
        seed(&app.agent())
    );
    let written = settings.snapshot();
    for name in ["api_key", "headers", "proxy"] {
        text += &written["OpenAICompatible"][name].to_string();
    }
    let faults: [Error; 2] = [
        settings
            .clone()
            .with("OpenAICompatible.api_kee", KEY)
            .unwrap_err()
            .into(),
        settings
            .with("OpenAICompatible.headers", KEY)
            .unwrap_err()
            .into(),
    ];
    for error in faults {
        text += &format!("{error:?} {}", chain(&error));
    }
    assert!(!text.contains(KEY), "{text}");
}

#[test]
fn the_default_answer_format_is_for_shapes_that_allow_it() {
    let mock = MockProvider::new().reply(Reply::text("{}"));
    let app = Agently::builder().provider(mock).build().unwrap();
    let agent = app
        .agent()
        .set_settings("prompt.default_output_format", "xml_field");
    let fields = agent
        .input("Write.")
        .output(output!({ "title": (str, "Title", true) }));
    let text = fields.clone().get_prompt_text().unwrap();
    assert!(text.contains("<agently_output>"), "{text}");
    // What the request itself says goes first, and a list has only one form.
    let json = fields
        .output_format(Format::Json)
        .get_prompt_text()
        .unwrap();
    assert!(!json.contains("<agently_output>"), "{json}");
    let list = agent
        .input("Write.")
        .output(output!([(str, "Point", true)]));
    let text = list.get_prompt_text().unwrap();
    assert!(!text.contains("<agently_output>"), "{text}");
}
