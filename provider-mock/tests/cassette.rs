//! Recording and replaying.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{
    Capabilities, Message, ModelEvent, ModelProvider, ModelRequest, OutputContract, Part, Role,
    ToolSpec,
};
use agently_provider_mock::cassette::{Cassette, CassetteErrorKind, Matching, Recorder, Timing};
use agently_provider_mock::{MockProvider, Reply};
use futures_util::StreamExt;
use serde_json::{json, Value};
use support::{ask, text_of, Virtual};

const SECOND: Duration = Duration::from_secs(1);

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "agently-cassette-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::SeqCst)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("talk.jsonl")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Records these answers to these requests, each read to its end.
fn record(folder: &Folder, talk: &[(ModelRequest, Reply)]) {
    let time = Virtual::new();
    let mock = MockProvider::new();
    let recorder = Recorder::new(mock.clone(), folder.file()).unwrap();
    for (request, reply) in talk {
        mock.push(reply.clone());
        time.collect(&recorder, request.clone());
    }
    recorder.save().unwrap();
}

fn full_request() -> ModelRequest {
    ModelRequest::new(vec![
        Message::system("Be brief."),
        Message::new(
            Role::User,
            vec![
                Part::text("What is this?"),
                Part::image_url("https://me:pw@host/a.png?sig=topsecret"),
            ],
        ),
    ])
    .with_model("m-1")
    .with_tool(ToolSpec::new("look", "Looks.", json!({"type": "object"})))
    .with_output(OutputContract::JsonSchema {
        name: "answer".to_owned(),
        schema: json!({"type": "object"}),
        strict: true,
    })
    .with_option("temperature", 0.1)
    .with_option("max_tokens", 100)
    .with_option(
        "extra_body",
        json!({"api_key": "topsecret", "X-Token": 1, "token": "topsecret"}),
    )
}

