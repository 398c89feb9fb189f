//! Sessions without a request: what is kept, what of it is sent, and how it is stored.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_api::model::{Message, Part, ToolCall};
use agently_core::session::{Session, SessionErrorKind, Sessions};
use agently_core::Error;
use serde_json::{json, Value};

/// Turns `q0`, `a0`, `q1`, `a1`, …
fn turns(session: &Session, count: usize) {
    for turn in 0..count {
        session.append([
            Message::user(format!("q{turn}")),
            Message::assistant(format!("a{turn}")),
        ]);
    }
}

fn texts(messages: &[Message]) -> Vec<String> {
    messages.iter().map(Message::text).collect()
}

#[test]
fn without_a_limit_everything_is_sent() {
    let session = Session::new();
    assert!(session.window().is_empty());
    turns(&session, 2);
    assert_eq!(texts(&session.window()), ["q0", "a0", "q1", "a1"]);
    assert_eq!(session.window(), session.messages());
}

#[test]
fn a_limit_of_messages_leaves_the_latest_whole_turns() {
    for (limit, sent) in [
        (0, vec![]),
        (1, vec![]),
        (2, vec!["q2", "a2"]),
        (3, vec!["q2", "a2"]),
        (4, vec!["q1", "a1", "q2", "a2"]),
        (6, vec!["q0", "a0", "q1", "a1", "q2", "a2"]),
        (100, vec!["q0", "a0", "q1", "a1", "q2", "a2"]),
    ] {
        let session = Session::new().max_messages(limit);
        turns(&session, 3);
        assert_eq!(texts(&session.window()), sent, "{limit}");
        assert_eq!(session.messages().len(), 6);
    }
}

#[test]
fn a_limit_of_characters_counts_letters_and_not_bytes() {
    let session = Session::new().max_characters(4);
    session.append([Message::user("äö"), Message::assistant("ü日")]);
    assert_eq!(texts(&session.window()), ["äö", "ü日"]);
    session.append([Message::user("x"), Message::assistant("yz")]);
    assert_eq!(texts(&session.window()), ["x", "yz"]);
    session.append([Message::user("far too"), Message::assistant("long")]);
    assert!(session.window().is_empty());
}

#[test]
fn both_limits_hold_and_calls_of_tools_stay_with_their_turn() {
    let session = Session::new().max_messages(5).max_characters(1_000);
    let call = Part::ToolCall(ToolCall::new("1", "find", "{\"a\":1}"));
    session.append([Message::user("q0"), Message::assistant("a0")]);
    session.append([
        Message::user("q1"),
        Message::assistant("").with_part(call),
        Message::tool_result("1", "found"),
        Message::assistant("a1"),
    ]);
    assert_eq!(texts(&session.window()), ["q1", "", "", "a1"]);
    // The arguments and results of tools are characters too.
    let session = session.max_characters(12);
    assert!(session.window().is_empty());
}

#[test]
fn all_handles_are_one_conversation() {
    let session = Session::new();
    let other = session.clone();
    turns(&other, 1);
    other.remember("name", "Ada");
    assert_eq!(texts(&session.messages()), ["q0", "a0"]);
    assert_eq!(session.memo()["name"], "Ada");
    session.clear();
    assert!(other.messages().is_empty());
    assert_eq!(other.forget("name"), Some(json!("Ada")));
    assert_eq!(other.forget("name"), None);
}

#[test]
fn ids_are_safe_in_file_names() {
    for id in ["a", "user:5", "2026-08.x_y", &"x".repeat(128)] {
        assert_eq!(Session::with_id(id).unwrap().id(), id);
    }
    for id in ["", "a b", "../x", "ä", "a\n", &"x".repeat(129)] {
        let error = Session::with_id(id).unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Id, "{id}");
        assert!(error.to_string().contains("1 to 128 letters"), "{error}");
    }
}

