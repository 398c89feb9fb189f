//! What goes out, to the byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "tests"
)]

use agently_api::error::ProviderErrorKind;
use agently_api::model::{
    ImageDetail, ImageSource, Message, ModelRequest, OutputContract, Part, Role, ToolCall, ToolSpec,
};
use agently_provider_openai::wire::{body, BodyOptions};
use serde_json::{json, Map, Value};

fn user() -> ModelRequest {
    ModelRequest::new(vec![Message::user("Hi")])
}

fn options(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn sent(request: &ModelRequest) -> String {
    sent_with(request, json!({}))
}

fn sent_with(request: &ModelRequest, provider: Value) -> String {
    let provider = options(provider);
    let body = body(request, BodyOptions::new(&provider).with_model(Some("m"))).unwrap();
    String::from_utf8(body).unwrap()
}

fn messages(messages: Vec<Message>) -> Value {
    let sent: Value = serde_json::from_str(&sent(&ModelRequest::new(messages))).unwrap();
    sent["messages"].clone()
}

fn refused(request: &ModelRequest) -> String {
    let error = body(request, BodyOptions::new(&Map::new()).with_model(Some("m"))).unwrap_err();
    assert_eq!(error.kind(), ProviderErrorKind::Config);
    error.message().to_owned()
}

#[test]
fn a_plain_conversation() {
    let request = ModelRequest::new(vec![
        Message::system("Be brief."),
        Message::user("Say \"hi\"\n"),
        Message::assistant("hi"),
        Message::user("Again."),
    ]);
    assert_eq!(
        sent(&request),
        r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Say \"hi\"\n"},{"role":"assistant","content":"hi"},{"role":"user","content":"Again."}],"stream":true,"stream_options":{"include_usage":true}}"#
    );
    assert_eq!(
        sent(&user().with_stream(false)),
        r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":false}"#
    );
}

#[test]
fn text_parts_are_one_string_and_images_make_a_list() {
    let texts = Message::new(Role::User, vec![Part::text("a"), Part::text("b")]);
    assert_eq!(messages(vec![texts])[0]["content"], json!("ab"));
    let image = Message::user("What is this?")
        .with_part(Part::image_url("https://example.com/a.png?x=1"))
        .with_part(Part::Image {
            source: ImageSource::Base64 {
                media_type: "image/png".into(),
                data: "aGk=".into(),
            },
            detail: Some(ImageDetail::Low),
        });
    assert_eq!(
        messages(vec![image])[0],
        json!({"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png?x=1"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
        ]})
    );
    assert_eq!(
        messages(vec![Message::new(Role::User, vec![])])[0]["content"],
        json!("")
    );
}

#[test]
fn tool_calls_go_back_as_they_came() {
    let mut call = ToolCall::new("call_1", "weather", r#"{"city":"Rome"}"#);
    call.extra = options(json!({
        "extra_content": {"google": {"thought_signature": "c2ln"}},
        "function": {"strict": true},
    }));
    let conversation = vec![
        Message::user("Weather?"),
        Message::new(
            Role::Assistant,
            vec![
                Part::ToolCall(call),
                Part::ToolCall(ToolCall::new("call_2", "time", "")),
            ],
        ),
        Message::new(
            Role::Tool,
            vec![
                Part::ToolResult {
                    call_id: "call_1".into(),
                    content: "sunny".into(),
                },
                Part::ToolResult {
                    call_id: "call_2".into(),
                    content: "noon".into(),
                },
            ],
        ),
    ];
    assert_eq!(
        messages(conversation),
        json!([
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}", "strict": true}, "extra_content": {"google": {"thought_signature": "c2ln"}}},
                {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
        ])
    );
}

#[test]
fn tools_and_output_contracts() {
    let request = user()
        .with_tool(ToolSpec::new("f", "Does f.", json!({"type": "object"})))
        .with_output(OutputContract::JsonSchema {
            name: "answer".into(),
            schema: json!({"type": "object"}),
            strict: true,
        });
    assert_eq!(
        sent(&request),
        r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"f","description":"Does f.","parameters":{"type":"object"}}}],"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}}}"#
    );
    let object = sent(&user().with_output(OutputContract::JsonObject));
    assert!(
        object.ends_with(r#""response_format":{"type":"json_object"}}"#),
        "{object}"
    );
}

