//! How differently the same answer is worded, seen by a bare socket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "support/client.rs"]
mod client;

use std::time::Duration;

use agently_api::model::Usage;
use agently_provider_mock::{Dialect, Reply};
use client::{start, streaming, streaming_with_usage, whole, Answer, Client};
use serde_json::{json, Value};

const ALL: [Dialect; 5] = [
    Dialect::OpenAi,
    Dialect::Vllm,
    Dialect::Ollama,
    Dialect::DeepSeek,
    Dialect::LlamaCpp,
];

fn reply(dialect: Dialect) -> Reply {
    Reply::deltas(["4", "2"])
        .reasoning("hm")
        .tool("c1", "look", "{}")
        .usage(Usage::new(8, 3))
        .dialect(dialect)
}

fn ask(dialect: Dialect, request: &Value) -> Answer {
    let answer = Client::connect(&start(reply(dialect))).ask(request);
    assert_eq!(answer.status, 200);
    assert!(answer.complete);
    answer
}

fn deltas(answer: &Answer) -> Vec<Value> {
    answer
        .chunks()
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta").cloned())
        .collect()
}

/// Text, reasoning and tool arguments, wherever they stand.
fn said(messages: &[Value]) -> (String, String, String) {
    let all = |fields: &[&str]| -> String {
        messages
            .iter()
            .flat_map(|message| fields.iter().filter_map(|field| message[*field].as_str()))
            .collect()
    };
    let arguments = messages
        .iter()
        .filter_map(|message| message["tool_calls"].as_array())
        .flatten()
        .filter_map(|call| call["function"]["arguments"].as_str())
        .collect();
    (
        all(&["content"]),
        all(&["reasoning", "reasoning_content"]),
        arguments,
    )
}

#[test]
fn all_say_the_same() {
    let expected = ("42".to_owned(), "hm".to_owned(), "{}".to_owned());
    for dialect in ALL {
        let streamed = ask(dialect, &streaming());
        assert_eq!(said(&deltas(&streamed)), expected, "{dialect:?}");
        assert_eq!(streamed.payloads().last(), Some(&"[DONE]"));
        let whole = ask(dialect, &whole()).json();
        let message = whole["choices"][0]["message"].clone();
        assert_eq!(said(&[message]), expected, "{dialect:?}");
        assert_eq!(whole["usage"]["total_tokens"], 11);
    }
}

#[test]
fn vllm_names_the_reasoning_anew() {
    let answer = ask(Dialect::Vllm, &streaming_with_usage());
    assert_eq!(
        deltas(&answer)[..3],
        [
            json!({"role": "assistant", "content": "", "reasoning": null}),
            json!({"reasoning": "hm"}),
            json!({"reasoning": null, "content": "4"}),
        ]
    );
    let chunks = answer.chunks();
    assert_eq!(chunks[1]["choices"][0]["stop_reason"], Value::Null);
    assert!(chunks[1]["choices"][0].get("stop_reason").is_some());
    assert_eq!(chunks.last().unwrap()["usage"]["total_tokens"], 11);
}

#[test]
fn ollama_names_the_role_each_time_and_sends_calls_whole() {
    let answer = ask(Dialect::Ollama, &streaming());
    assert_eq!(
        deltas(&answer),
        [
            json!({"role": "assistant", "content": "", "reasoning": "hm"}),
            json!({"role": "assistant", "content": "4"}),
            json!({"role": "assistant", "content": "2"}),
            json!({"role": "assistant", "content": "", "tool_calls": [
                {"index": 0, "id": "c1", "type": "function",
                    "function": {"name": "look", "arguments": "{}"}}]}),
            json!({"role": "assistant", "content": ""}),
        ]
    );
    assert_eq!(answer.chunks()[0]["system_fingerprint"], "fp_ollama");
}

#[test]
fn deepseek_keeps_alive_and_tells_the_usage_with_the_finish() {
    let server = start(
        reply(Dialect::DeepSeek)
            .first_delay(Duration::from_millis(1))
            .delay(Duration::from_millis(1)),
    );
    let answer = Client::connect(&server).ask(&streaming());
    let text = answer.text();
    assert!(text.starts_with(": keep-alive\n\ndata: "), "{text}");
    // Before the head of the answer, and before each of the four events that come later.
    assert_eq!(text.matches(": keep-alive\n\n").count(), 5, "{text}");
    let chunks = answer.chunks();
    assert_eq!(
        chunks[1]["choices"][0]["delta"],
        json!({"content": null, "reasoning_content": "hm"})
    );
    assert_eq!(chunks[1]["usage"], Value::Null);
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(last["usage"]["total_tokens"], 11);
}

#[test]
fn llama_cpp_tells_its_timings() {
    let answer = ask(Dialect::LlamaCpp, &streaming_with_usage());
    let chunks = answer.chunks();
    assert_eq!(
        chunks[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": null})
    );
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["timings"]["predicted_n"], 3);
    let whole = ask(Dialect::LlamaCpp, &whole()).json();
    assert_eq!(whole["timings"]["prompt_n"], 8);
}