#[test]
fn several_sessions_are_kept_apart() {
    let sessions = Sessions::new(|session| session.max_messages(2));
    turns(&sessions.open("ada").unwrap(), 2);
    assert_eq!(sessions.open("ada").unwrap().window().len(), 2);
    assert!(sessions.clone().open("ben").unwrap().messages().is_empty());
    assert_eq!(sessions.ids(), ["ada", "ben"]);
    assert!(sessions.remove("ada").is_some());
    assert!(sessions.get("ada").is_none());
    assert!(sessions.open("ada").unwrap().messages().is_empty());
    let stored = Session::with_id("ben").unwrap();
    turns(&stored, 1);
    assert!(sessions.insert(stored).is_some());
    assert_eq!(sessions.open("ben").unwrap().messages().len(), 2);
    assert!(sessions.open("no id").is_err());
}

fn full() -> Session {
    let session = Session::with_id("ada").unwrap();
    session.append([
        Message::user("Look: \"x\"\n # no comment")
            .with_part(Part::image_url("https://a.test/i.png")),
        Message::assistant("yes").with_part(Part::ToolCall(ToolCall::new("1", "f", "{}"))),
        Message::tool_result("1", "no"),
        Message::assistant("- done: 1.0"),
    ]);
    session.remember("likes", json!(["tea", { "at": 5 }]));
    session
}

#[test]
fn what_is_exported_can_be_imported() {
    let session = full();
    let back = Session::from_json(&session.to_json()).unwrap();
    assert_eq!(back.id(), "ada");
    assert_eq!(back.messages(), session.messages());
    assert_eq!(back.memo(), session.memo());
    assert_eq!(back.export(), session.export());
    // They are two conversations.
    back.clear();
    assert_eq!(session.messages().len(), 4);
}

#[cfg(feature = "yaml")]
#[test]
fn yaml_says_the_same() {
    let session = full();
    let yaml = session.to_yaml();
    assert!(
        yaml.starts_with("agently_session: 1\nid: ada\nmessages:\n"),
        "{yaml}"
    );
    assert_eq!(
        Session::from_yaml(&yaml).unwrap().export(),
        session.export()
    );
    let error = Session::from_yaml("agently_session: [").unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Syntax);
}

#[test]
fn an_import_that_is_none_says_where_the_fault_is() {
    let with = |name: &str, value: Value| {
        let mut data = full().export();
        data[name] = value;
        data
    };
    let without = |name: &str| {
        let mut data = full().export();
        data.as_object_mut().unwrap().shift_remove(name);
        data
    };
    let many = vec![json!({ "role": "user", "content": "" }); 100_001];
    use SessionErrorKind::{Form, Id, Version};
    for (data, kind, words) in [
        (json!([]), Form, "must be an object"),
        (json!({}), Form, "`agently_session` is missing"),
        (
            with("agently_session", json!(2)),
            Version,
            "version 1 is known",
        ),
        (
            with("agently_session", json!("1")),
            Version,
            "version 1 is known",
        ),
        (with("mesages", json!([])), Form, "did you mean `messages`?"),
        (with("weather", json!([])), Form, "`weather` is not part"),
        (without("id"), Form, "`id` must be a text"),
        (with("id", json!("a/b")), Id, "a session's id"),
        (without("messages"), Form, "`messages` must be a list"),
        (
            with("messages", json!({})),
            Form,
            "`messages` must be a list",
        ),
        (
            with(
                "messages",
                json!([{ "role": "user", "content": "" }, { "role": "boss", "content": "x" }]),
            ),
            Form,
            "`messages[1]` is no message",
        ),
        (
            with("messages", json!([{ "role": "user" }])),
            Form,
            "`messages[0]`",
        ),
        (
            with("messages", json!(many)),
            SessionErrorKind::Limit,
            "at most 100000",
        ),
        (with("from", json!(5)), Form, "`from`"),
        (with("memo", json!([])), Form, "`memo`"),
    ] {
        let error = Session::import(&data).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(!error.to_string().contains("no comment"), "{error}");
        // It can be handed on with `?`.
        assert!(Error::from(error).to_string().contains("session"));
    }
    let error = Session::from_json("{\"agently_session\": 1,").unwrap_err();
    assert!(error.to_string().contains("JSON at line 1"), "{error}");
    let error = Session::from_json(&" ".repeat((16 << 20) + 1)).unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Limit);
}

#[test]
fn nothing_that_was_said_is_printed() {
    let session = full();
    let text = format!("{session:?}");
    assert!(text.contains("ada") && text.contains('4'), "{text}");
    assert!(!text.contains("comment") && !text.contains("tea"), "{text}");
}