#[test]
fn options_pass_through_and_win() {
    let request = user()
        .with_option("temperature", 0.5)
        .with_option("stop", json!(["\n", "END"]))
        .with_option("response_format", json!({"type": "text"}))
        .with_output(OutputContract::JsonObject);
    assert_eq!(
        sent_with(&request, json!({"temperature": 1, "top_p": 0.9})),
        r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true},"top_p":0.9,"temperature":0.5,"stop":["\n","END"],"response_format":{"type":"text"}}"#
    );
}

#[test]
fn stream_options_are_merged() {
    let with = |value: Value| {
        let sent: Value =
            serde_json::from_str(&sent(&user().with_option("stream_options", value))).unwrap();
        sent.get("stream_options").cloned()
    };
    assert_eq!(
        with(json!({"continuous": true})),
        Some(json!({"include_usage": true, "continuous": true}))
    );
    assert_eq!(
        with(json!({"include_usage": false})),
        Some(json!({"include_usage": false}))
    );
    assert_eq!(with(json!({"include_usage": null})), None);
    assert_eq!(with(Value::Null), None);
    let none = Map::new();
    let off = body(
        &user(),
        BodyOptions::new(&none)
            .with_model(Some("m"))
            .with_include_usage(false),
    )
    .unwrap();
    assert!(!String::from_utf8(off).unwrap().contains("stream_options"));
}

#[test]
fn null_options_leave_a_field_out() {
    let request = user()
        .with_option("temperature", Value::Null)
        .with_option("tools", Value::Null)
        .with_tool(ToolSpec::new("f", "Does f.", json!({})));
    let sent = sent_with(&request, json!({"temperature": 1}));
    assert!(
        !sent.contains("temperature") && !sent.contains("tools"),
        "{sent}"
    );
}

#[test]
fn the_model_is_the_nearest_one() {
    let model = |request: &ModelRequest, provider: Value| {
        let sent: Value = serde_json::from_str(&sent_with(request, provider)).unwrap();
        sent["model"].as_str().unwrap().to_owned()
    };
    assert_eq!(model(&user(), json!({})), "m");
    assert_eq!(model(&user(), json!({"model": "p"})), "p");
    assert_eq!(
        model(&user().with_option("model", "o"), json!({"model": "p"})),
        "o"
    );
    assert_eq!(
        model(&user().with_option("model", "o").with_model("r"), json!({})),
        "r"
    );
    let none = Map::new();
    let error = body(&user(), BodyOptions::new(&none)).unwrap_err();
    assert_eq!(error.kind(), ProviderErrorKind::Config);
    assert!(error.hint().unwrap().contains("OPENAI_MODEL"));
}

#[test]
fn options_cannot_break_the_request() {
    assert!(refused(&user().with_option("messages", json!([]))).contains("`messages`"));
    assert!(refused(&user().with_option("stream", false)).contains("`stream`"));
    assert_eq!(sent(&user().with_option("stream", true)), sent(&user()));
}

#[test]
fn messages_that_cannot_be_said_are_refused() {
    let call = Part::ToolCall(ToolCall::new("a", "f", "{}"));
    let by_user = ModelRequest::new(vec![Message::user("x").with_part(call)]);
    assert!(refused(&by_user).contains("message 0 holds a tool call"));
    let tool_text = ModelRequest::new(vec![
        Message::user("x"),
        Message::new(Role::Tool, vec![Part::text("y")]),
    ]);
    assert!(refused(&tool_text).contains("message 1"));
}

#[test]
fn e15_several_answers_at_once_are_not_asked_for() {
    let options = Map::new();
    let request = |n: Value| {
        let request = ModelRequest::new(vec![Message::user("Hi")]).with_model("m");
        body(&request.with_option("n", n), BodyOptions::new(&options))
    };
    for n in [json!(2), json!(128), json!(1.5), json!("3")] {
        let error = request(n.clone()).unwrap_err();
        assert_eq!(error.kind(), ProviderErrorKind::Config, "{n}");
        assert!(error.message().contains("`n`"), "{error}");
    }
    for n in [json!(1), json!(1.0), Value::Null] {
        assert!(request(n.clone()).is_ok(), "{n}");
    }
}
