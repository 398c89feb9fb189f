//! Answer formats through the whole engine: request, mock, result.
#![cfg(feature = "conformance")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::sync::Arc;

use agently_api::data::WarningKind;
use agently_api::model::FinishReason;
use agently_core::{output, Agent, ErrorKind, Format, Instant};
use agently_provider_mock::{MockProvider, Reply};
use agently_testkit::det::Det;
use futures_util::StreamExt;
use serde_json::{json, Value};

const ANSWERS: [(Format, &str); 4] = [
    (Format::Json, "{\"title\": \"T\", \"tags\": [\"a\"]}"),
    (
        Format::Hybrid,
        "### title [text]\nT\n\n### tags [JSON]\n```json\n[\"a\"]\n```\n",
    ),
    (
        Format::XmlField,
        "<agently_output>\n<field name=\"title\" type=\"text\">\nT\n</field>\n\
         <field name=\"tags\" type=\"json\">\n[\"a\"]\n</field>\n</agently_output>",
    ),
    (
        Format::YamlLiteral,
        "<<<BEGIN AGENTLY_YAML>>>\ntitle: |-\n  T\ntags:\n  - \"a\"\n<<<END AGENTLY_YAML>>>",
    ),
];

/// Asks in one format, is answered so, and perhaps reads the stream first: the data, and the kinds
/// of the warnings.
fn ask(asked: Format, answer: &str, stream: bool) -> (Value, Vec<WarningKind>) {
    let det = Det::new(0);
    let letters: Vec<String> = answer.chars().map(String::from).collect();
    let mock = MockProvider::new().reply(Reply::deltas(letters).finish(FinishReason::Stop));
    let agent = Agent::new(Arc::new(mock), det.runtime());
    let result = agent
        .input("Go.")
        .output(output!({ "title": (str, "Title", true), "tags": [(str, "Tag", true)] }))
        .output_format(asked)
        .max_retries(0)
        .get_result();
    det.block_on(async move {
        if stream {
            let mut items = result.get_async_generator(Instant);
            while let Some(item) = items.next().await {
                item.unwrap();
            }
        }
        let data = result.async_get_data().await.unwrap();
        let meta = result.async_get_meta().await.unwrap();
        let warnings = meta.warnings.iter().map(|warning| warning.kind);
        (data, warnings.collect())
    })
    .unwrap()
}

#[test]
fn the_data_is_the_same_streamed_or_not_and_another_format_is_told() {
    for (asked, _) in ANSWERS {
        for (answered, text) in ANSWERS {
            let expected = if asked == answered {
                vec![]
            } else {
                vec![WarningKind::Format]
            };
            for stream in [false, true] {
                let (data, warnings) = ask(asked, text, stream);
                let about = format!("{answered} for {asked}, stream: {stream}");
                assert_eq!(data, json!({ "title": "T", "tags": ["a"] }), "{about}");
                assert_eq!(warnings, expected, "{about}");
            }
        }
    }
}

#[test]
fn a_format_that_does_not_fit_is_the_error_of_the_first_read() {
    let det = Det::new(0);
    let mock = MockProvider::new();
    let agent = Agent::new(Arc::new(mock), det.runtime()).output_format(Format::Hybrid);
    let result = agent.input("Go.").output(output!([str])).get_result();
    let error = det
        .block_on(async move { result.async_get_data().await.unwrap_err() })
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Prompt);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        source.contains("`hybrid` needs an object at the root"),
        "{source}"
    );
}

#[test]
fn a_retry_asks_in_the_same_format_and_starts_the_stream_anew() {
    let det = Det::new(0);
    let mock = MockProvider::new()
        .reply(Reply::deltas(["### title\nHalf"]).finish(FinishReason::Stop))
        .reply(Reply::deltas(["### title\nT\n### tags\n[\"a\"]"]).finish(FinishReason::Stop));
    let agent = Agent::new(Arc::new(mock), det.runtime());
    let result = agent
        .input("Go.")
        .output(output!({ "title": (str, "Title", true), "tags": ([str], "Tags", true) }))
        .output_format(Format::Auto)
        .get_result();
    let done = det
        .block_on(async move {
            let mut done = Vec::new();
            let mut items = result.get_async_generator(Instant);
            while let Some(item) = items.next().await {
                let item = item.unwrap();
                if item.is_complete {
                    done.push((item.attempt, item.path.to_string()));
                }
            }
            assert_eq!(
                result.async_get_data().await.unwrap(),
                json!({ "title": "T", "tags": ["a"] })
            );
            done.retain(|(_, path)| path != "$status");
            done
        })
        .unwrap();
    let done: Vec<_> = done.iter().map(|(n, path)| (*n, path.as_str())).collect();
    assert_eq!(
        done,
        [(1, "title"), (2, "title"), (2, "tags[0]"), (2, "tags")]
    );
}