#[test]
fn the_file_is_as_documented() {
    let folder = Folder::new();
    let reply = Reply::deltas(["Hel", "lo"]).delay(SECOND).id("r-1");
    record(&folder, &[(full_request(), reply)]);
    let lines = folder.lines();
    assert_eq!(
        lines[0],
        json!({"format": "agently-cassette", "version": 1, "provider": "mock", "capabilities":
            {"images": true, "tools": true, "json_schema": true, "json_object": true}})
    );
    assert_eq!(
        lines[1],
        json!({
            "request": {
                "messages": [
                    {"role": "system", "parts": [{"type": "text", "text": "Be brief."}]},
                    {"role": "user", "parts": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image",
                            "source": {"url": "https://[redacted]@host/a.png?[redacted]"}},
                    ]},
                ],
                "model": "m-1",
                "tools": [{"name": "look", "description": "Looks.",
                    "parameters": {"type": "object"}}],
                "output": {"type": "json_schema", "name": "answer",
                    "schema": {"type": "object"}, "strict": true},
                "options": {"temperature": 0.1, "max_tokens": 100, "extra_body":
                    {"api_key": "[redacted]", "X-Token": "[redacted]", "token": "[redacted]"}},
                "stream": true,
            },
            "events": [
                {"at_us": 0, "type": "started", "id": "r-1"},
                {"at_us": 0, "type": "text", "text": "Hel"},
                {"at_us": 1_000_000, "type": "text", "text": "lo"},
                {"at_us": 2_000_000, "type": "finish", "reason": "stop"},
            ],
            "end": "complete",
            "end_at_us": 2_000_000,
        })
    );
    assert_eq!(lines.len(), 2);
    assert!(!folder.text().contains("topsecret"));
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn no_secret_of_the_options_is_kept() {
    let folder = Folder::new();
    let plain = json!({
        "max_tokens": 7, "stop": ["a b"], "seed": 1, "logprobs": true, "return_token": true,
        "user": "see https://docs.example/a b",
    });
    let secret = json!({
        "aws_secret_access_key": "CANARY1",
        "secret_key": "CANARY2",
        "refresh_token": "CANARY3",
        "session_token": "CANARY4",
        "vertex_credentials_json": {"client": "CANARY5"},
        "passphrase": "CANARY6",
        "dbPassword": 123_456,
        "Session-Cookie": "CANARY7",
        "accessKeyId": "CANARY8",
        "authorization": ["CANARY9"],
        "tools": [{
            "type": "mcp",
            "server_url": "https://u:CANARY10@h/sse?token=CANARY11#CANARY12",
            "backup": "at https://u:CANARY13/x?y@h/p?k=CANARY14 or \"http://h/?CANARY15\"",
            "headers": {"X-Auth": "CANARY16", "X-Many": ["CANARY17", {"deep": "CANARY18"}]},
        }],
        "extra_headers": [["x-mine", "CANARY19"]],
    });
    let mut request = ModelRequest::new(vec![Message::user("Hi")]);
    for (name, value) in plain
        .as_object()
        .unwrap()
        .iter()
        .chain(secret.as_object().unwrap())
    {
        request = request.with_option(name.clone(), value.clone());
    }
    record(&folder, &[(request.clone(), Reply::text("Hello"))]);
    let text = folder.text();
    for secret in ["CANARY", "123456", "u:"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let options = folder.lines()[1]["request"]["options"].clone();
    for (name, value) in plain.as_object().unwrap() {
        assert_eq!(&options[name], value, "{name}");
    }
    let tool = &options["tools"][0];
    assert_eq!(tool["server_url"], "https://[redacted]@h/sse?[redacted]");
    assert_eq!(
        tool["backup"],
        "at https://[redacted]@h/p?[redacted] or \"http://h/?[redacted]\""
    );
    assert_eq!(tool["headers"]["X-Auth"], "[redacted]");

    // With other secrets it is still the same request.
    let player = Cassette::load(folder.file()).unwrap().player();
    let again = request.with_option("secret_key", "another");
    let (items, _) = Virtual::new().collect(&player, again);
    assert!(items.iter().all(|(_, item)| item.is_ok()), "{items:?}");
}

#[test]
fn a_conversation_is_replayed_in_order() {
    let folder = Folder::new();
    record(
        &folder,
        &[
            (ask("one"), Reply::text("1")),
            (full_request(), Reply::text("2")),
            (ask("one"), Reply::text("3")),
        ],
    );
    let cassette = Cassette::load(folder.file()).unwrap();
    assert_eq!(cassette.len(), 3);
    let time = Virtual::new();
    for _ in 0..2 {
        // Each player begins anew.
        let player = cassette.player();
        assert_eq!(player.name(), "mock");
        assert_eq!(player.remaining(), 3);
        assert_eq!(text_of(&time.events(&player, ask("one"))), "1");
        assert_eq!(text_of(&time.events(&player, full_request())), "2");
        assert_eq!(text_of(&time.events(&player.clone(), ask("one"))), "3");
        assert_eq!(player.remaining(), 0);
        let error = time
            .run(player.stream(ask("one"), time.context()))
            .unwrap_err();
        assert!(error
            .message()
            .ends_with("has no call left: all 3 were replayed"));
    }
}

#[test]
fn times_are_replayed_when_asked_for() {
    let folder = Folder::new();
    let reply = Reply::deltas(["a", "b"])
        .first_delay(3 * SECOND)
        .delay(SECOND);
    record(&folder, &[(ask("x"), reply)]);
    let cassette = Cassette::load(folder.file()).unwrap();

    let time = Virtual::new();
    time.events(&cassette.player(), ask("x"));
    assert_eq!(time.elapsed(), Duration::ZERO);

    let player = cassette.player().timing(Timing::Recorded);
    let (items, end) = time.collect(&player, ask("x"));
    let times: Vec<_> = items.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [3, 4, 5]);
    assert_eq!(end, 5 * SECOND);
}

#[test]
fn another_request_is_told_by_its_field_and_not_by_its_text() {
    let folder = Folder::new();
    record(&folder, &[(full_request(), Reply::text("x"))]);
    let player = Cassette::load(folder.file()).unwrap().player();
    let time = Virtual::new();
    let longer = || {
        let mut request = full_request();
        request.messages.push(Message::user("CONFIDENTIAL"));
        request
    };
    let rewritten = || {
        let mut request = full_request();
        request.messages[0] = Message::system("Be bold. CONFIDENTIAL");
        request
    };
    for (request, expected) in [
        (
            rewritten(),
            "`messages[0].parts[0].text` is another text from character 5 on \
             (21 characters, in the recording 9)",
        ),
        (longer(), "`messages` has 3 items, in the recording 2"),
        (
            full_request().with_model("m-2"),
            "`model` is \"m-2\", in the recording \"m-1\"",
        ),
        (
            full_request().with_option("temperature", 0.7),
            "`options.temperature` is 0.7, in the recording 0.1",
        ),
        (
            full_request().with_option("stop", "CONFIDENTIAL"),
            "`options.stop` is not in the recording",
        ),
        (
            full_request().with_option("max_tokens", "CONFIDENTIAL"),
            "`options.max_tokens` is a text, in the recording 100",
        ),
        (
            full_request().with_stream(false),
            "`stream` is false, in the recording true",
        ),
        (
            full_request().with_output(OutputContract::JsonObject),
            "`output.type` is \"json_object\", in the recording \"json_schema\"",
        ),
    ] {
        let error = time
            .run(player.stream(request, time.context()))
            .unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Config);
        assert!(!error.is_retryable());
        let message = error.to_string();
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("as its call 1"), "{message}");
        assert!(message.contains("record it again"), "{message}");
        assert!(!message.contains("CONFIDENTIAL"), "{message}");
    }
    // The recorded call is still there.
    assert_eq!(text_of(&time.events(&player, full_request())), "x");
}

