//! The exact bytes that go out, from the slots of a request to the body that the server sees.

#![cfg(all(feature = "openai", feature = "mock", feature = "macros"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use agently::mock::Reply;
use agently::prelude::*;
use agently::types::model::{Message, Part, ToolSpec};
use support::{seed, seed_schema, served, threads, SEED_ANSWER};

/// What the model is asked by the seed program.
const SEED_PROMPT: &str = "\
[INPUT]:
Give me a title and two bullets.

[OUTPUT REQUIREMENT]:
Data Format: JSON
Data Structure:
{
  \"title\": <string>, // Title (required)
  \"items\": [
    <string>, // Bullet point (required)
    ...
  ]
}
Rules:
- Write every field under exactly its name, in this order.
- `<…>` names the type of a value: write the value in its place.
- `...` after the first item of a list: as many items of the same shape as it takes.
- A field marked as required must be there.
- The comments after `//` explain the fields: do not write any.
Answer with this one JSON object and nothing else: no other text, no code fence.";

#[test]
fn the_body_of_the_seed_program() {
    let (server, agent) = served(&threads(), Reply::text(SEED_ANSWER));
    seed(&agent).start().unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(
        (&*request.method, &*request.path),
        ("POST", "/v1/chat/completions")
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        request.body.as_ref().unwrap(),
        &json!({
            "model": "test-model",
            "messages": [{ "role": "user", "content": SEED_PROMPT }],
            "stream": true,
            "stream_options": { "include_usage": true },
        })
    );
}

#[test]
fn the_prompt_text_is_what_goes_out() {
    let (_server, agent) = served(&threads(), Reply::text(SEED_ANSWER));
    assert_eq!(
        seed(&agent).get_prompt_text().unwrap(),
        format!("[user]\n{SEED_PROMPT}")
    );
}

#[test]
fn every_slot_in_its_place() {
    let (server, agent) = served(&threads(), Reply::text(SEED_ANSWER));
    let agent = agent
        .role("You are an editor.")
        .system("Be brief.")
        .info(json!({ "house": "Beagle Press", "since": 1831 }))
        .chat_history([Message::user("Hello."), Message::assistant("Hello!")]);
    let request = agent
        .input("Give me a title.")
        .info("The readers are ten years old.")
        .instruct(["No jargon.", "No puns."])
        .examples("Ships and Finches")
        .chat_history([Message::user("Still there?"), Message::assistant("Yes.")])
        .output(seed_schema())
        .image_url("https://example.test/finch.png")
        .attachment(Part::image_base64("image/png", "AAAA"));
    assert_eq!(
        request.get_messages().unwrap().len(),
        6,
        "system, four of history, user"
    );
    request.start().unwrap();

    let body = server.requests()[0].body.clone().unwrap();
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(
        messages[..5],
        [
            json!({ "role": "system", "content": "You are an editor.\n\nBe brief." }),
            json!({ "role": "user", "content": "Hello." }),
            json!({ "role": "assistant", "content": "Hello!" }),
            json!({ "role": "user", "content": "Still there?" }),
            json!({ "role": "assistant", "content": "Yes." }),
        ]
    );
    let parts = messages[5]["content"].as_array().unwrap();
    let text = parts[0]["text"].as_str().unwrap();
    let (slots, requirement) = text.split_once("[OUTPUT REQUIREMENT]:\n").unwrap();
    assert_eq!(
        slots,
        "[INFO]:\nhouse: Beagle Press\nsince: 1831\n\nThe readers are ten years old.\n\n\
         [INSTRUCT]:\n- No jargon.\n- No puns.\n\n\
         [EXAMPLES]:\nShips and Finches\n\n\
         [INPUT]:\nGive me a title.\n\n"
    );
    assert!(SEED_PROMPT.ends_with(requirement));
    assert_eq!(
        parts[1..],
        [
            json!({
                "type": "image_url",
                "image_url": { "url": "https://example.test/finch.png" },
            }),
            json!({
                "type": "image_url",
                "image_url": { "url": "data:image/png;base64,AAAA" },
            }),
        ]
    );
}

#[test]
fn a_request_goes_over_its_agent_and_leaves_it_as_it_was() {
    let (server, agent) = served(&threads(), Reply::text("one"));
    server.push(Reply::text("two"));
    let agent = agent.role("You are an editor.").option("temperature", 0.5);
    let own = agent
        .input("Hi.")
        .role("You are a poet.")
        .option("temperature", 1);
    own.model("other-model").start().unwrap();
    agent.input("Hi.").start().unwrap();
    let sent: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| {
            let body = request.body.unwrap();
            [
                &body["model"],
                &body["temperature"],
                &body["messages"][0]["content"],
            ]
            .map(ToString::to_string)
        })
        .collect();
    assert_eq!(
        sent,
        [
            [r#""other-model""#, "1", r#""You are a poet.""#],
            [r#""test-model""#, "0.5", r#""You are an editor.""#],
        ]
    );
}

#[test]
fn options_tools_and_keys() {
    let (server, agent) = served(&threads(), Reply::text("Hi."));
    let parameters = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    agent
        .input("Hi.")
        .stream(false)
        .option("max_tokens", 50)
        .option("metadata", json!({ "trip": [1, 2] }))
        .tool(ToolSpec::new(
            "weather",
            "Tells the weather.",
            parameters.clone(),
        ))
        .idempotency_key("step-7")
        .start()
        .unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("idempotency-key"), Some("step-7"));
    assert_eq!(
        request.body.as_ref().unwrap(),
        &json!({
            "model": "test-model",
            "messages": [{ "role": "user", "content": "Hi." }],
            "stream": false,
            "tools": [{
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Tells the weather.",
                    "parameters": parameters,
                },
            }],
            "max_tokens": 50,
            "metadata": { "trip": [1, 2] },
        })
    );
}
