//! The exact messages that go out, one file each in `snapshots/`.

#![allow(clippy::unwrap_used, reason = "tests")]

use agently_api::model::{Message, Part, Role, ToolCall};
use agently_core::output;
use agently_core::prompt::{messages_to_text, Prompt, PromptValue};
use agently_core::schema::Schema;
use serde_json::json;

#[track_caller]
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("prompt_{name}"), text);
    });
}

#[track_caller]
fn check(name: &str, fill: impl FnOnce(&mut Prompt) -> &mut Prompt) {
    let mut prompt = Prompt::new();
    fill(&mut prompt);
    snapshot(name, &prompt.to_text().unwrap());
}

#[track_caller]
fn check_value(name: &str, value: impl Into<PromptValue>) {
    snapshot(&format!("value_{name}"), &value.into().to_string());
}

fn title_and_items() -> Schema {
    output!({ "title": (str, "Title", true), "items": [(str, "Bullet point", true)] })
}

#[test]
fn input_only() {
    check("input_only", |prompt| prompt.set_input("Give me a title."));
}

#[test]
fn quickstart() {
    check("quickstart", |prompt| {
        prompt
            .set_input("Give me a title and two bullets.")
            .set_output(title_and_items())
    });
}

#[test]
fn every_slot() {
    check("every_slot", |prompt| {
        prompt
            .set_role("You are a careful editor.")
            .set_system(json!({ "language": "English", "tone": ["plain", "short"] }))
            .add_info(json!({ "reader": { "name": "Ada", "in_a_hurry": true } }))
            .add_info("The house style is plain.")
            .add_instruct(["Keep names as they are.", "Say nothing twice."])
            .add_instruct("Use British spelling.")
            .add_examples(json!([{ "input": "Rust", "output": { "title": "Iron's friend" } }]))
            .set_input(json!({ "topic": "async", "sources": [] }))
            .set_output(title_and_items())
            .add_chat_history([Message::user("Hello"), Message::assistant("Good morning.")])
            .add_attachment(Part::image_url("https://example.com/a.png?size=2"))
            .add_attachment(Part::image_base64("image/png", "iVBORw0KGgo="))
    });
}

#[test]
fn correction() {
    let mut prompt = Prompt::new();
    prompt.set_input("Go").set_output(title_and_items());
    let reason = "`title` is missing; `items[1]` is missing";
    let messages = prompt.render_with_correction(Some(reason)).unwrap();
    snapshot("correction", &messages_to_text(&messages));
}

#[test]
fn correction_without_output() {
    let mut prompt = Prompt::new();
    prompt.set_input("Name a colour.");
    let messages = prompt
        .render_with_correction(Some("The answer is empty."))
        .unwrap();
    snapshot("correction_without_output", &messages_to_text(&messages));
}

#[test]
fn output_only() {
    check("output_only", |prompt| {
        prompt.set_output(output!({ "joke": "A joke about compilers" }))
    });
}

#[test]
fn instruct_only() {
    check("instruct_only", |prompt| {
        prompt.add_instruct("Tell a joke.")
    });
}

#[test]
fn output_not_null() {
    check("output_not_null", |prompt| {
        prompt
            .set_input("Go")
            .set_output(output!({ "title": (str, "Title", "not_null") }))
    });
}

#[test]
fn output_open() {
    check("output_open", |prompt| {
        prompt.set_input("Go").set_output(output!({ "found": {} }))
    });
}

#[test]
fn output_root_list() {
    check("output_root_list", |prompt| {
        prompt
            .set_input("Go")
            .set_output(output!([{ "name": (str, "Name", true), "age": int }]))
    });
}

#[test]
fn output_root_leaf() {
    check("output_root_leaf", |prompt| {
        prompt.set_input("How many?").set_output(output!(int))
    });
}

#[test]
fn output_root_open() {
    check("output_root_open", |prompt| {
        prompt.set_input("Go").set_output(output!({}))
    });
}

