//! The public suite for providers, over every provider of this crate, on real runtimes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{CallContext, ModelProvider, Usage};
use agently_api::rt::Runtime;
use agently_provider_mock::cassette::{Cassette, Recorder, Timing};
use agently_provider_mock::{MockProvider, Reply};
use agently_testkit::conformance::provider::{check, Subject};
use support::{ask, drain};

const PACE: Duration = Duration::from_millis(1);

fn runtimes() -> [Runtime; 2] {
    [
        agently_backend_tokio::runtime().unwrap(),
        agently_backend_smol::runtime().unwrap(),
    ]
}

fn answering() -> MockProvider {
    let reply = Reply::text("Hello")
        .chunked(1)
        .reasoning("hm")
        .tool("c1", "look", "{}")
        .delay(PACE)
        .usage(Usage::new(1, 2));
    MockProvider::new().reply(reply).repeat_last()
}

fn failing() -> MockProvider {
    let error = || ProviderError::new(ProviderErrorKind::Truncated, "gone");
    MockProvider::new().reply(Reply::text("half").error(error))
}

fn file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("agently-{name}-{}.jsonl", std::process::id()))
}

#[test]
fn the_mock_is_a_provider() {
    for runtime in runtimes() {
        let report = check(|| {
            let mock = answering();
            Subject::new(runtime.clone(), mock.clone(), ask("x"))
                .with_failure(failing(), ask("x"))
                .with_in_flight(move || mock.active())
        });
        assert!(report.is_complete(), "{report}");
    }
}

#[test]
fn a_recorder_is_the_provider_it_records() {
    let path = file("recorder");
    for runtime in runtimes() {
        let report = check(|| {
            let mock = answering();
            let recorder = Recorder::new(mock.clone(), &path).unwrap();
            Subject::new(runtime.clone(), recorder, ask("x"))
                .with_failure(Recorder::new(failing(), &path).unwrap(), ask("x"))
                .with_in_flight(move || mock.active())
        });
        assert!(report.is_complete(), "{report}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_player_is_a_provider() {
    let path = file("player");
    for runtime in runtimes() {
        let record = |mock: MockProvider, calls: usize| {
            let recorder = Recorder::new(mock, &path).unwrap();
            for _ in 0..calls {
                let context = CallContext::new(runtime.clone());
                let answer =
                    async { drain(recorder.stream(ask("x"), context).await.unwrap()).await };
                runtime.block_on(answer).unwrap();
            }
            Cassette::load(&path).unwrap()
        };
        let answers = record(answering(), 4);
        let failures = record(failing(), 1);
        let report = check(|| {
            let player = answers.player().timing(Timing::Recorded);
            Subject::new(runtime.clone(), player, ask("x"))
                .with_failure(failures.player(), ask("x"))
        });
        assert!(report.is_passed(), "{report}");
    }
    std::fs::remove_file(path).unwrap();
}
