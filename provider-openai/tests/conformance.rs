//! The suite that every provider must pass, on every runtime.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently_api::model::{Message, ModelRequest};
use agently_api::rt::Runtime;
use agently_backend_smol::Smol;
use agently_backend_tokio::Tokio;
use agently_provider_openai::{OpenAi, ProxyConfig, RetryPolicy};
use agently_testkit::conformance::provider::{check, Subject};
use agently_testkit::hand::HandRuntime;
use support::server::{Reply, Server};
use support::{finish, text};

fn provider(server: &Server) -> OpenAi {
    OpenAi::builder()
        .base_url(server.base_url())
        .model("m")
        .proxy(ProxyConfig::none())
        .retry(RetryPolicy::never())
        .build()
        .unwrap()
}

fn passes(runtime: &Runtime) {
    let request = ModelRequest::new(vec![Message::user("Hello")]);
    check(|| {
        let answer = Reply::events(&[
            &text("a"),
            &text("b"),
            &text("c"),
            &finish("stop"),
            "[DONE]",
        ]);
        let server = Server::start(vec![answer.slowly(Duration::from_millis(5)); 4]);
        let broken = Server::start(vec![Reply::open_events(&[&text("a")])]);
        Subject::new(runtime.clone(), provider(&server), request.clone())
            .with_failure(provider(&broken), request.clone())
            .with_in_flight(server.in_flight())
            .keeping((server.requests(), broken.requests()))
    })
    .assert_passed();
}

#[test]
fn on_tokio() {
    let tokio = Tokio::new().unwrap();
    passes(&tokio.runtime());
}

#[test]
fn on_smol() {
    let smol = Smol::new().unwrap();
    passes(&smol.runtime());
}

#[test]
fn on_a_runtime_made_by_hand() {
    let hand = HandRuntime::new().unwrap();
    passes(&hand.runtime());
}