#[test]
fn chinese() {
    check("chinese", |prompt| {
        prompt
            .set_role("你是一位编辑。")
            .add_info(json!({ "主题": "异步" }))
            .set_input("给我一个标题。")
            .set_output(output!({ "标题": (str, "不超过十个字", true) }))
    });
}

#[test]
fn conversation_with_tools() {
    let call = Message::new(
        Role::Assistant,
        vec![Part::ToolCall(ToolCall::new(
            "call_1",
            "weather",
            r#"{"city":"Bath"}"#,
        ))],
    );
    check("conversation_with_tools", |prompt| {
        prompt
            .add_chat_history([
                Message::user("Rain?"),
                call,
                Message::tool_result("call_1", "No."),
            ])
            .set_input("And tomorrow?")
    });
}

#[test]
fn images_only() {
    check("images_only", |prompt| {
        prompt.add_attachment(Part::image_url("data:image/png;base64,iVBORw0KGgo="))
    });
}

#[test]
fn agent_and_request() {
    let mut agent = Prompt::new();
    agent
        .set_role("You are a careful editor.")
        .add_info("The house style is plain.")
        .add_instruct("Use British spelling.")
        .set_output(output!({ "text": str }));
    let mut request = Prompt::new();
    request
        .add_info("The reader is in a hurry.")
        .set_input("Shorten this.")
        .set_output(title_and_items());
    snapshot(
        "agent_and_request",
        &agent.merged(&request).to_text().unwrap(),
    );
}

#[test]
fn value_mapping() {
    check_value(
        "mapping",
        json!({ "zeta": 1, "alpha": null, "mid": { "b": true, "a": 0.5 } }),
    );
}

#[test]
fn value_list_of_mappings() {
    check_value(
        "list_of_mappings",
        json!([{ "name": "Ada", "tags": ["a", "b"] }, { "name": "Alan", "tags": [] }]),
    );
}

#[test]
fn value_nested_lists() {
    check_value("nested_lists", json!([[1, 2], [[3], []], "x", {}]));
}

#[test]
fn value_blocks() {
    check_value(
        "blocks",
        json!({
            "poem": "Roses are red\n  violets: blue\n\nthe end",
            "ended": "one\ntwo\n",
            "spaced": "one\n\n\n",
            "indented": "  first\nsecond",
            "windows": "one\r\ntwo",
            "items": ["a\nb", { "deep": "c\nd" }],
        }),
    );
}

#[test]
fn value_block_at_the_end() {
    check_value("block_at_the_end", json!([{ "text": "one\ntwo" }]));
}

#[test]
fn value_texts_that_look_like_something_else() {
    check_value(
        "texts_that_look_like_something_else",
        json!([
            "12",
            "-0.5",
            "1e3",
            "0x1F",
            "0b1",
            "true",
            "No",
            "null",
            "~",
            "",
            " padded ",
            "- dash",
            "-dash",
            "a: b",
            "a:b",
            "ends:",
            "a #b",
            "#b",
            "a#b",
            "[x]",
            "{x}",
            "*x",
            "&x",
            "\"q\"",
            "it's",
            "'q'",
            "@x",
            "`x`",
            "% x",
            "> x",
            "| x",
            "! x",
            "? x",
            "?x",
            "---",
            "1.2.3",
            "2024-01-01",
            "bell\u{7}",
            "\n\n",
            "日本語",
        ]),
    );
}

#[test]
fn value_keys() {
    check_value(
        "keys",
        json!({ "plain key": 1, "12": 2, "a: b": 3, "": 4, "中文": 5, "true": 6, "two\nlines": 7 }),
    );
}

#[test]
fn value_numbers() {
    check_value(
        "numbers",
        json!([0, -7, 18_446_744_073_709_551_615_u64, 0.1, 1e-7, 1e300]),
    );
}

#[test]
fn value_empty() {
    check_value(
        "empty",
        json!({ "list": [], "object": {}, "text": "", "nothing": null }),
    );
}
