//! What every user relies on without a thought: types that can be sent and cloned, futures that can
//! be spawned, and nothing secret in what is printed.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently::mock::{MockProvider, MockServer, Reply, WireReply};
use agently::openai::{OpenAi, OpenAiBuilder};
use agently::prelude::*;
use agently::types::data::{AttemptStatus, DeltaText, Path, ResultMeta, ValueView};
use agently::types::error::ProviderError;
use agently::types::model::{Message, ModelEvent, ModelRequest};
use agently::types::rt::{Runtime, Task};
use agently::types::sink::{ChannelSink, Collect};
use agently::types::Secret;
use agently::{
    AgentlyBuilder, AnyEvent, BlockingGenerator, Error, EventName, Generator, GeneratorKind,
    OpenAiSettings, Sessions, SpecificEvent,
};
use support::{agent, chain, open_ai, seed, threads};

fn send<T: Send + 'static>() {}
fn shared<T: Send + Sync + 'static>() {}
fn cloned<T: Clone + Send + Sync + 'static>() {}

#[test]
fn types_can_be_sent_shared_and_cloned() {
    cloned::<Agently>();
    cloned::<Agent>();
    cloned::<Request>();
    cloned::<ModelResult>();
    cloned::<Schema>();
    cloned::<(Settings, OpenAiSettings)>();
    cloned::<(Session, Sessions)>();
    cloned::<StreamingData>();
    cloned::<SpecificEvent>();
    cloned::<AnyEvent>();
    cloned::<Error>();
    cloned::<Runtime>();
    cloned::<OpenAi>();
    cloned::<MockProvider>();
    cloned::<Secret>();
    cloned::<ResultMeta>();
    cloned::<AttemptStatus>();
    cloned::<(Path, ValueView, DeltaText)>();
    cloned::<(Message, ModelRequest, ModelEvent)>();
    cloned::<(ErrorKind, EventName)>();
    cloned::<(Instant, Delta, Specific, Original, All)>();
    shared::<AgentlyBuilder>();
    shared::<OpenAiBuilder>();
    shared::<ProviderError>();
    shared::<MockServer>();
    shared::<Collect<StreamingData>>();
    send::<ChannelSink<StreamingData>>();
    send::<Task<StreamingData>>();
    fn generators<K: GeneratorKind>() {
        send::<Generator<K>>();
        send::<BlockingGenerator<Generator<K>>>();
    }
    generators::<Instant>();
    generators::<Delta>();
    generators::<Specific>();
    generators::<Original>();
    generators::<All>();
}

#[test]
fn futures_can_be_spawned() {
    fn spawnable<F: std::future::Future + Send>(_: &F) {}
    let agent = agent(&threads(), MockProvider::new());
    let result = seed(&agent).get_result();
    spawnable(&agent.async_start());
    spawnable(&seed(&agent).async_start());
    spawnable(&result.async_get_data());
    spawnable(&result.async_get_data_object::<u8>());
    spawnable(&result.async_pipe(Instant, Collect::new()));
}

#[test]
fn an_agent_is_a_provider_away_from_any_model() {
    // The names of the front door, as a user's program spells them.
    let provider: std::sync::Arc<dyn ModelProvider> = std::sync::Arc::new(
        MockProvider::new()
            .reply(Reply::text("one"))
            .reply(Reply::text("two")),
    );
    let app = Agently::builder()
        .shared_provider(provider)
        .runtime(threads())
        .build()
        .unwrap();
    assert_eq!(app.agent().input("Hi.").start().unwrap(), "one");
    assert_eq!(app.clone().agent().input("Hi.").start().unwrap(), "two");
}

const KEY: &str = "sk-proj-1234567890abcdef";
const HEADER: &str = "tok-0987654321";
const PROMPT: &str = "the crew of the Beagle";

/// Everything that a program may print of a failure.
fn printed(error: &Error) -> String {
    let provider = error.provider().unwrap();
    format!(
        "{error} {error:?} {error:#?} {} {provider} {provider:?} {:?} {:?}",
        chain(error),
        error.meta(),
        provider.attempts(),
    )
}

#[test]
fn nothing_secret_is_printed() {
    // Servers like to repeat what they were sent.
    let echo = |status| {
        WireReply::api_error(
            status,
            "bad",
            &format!("key {KEY} with {HEADER} asked: {PROMPT} is wrong, see ?token={HEADER}"),
        )
    };
    let event = json!({ "error": { "message": format!("Bearer {KEY} is no good") } });
    let replies = [
        echo(401),
        echo(400),
        echo(500),
        WireReply::events([event.to_string()]),
        WireReply::events([format!("{{no json {KEY}")]),
        WireReply::html(200, format!("<html>{KEY}</html>")),
        WireReply::status(
            307,
            [("location", format!("https://a.test/?key={KEY}"))],
            "",
        ),
    ];
    for reply in replies {
        let server = MockServer::builder().reply(reply).start().unwrap();
        let provider = open_ai(format!("{}?token={HEADER}", server.base_url()))
            .api_key(KEY)
            .header("x-token", HEADER)
            .build()
            .unwrap();
        let agent = agent(&threads(), provider);
        let request = agent.input(PROMPT);
        let error = request.clone().start().unwrap_err();
        let text = printed(&error);
        for secret in [KEY, HEADER] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn debug_output_shows_neither_keys_nor_prompts() {
    let provider = OpenAi::builder()
        .base_url("http://127.0.0.1:9/v1")
        .api_key(KEY)
        .header("x-token", HEADER)
        .model("m");
    let mut text = format!("{provider:?}");
    let provider = provider.build().unwrap();
    text += &format!("{provider:?}");
    let agent = agent(&threads(), provider).system(PROMPT);
    let request = seed(&agent).info(PROMPT);
    let result = request.clone().get_result();
    text += &format!("{agent:?} {request:?} {result:?}");
    for secret in [KEY, HEADER, PROMPT] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn an_error_has_levels() {
    let reply = WireReply::api_error(500, "internal", "the model fell over");
    let server = MockServer::builder().reply(reply).start().unwrap();
    let agent = agent(&threads(), open_ai(server.base_url()).build().unwrap());
    let error = seed(&agent).start().unwrap_err();
    // Each level says its own, so that a chain printed line by line repeats nothing.
    assert_eq!(
        error.to_string(),
        "the model request failed: the server answered with an error (HTTP status 500)"
    );
    let below = std::error::Error::source(&error).unwrap().to_string();
    assert!(below.contains("the model fell over"), "{below}");
    assert!(below.contains("500"), "{below}");
    // Every reader may keep it.
    assert_eq!(format!("{:?}", error.clone()), format!("{error:?}"));
}
