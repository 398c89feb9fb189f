//! What becomes of a prompt's slots.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::error::Error;

use agently_api::model::{Message, Part, Role};
use agently_core::output;
use agently_core::prompt::{Prompt, PromptErrorKind, PromptValue, Slot};
use serde_json::json;

fn filled(fill: impl FnOnce(&mut Prompt) -> &mut Prompt) -> Prompt {
    let mut prompt = Prompt::new();
    fill(&mut prompt);
    prompt
}

fn user_text(prompt: &Prompt) -> String {
    let messages = prompt.render().unwrap();
    assert_eq!(messages.last().unwrap().role, Role::User);
    messages.last().unwrap().text()
}

#[test]
fn input_alone_is_sent_as_it_is() {
    let text = "  Hello,\n\n[INPUT]: {x}  \n";
    let prompt = filled(|prompt| prompt.set_input(text));
    assert_eq!(prompt.render().unwrap(), [Message::user(text)]);
    let with_role = filled(|prompt| prompt.set_role("Be kind.").set_input(text));
    assert_eq!(
        with_role.render().unwrap(),
        [Message::system("Be kind."), Message::user(text)]
    );
}

#[test]
fn nothing_beside_the_input_is_dropped() {
    type Fill = fn(&mut Prompt) -> &mut Prompt;
    let fills: [(Fill, &str); 3] = [
        (|prompt| prompt.add_examples("ex"), "[EXAMPLES]:\nex"),
        (|prompt| prompt.add_info("in"), "[INFO]:\nin"),
        (|prompt| prompt.add_instruct("do"), "[INSTRUCT]:\ndo"),
    ];
    for (fill, section) in fills {
        let mut prompt = filled(|prompt| prompt.set_input("Go"));
        fill(&mut prompt);
        assert_eq!(user_text(&prompt), format!("{section}\n\n[INPUT]:\nGo"));
    }
}

#[test]
fn messages_are_system_then_history_then_the_request() {
    let prompt = filled(|prompt| {
        prompt
            .set_system("Plain words.")
            .set_input("And now?")
            .set_role("An editor.")
            .add_chat_history([Message::user("One"), Message::assistant("Two")])
            .add_chat_history([Message::tool_result("call_1", "42")])
    });
    assert_eq!(
        prompt.render().unwrap(),
        [
            Message::system("An editor.\n\nPlain words."),
            Message::user("One"),
            Message::assistant("Two"),
            Message::tool_result("call_1", "42"),
            Message::user("And now?"),
        ]
    );
}

#[test]
fn history_alone_is_a_prompt_and_gets_nothing_added() {
    let prompt = filled(|prompt| prompt.add_chat_history([Message::user("Hello")]));
    assert_eq!(prompt.render().unwrap(), [Message::user("Hello")]);
}

#[test]
fn attachments_follow_the_text() {
    let image = Part::image_url("https://example.com/a.png");
    let prompt = filled(|prompt| {
        prompt
            .set_input("What is this?")
            .add_attachment(image.clone())
    });
    assert_eq!(
        prompt.render().unwrap(),
        [Message::user("What is this?").with_part(image.clone())]
    );
    let alone = filled(|prompt| prompt.add_attachment(image.clone()));
    assert_eq!(
        alone.render().unwrap(),
        [Message::new(Role::User, vec![image])]
    );
}

#[test]
fn a_later_input_replaces_and_a_later_info_adds() {
    let prompt = filled(|prompt| {
        prompt
            .set_input("first")
            .set_input("second")
            .add_info("a")
            .add_info("b")
    });
    assert_eq!(user_text(&prompt), "[INFO]:\na\n\nb\n\n[INPUT]:\nsecond");
}

#[test]
fn a_request_over_its_agent() {
    let agent = filled(|prompt| {
        prompt
            .set_role("agent role")
            .set_system("agent system")
            .add_info("agent info")
            .add_instruct("agent instruct")
            .add_examples("agent example")
            .set_input("agent input")
            .set_output(output!({ "agent": str }))
            .add_chat_history([Message::user("agent history")])
            .add_attachment(Part::text("agent part"))
    });
    let request = filled(|prompt| {
        prompt
            .set_role("request role")
            .add_info("request info")
            .add_instruct("request instruct")
            .add_examples("request example")
            .set_input("request input")
            .set_output(output!({ "request": str }))
            .add_chat_history([Message::user("request history")])
            .add_attachment(Part::text("request part"))
    });
    let expected = filled(|prompt| {
        prompt
            .set_role("request role")
            .set_system("agent system")
            .add_info("agent info")
            .add_info("request info")
            .add_instruct("agent instruct")
            .add_instruct("request instruct")
            .add_examples("agent example")
            .add_examples("request example")
            .set_input("request input")
            .set_output(output!({ "request": str }))
            .add_chat_history([
                Message::user("agent history"),
                Message::user("request history"),
            ])
            .add_attachment(Part::text("agent part"))
            .add_attachment(Part::text("request part"))
    });
    assert_eq!(agent.merged(&request), expected);
    assert_eq!(agent.merged(&Prompt::new()), agent);
    assert_eq!(Prompt::new().merged(&request), request);
    let blank = filled(|prompt| prompt.set_role(" ").set_input(json!(null)));
    assert_eq!(agent.merged(&blank), agent);
}