#[test]
fn calls_can_be_found_by_their_request() {
    let folder = Folder::new();
    record(
        &folder,
        &[
            (ask("a"), Reply::text("a1")),
            (ask("b"), Reply::text("b1")),
            (ask("a"), Reply::text("a2")),
        ],
    );
    let player = Cassette::load(folder.file())
        .unwrap()
        .player()
        .matching(Matching::ByRequest);
    let time = Virtual::new();
    let said = |text: &str| text_of(&time.events(&player, ask(text)));
    assert_eq!([said("b"), said("a"), said("a")], ["b1", "a1", "a2"]);
    let error = time
        .run(player.stream(ask("b"), time.context()))
        .unwrap_err();
    assert!(error
        .message()
        .ends_with("has no call left with this request"));
}

#[test]
fn a_dropped_answer_is_kept_as_incomplete() {
    let folder = Folder::new();
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::text("half").hang());
    let recorder = Recorder::new(mock.clone(), folder.file()).unwrap();
    let mut stream = time.run(recorder.stream(ask("x"), time.context())).unwrap();
    time.run(stream.next()).unwrap().unwrap();
    assert!(!folder.file().exists());
    drop(stream);
    assert_eq!(mock.cancelled(), 1);
    assert_eq!(folder.lines()[1]["end"], "dropped");

    let player = Cassette::load(folder.file()).unwrap().player();
    let (items, _) = time.collect(&player, ask("x"));
    assert_eq!(items.len(), 2);
    assert!(matches!(&items[0].1, Ok(ModelEvent::TextDelta(text)) if text == "half"));
    let error = items[1].1.as_ref().unwrap_err();
    assert_eq!(error.kind(), ProviderErrorKind::Truncated);
    assert!(!error.is_retryable());
}

#[test]
fn a_call_dropped_before_its_answer_is_kept_as_incomplete() {
    let folder = Folder::new();
    let time = Virtual::new();
    let reply = Reply::failure(|| ProviderError::new(ProviderErrorKind::Connect, "refused"));
    let mock = MockProvider::new().reply(reply.first_delay(SECOND));
    let recorder = Recorder::new(mock, folder.file()).unwrap();
    let mut call = recorder.stream(ask("x"), time.context());
    assert!(time.poll_once(&mut call).is_pending());
    drop(call);
    let player = Cassette::load(folder.file()).unwrap().player();
    let error = time
        .run(player.stream(ask("x"), time.context()))
        .unwrap_err();
    assert_eq!(error.kind(), ProviderErrorKind::Truncated);
}

#[test]
fn an_answer_left_at_its_finish_is_complete() {
    let folder = Folder::new();
    let time = Virtual::new();
    let recorder =
        Recorder::new(MockProvider::new().reply(Reply::text("all")), folder.file()).unwrap();
    let mut stream = time.run(recorder.stream(ask("x"), time.context())).unwrap();
    time.run(stream.next()).unwrap().unwrap();
    time.run(stream.next()).unwrap().unwrap();
    drop(stream);
    assert_eq!(folder.lines()[1]["end"], "complete");
}

#[test]
fn calls_at_once_are_kept_in_the_order_they_were_made() {
    let folder = Folder::new();
    let time = Virtual::new();
    let mock = MockProvider::respond_with(|request| Reply::text(request.messages[0].text()));
    let recorder = Recorder::new(mock, folder.file()).unwrap();
    let first = time
        .run(recorder.stream(ask("first"), time.context()))
        .unwrap();
    let second = time
        .run(recorder.stream(ask("second"), time.context()))
        .unwrap();
    time.run(support::drain(second));
    assert_eq!(folder.lines().len(), 2);
    time.run(support::drain(first));
    let cassette = Cassette::load(folder.file()).unwrap();
    let asked: Vec<_> = cassette
        .requests()
        .map(|request| request.pointer("/messages/0/parts/0/text").unwrap())
        .collect();
    assert_eq!(asked, ["first", "second"]);
}

