//! Streams in the shapes that real servers send, written after their public documentation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently_api::model::FinishReason;
use support::read;

#[test]
fn openai() {
    let outcome = read(include_str!("fixtures/openai.sse")).ok();
    assert_eq!(outcome.text, "Hello! How can I help?");
    assert_eq!(
        outcome.id.as_deref(),
        Some("chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG")
    );
    assert_eq!(outcome.model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
    assert_eq!(outcome.usage.total_tokens, Some(26));
    assert_eq!(outcome.usage.cached_input_tokens, Some(0));
    assert_eq!(outcome.warnings, []);
}

#[test]
fn openai_tools() {
    let outcome = read(include_str!("fixtures/openai_tools.sse")).ok();
    assert_eq!(outcome.calls.len(), 2);
    assert_eq!(outcome.calls[0].name, "get_weather");
    assert_eq!(outcome.calls[0].arguments, r#"{"location":"Paris"}"#);
    assert_eq!(outcome.calls[1].arguments, r#"{"location":"Bogotá"}"#);
    assert_eq!(outcome.finish, Some(FinishReason::ToolCalls));
    assert_eq!(outcome.warnings, []);
}

#[test]
fn vllm_with_reasoning() {
    let outcome = read(include_str!("fixtures/vllm.sse")).ok();
    assert_eq!(outcome.reasoning, "9.8 is larger.");
    assert_eq!(outcome.text, "9.8");
    assert_eq!(outcome.usage.output_tokens, Some(11));
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
    assert_eq!(outcome.warnings, []);
}

#[test]
fn ollama() {
    let outcome = read(include_str!("fixtures/ollama.sse")).ok();
    assert_eq!(outcome.text, "The sky is blue.");
    assert_eq!(outcome.calls[0].name, "get_weather");
    assert_eq!(outcome.calls[0].arguments, r#"{"city":"Toronto"}"#);
    assert_eq!(outcome.finish, Some(FinishReason::ToolCalls));
    assert_eq!(outcome.warnings, []);
}

#[test]
fn deepseek_with_keep_alives_and_reasoning() {
    let outcome = read(include_str!("fixtures/deepseek.sse")).ok();
    assert_eq!(outcome.reasoning, "First, compare.");
    assert_eq!(outcome.text, "9.11 < 9.8");
    assert_eq!(outcome.usage.cached_input_tokens, Some(64));
    assert_eq!(outcome.usage.reasoning_tokens, Some(20));
    assert_eq!(outcome.finish, Some(FinishReason::Stop));
    assert_eq!(outcome.warnings, []);
}

#[test]
fn llama_cpp() {
    let outcome = read(include_str!("fixtures/llama_cpp.sse")).ok();
    assert_eq!(outcome.text, "Hi there");
    assert_eq!(outcome.finish, Some(FinishReason::Length));
    assert_eq!(outcome.usage.output_tokens, Some(2));
    assert_eq!(outcome.warnings, []);
}