#[test]
fn an_empty_prompt_names_the_slots() {
    let error = Prompt::new().render().unwrap_err();
    assert_eq!(error.kind(), PromptErrorKind::Empty);
    assert_eq!(
        error.to_string(),
        "the prompt is empty; fill `input`, or another of the slots `input`, `instruct`, `info`, \
         `examples`, `output`, `attachments`, `chat_history`"
    );
    let blank = filled(|prompt| prompt.set_input("\n").add_info(json!(null)));
    assert_eq!(blank.render().unwrap_err().to_string(), error.to_string());
    let secret = filled(|prompt| prompt.set_role("secret words"));
    let error = secret.to_text().unwrap_err();
    assert!(error
        .to_string()
        .starts_with("the prompt has a system message and nothing to answer"));
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn blank_entries_leave_no_heading() {
    let prompt = filled(|prompt| {
        prompt
            .add_info("")
            .add_examples(json!(null))
            .set_input("Go")
    });
    assert_eq!(user_text(&prompt), "Go");
    assert!(!prompt.is_filled(Slot::Info));
    assert!(prompt.is_filled(Slot::Input));
    // An empty list is data, and may be the very thing asked about.
    let empty = filled(|prompt| prompt.set_input(json!([])));
    assert_eq!(user_text(&empty), "[]");
}

#[test]
fn a_cleared_slot_is_empty() {
    let slots = [
        Slot::Role,
        Slot::System,
        Slot::Info,
        Slot::Instruct,
        Slot::Examples,
        Slot::Input,
        Slot::Output,
        Slot::ChatHistory,
        Slot::Attachments,
    ];
    let mut prompt = filled(|prompt| {
        prompt
            .set_role("a")
            .set_system("b")
            .add_info("c")
            .add_instruct("d")
            .add_examples("e")
            .set_input("f")
            .set_output(output!(str))
            .add_chat_history([Message::user("g")])
            .add_attachment(Part::text("h"))
    });
    for slot in slots {
        assert!(prompt.is_filled(slot), "{slot}");
        prompt.clear(slot);
        assert!(!prompt.is_filled(slot), "{slot}");
    }
    assert_eq!(prompt, Prompt::new());
}

#[test]
fn a_correction_is_told_and_changes_nothing_before_it() {
    let prompt = filled(|prompt| {
        prompt
            .add_info("Context")
            .set_input("Go")
            .set_output(output!({ "title": (str, "Title", true) }))
    });
    let first = user_text(&prompt);
    let again = prompt
        .render_with_correction(Some("`title` is missing"))
        .unwrap()[0]
        .text();
    let (before, rest) = again.split_once("[OUTPUT CORRECTION]:\n").unwrap();
    assert!(rest.contains("\n`title` is missing\n"));
    assert!(first.starts_with(before));
    let (_, requirement) = first.split_once("[OUTPUT REQUIREMENT]").unwrap();
    assert!(again.ends_with(requirement));
    for none in [None, Some(""), Some(" \n")] {
        assert_eq!(
            prompt.render_with_correction(none).unwrap(),
            prompt.render().unwrap()
        );
    }
}

#[test]
fn the_last_line_is_no_heading_that_a_model_could_repeat() {
    for schema in [
        output!({ "a": str }),
        output!([str]),
        output!(int),
        output!({}),
    ] {
        let text = user_text(&filled(|prompt| prompt.set_input("Go").set_output(schema)));
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("Answer with this one JSON "), "{last}");
    }
}

#[test]
fn values_of_many_types_are_taken() {
    let text = |value: PromptValue| value.to_string();
    assert_eq!(text("a".into()), "a");
    assert_eq!(text("a".to_owned().into()), "a");
    assert_eq!(text((&"a".to_owned()).into()), "a");
    assert_eq!(text(std::borrow::Cow::Borrowed("a").into()), "a");
    assert_eq!(text(7.into()), "7");
    assert_eq!(text(0.5.into()), "0.5");
    assert_eq!(text(true.into()), "true");
    assert_eq!(text(vec!["a", "b"].into()), "- a\n- b");
    assert_eq!(text(["a", "b"].into()), "- a\n- b");
    assert_eq!(text((&["a", "b"][..]).into()), "- a\n- b");
    assert_eq!(
        text(vec![json!({ "n": 1 }), json!("x")].into()),
        "- n: 1\n- x"
    );
    assert_eq!(text((&json!("as it is: \n")).into()), "as it is: \n");
    assert_eq!(text(["a"].into_iter().collect()), "- a");
}

#[test]
fn a_value_without_a_json_form_is_an_error_that_names_its_type() {
    let keys = BTreeMap::from([((1, 2), "secret")]);
    let error = PromptValue::from_serialize(&keys).unwrap_err();
    assert_eq!(error.kind(), PromptErrorKind::Value);
    assert!(
        error.to_string().contains("BTreeMap<(i32, i32), &str>"),
        "{error}"
    );
    assert!(!error.to_string().contains("secret"));
    assert_eq!(error.source().unwrap().to_string(), "key must be a string");
}