#[test]
fn redaction_hides_and_still_matches() {
    fn hide(value: &mut Value) {
        match value {
            Value::String(text) => *text = text.replace("Ada", "[name]"),
            Value::Array(items) => items.iter_mut().for_each(hide),
            Value::Object(fields) => fields.values_mut().for_each(hide),
            _ => {}
        }
    }
    let folder = Folder::new();
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::text("Hello Ada"));
    let recorder = Recorder::new(mock, folder.file())
        .unwrap()
        .redact_request(hide)
        .redact_event(hide);
    assert_eq!(
        text_of(&time.events(&recorder, ask("I am Ada"))),
        "Hello Ada"
    );
    assert!(!folder.text().contains("Ada"));
    let player = Cassette::load(folder.file()).unwrap().player();
    let player = player.redact_request(hide);
    assert_eq!(
        text_of(&time.events(&player, ask("I am Ada"))),
        "Hello [name]"
    );
}

#[test]
fn what_the_provider_can_do_is_replayed() {
    let folder = Folder::new();
    let able = Capabilities::default().with_json_object(true);
    let mock = MockProvider::new()
        .with_name("other")
        .with_capabilities(able);
    let recorder = Recorder::new(mock, folder.file()).unwrap();
    assert_eq!((recorder.name(), recorder.capabilities()), ("other", able));
    recorder.save().unwrap();
    let cassette = Cassette::load(folder.file()).unwrap();
    assert!(cassette.is_empty());
    let player = cassette.player();
    assert_eq!((player.name(), player.capabilities()), ("other", able));
}

#[test]
fn files_that_are_no_cassettes_are_refused() {
    let folder = Folder::new();
    let load = |text: &str| {
        fs::write(folder.file(), text).unwrap();
        Cassette::load(folder.file()).unwrap_err()
    };
    let header = r#"{"format":"agently-cassette","version":1,"provider":"x"}"#;
    for (text, kind, words) in [
        ("", CassetteErrorKind::Format, "is no cassette"),
        ("hello", CassetteErrorKind::Format, "is no cassette"),
        (
            "{\"format\":\"other\",\"version\":1}",
            CassetteErrorKind::Format,
            "is no cassette",
        ),
        (
            "{\"format\":\"agently-cassette\",\"version\":2}",
            CassetteErrorKind::Version,
            "is of version 2, this library reads version 1",
        ),
        (
            "{\"format\":\"agently-cassette\",\"version\":1}",
            CassetteErrorKind::Format,
            "is damaged in line 1",
        ),
        (
            &format!("{header}\n\n{{\"request\":"),
            CassetteErrorKind::Format,
            "line 3",
        ),
        (
            &format!(
                "{header}\n{{\"request\":{{}},\"events\":[{{\"at_us\":0,\"type\":\"odd\"}}],\
                 \"end\":\"complete\",\"end_at_us\":0}}"
            ),
            CassetteErrorKind::Format,
            "line 2",
        ),
    ] {
        let error = load(text);
        assert_eq!(error.kind(), kind, "{text}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("talk.jsonl"), "{error}");
    }
    let missing = Cassette::load(folder.0.join("none")).unwrap_err();
    assert_eq!(missing.kind(), CassetteErrorKind::Io);
    assert!(missing.source().is_some());
}

#[test]
fn a_place_that_cannot_be_written_is_told_at_once() {
    let folder = Folder::new();
    let nowhere = folder.0.join("missing").join("talk.jsonl");
    let error = Recorder::new(MockProvider::new(), &nowhere).unwrap_err();
    assert_eq!(error.kind(), CassetteErrorKind::Io);
    assert_eq!(error.path(), nowhere);
    assert!(Recorder::new(MockProvider::new(), "/").is_err());
}

#[test]
fn an_old_cassette_stays_until_there_is_a_new_answer() {
    let folder = Folder::new();
    record(&folder, &[(ask("x"), Reply::text("old"))]);
    let old = folder.text();
    let time = Virtual::new();
    let mock = MockProvider::new().reply(Reply::text("new"));
    let recorder = Recorder::new(mock, folder.file()).unwrap();
    assert_eq!(folder.text(), old);
    time.events(&recorder, ask("x"));
    assert!(folder.text().contains("new"));
    assert!(!folder.text().contains("old"));
}
