//! A [`Reply`] in the chat-completions wire format, streamed or whole.

use std::time::Duration;

use agently_api::error::ProviderError;
use agently_api::model::{FinishReason, ModelEvent, ToolCallDelta, Usage};
use serde_json::{json, Map, Value};

use super::request::RecordedRequest;
use super::response::{Action, Framing, Response};
use crate::reply::{Dialect, Ending, Reply};

pub(super) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "application/json";
const MODEL: &str = "mock-model";
/// The same date in every answer, so that recordings do not differ: 1 January 2025.
const CREATED: u64 = 1_735_689_600;

/// What identifies an answer in each of its chunks.
struct Answer {
    id: String,
    model: String,
    /// With `include_usage`, every chunk has a `usage` field.
    tells_usage: bool,
    dialect: Dialect,
}

/// The response to a chat-completions request.
pub(super) fn answer(reply: &Reply, request: &RecordedRequest, number: usize) -> Response {
    if let Some(failure) = &reply.failure {
        return failed(&failure.make(), reply.begins_at());
    }
    let answer = Answer {
        id: reply
            .info
            .id
            .clone()
            .unwrap_or_else(|| format!("chatcmpl-mock-{number}")),
        model: reply.info.model.clone().unwrap_or_else(|| {
            let asked = request.field("/model").and_then(Value::as_str);
            asked.unwrap_or(MODEL).to_owned()
        }),
        tells_usage: request.wants_usage(),
        dialect: reply.dialect,
    };
    let request_id = reply
        .info
        .request_id
        .clone()
        .unwrap_or_else(|| format!("req-mock-{number}"));
    let mut response = if request.wants_stream() {
        answer.streamed(reply, request)
    } else {
        answer.whole(reply, request)
    };
    response
        .headers
        .push(("x-request-id".to_owned(), request_id));
    response
}

/// One event of an event stream.
pub(super) fn sse(payload: &str) -> String {
    let mut event = String::with_capacity(payload.len() + 8);
    for line in payload.split('\n') {
        event.push_str("data: ");
        event.push_str(line);
        event.push('\n');
    }
    event.push('\n');
    event
}

/// The answer to `GET …/models`.
pub(super) fn models() -> String {
    json!({
        "object": "list",
        "data": [{ "id": MODEL, "object": "model", "created": CREATED, "owned_by": "mock" }],
    })
    .to_string()
}

impl Answer {
    fn streamed(mut self, reply: &Reply, request: &RecordedRequest) -> Response {
        let dialect = self.dialect;
        let comment = || dialect.comment().map(|bytes| Action::Send(bytes.to_vec()));
        let mut actions: Vec<Action> = comment().into_iter().collect();
        let mut now = reply.begins_at();
        actions.push(Action::Until(now));
        if let Some(opening) = dialect.opening() {
            let opening = sse(&self.chunk(opening, None, None));
            actions.push(Action::Send(opening.into_bytes()));
        }
        let (timed, end) = reply.schedule();
        for (at, event) in dialect.events(timed) {
            if at > now {
                now = at;
                actions.extend(comment());
            }
            actions.push(Action::Until(at));
            if let Some(bytes) = self.event(&event) {
                actions.push(Action::Send(bytes.into_bytes()));
            }
        }
        actions.push(Action::Until(end));
        let mut send = |payload: &str| actions.push(Action::Send(sse(payload).into_bytes()));
        match &reply.ending {
            Ending::Finish(_) => {
                let usage = usage_of(reply, request);
                let with_finish = dialect.usage_with_finish().then_some(usage);
                let reason = reply
                    .finish_reason()
                    .filter(|reason| *reason != FinishReason::Unknown);
                if let Some(reason) = &reason {
                    send(&self.chunk(json!({}), Some(reason), with_finish));
                }
                if self.tells_usage && (with_finish.is_none() || reason.is_none()) {
                    send(&self.usage_chunk(usage));
                }
                send("[DONE]");
            }
            Ending::Error(error) => send(&error_body(&error.make()).to_string()),
            Ending::Hang => actions.push(Action::Stall),
            Ending::Cut => actions.push(Action::Fin),
        }
        Response {
            status: 200,
            headers: vec![
                ("content-type".to_owned(), EVENT_STREAM.to_owned()),
                ("cache-control".to_owned(), "no-cache".to_owned()),
            ],
            framing: Framing::Chunked,
            head_at: Duration::ZERO,
            actions,
        }
    }

    fn event(&mut self, event: &ModelEvent) -> Option<String> {
        let delta = match event {
            ModelEvent::TextDelta(text) => json!({ "content": text }),
            ModelEvent::ReasoningDelta(text) => {
                Value::from_iter([(self.dialect.reasoning(), text.as_str())])
            }
            ModelEvent::RefusalDelta(text) => json!({ "refusal": text }),
            ModelEvent::ToolCallDelta(delta) => json!({ "tool_calls": [call_delta(delta)] }),
            ModelEvent::Finish(reason) => {
                return Some(sse(&self.chunk(json!({}), Some(reason), None)));
            }
            ModelEvent::Usage(usage) => return Some(sse(&self.usage_chunk(*usage))),
            ModelEvent::Raw(raw) => {
                let name = raw.name.as_ref();
                let name = name
                    .map(|name| format!("event: {name}\n"))
                    .unwrap_or_default();
                return Some(name + &sse(&raw.data));
            }
            ModelEvent::Started(info) => {
                self.id = info.id.clone().unwrap_or_else(|| self.id.clone());
                self.model = info.model.clone().unwrap_or_else(|| self.model.clone());
                return None;
            }
            // The wire has no word for the others.
            _ => return None,
        };
        Some(sse(&self.chunk(delta, None, None)))
    }

    fn chunk(&self, delta: Value, finish: Option<&FinishReason>, usage: Option<Usage>) -> String {
        let choice = self.dialect.choice(delta, finish.map(FinishReason::as_str));
        let mut chunk = self.object("chat.completion.chunk", &json!([choice]));
        if self.tells_usage || self.dialect.usage_with_finish() {
            let usage = usage.map_or(Value::Null, usage_body);
            chunk.insert("usage".to_owned(), usage);
        }
        Value::Object(chunk).to_string()
    }

    fn usage_chunk(&self, usage: Usage) -> String {
        let mut chunk = self.object("chat.completion.chunk", &json!([]));
        chunk.insert("usage".to_owned(), usage_body(usage));
        self.add_timings(&mut chunk, usage);
        Value::Object(chunk).to_string()
    }

    fn add_timings(&self, body: &mut Map<String, Value>, usage: Usage) {
        if let Some(timings) = self.dialect.timings(usage) {
            body.insert("timings".to_owned(), timings);
        }
    }

    fn object(&self, object: &str, choices: &Value) -> Map<String, Value> {
        let fields = [
            ("id", json!(self.id)),
            ("object", json!(object)),
            ("created", json!(CREATED)),
            ("model", json!(self.model)),
            ("choices", choices.clone()),
        ];
        let fingerprint = self.dialect.fingerprint();
        fields
            .into_iter()
            .chain(fingerprint.map(|print| ("system_fingerprint", json!(print))))
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn whole(mut self, reply: &Reply, request: &RecordedRequest) -> Response {
        let (_, end) = reply.schedule();
        let mut message = Map::new();
        message.insert("role".to_owned(), json!("assistant"));
        message.insert("content".to_owned(), Value::Null);
        let mut calls = Vec::new();
        let mut usage = usage_of(reply, request);
        let mut finish = reply.finish_reason();
        for event in reply.joined() {
            match event {
                ModelEvent::TextDelta(text) => message.insert("content".to_owned(), json!(text)),
                ModelEvent::ReasoningDelta(text) => {
                    message.insert(self.dialect.reasoning().to_owned(), json!(text))
                }
                ModelEvent::RefusalDelta(text) => message.insert("refusal".to_owned(), json!(text)),
                ModelEvent::ToolCallDelta(delta) => {
                    let mut call = call_delta(&delta);
                    call.remove("index");
                    calls.push(Value::Object(call));
                    None
                }
                ModelEvent::Usage(later) => {
                    usage.update(later);
                    None
                }
                ModelEvent::Finish(reason) => {
                    finish = Some(reason);
                    None
                }
                started => {
                    // Takes id and model over; it has no bytes of its own here.
                    let _ = self.event(&started);
                    None
                }
            };
        }
        if !calls.is_empty() {
            message.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        let reason = finish
            .as_ref()
            .filter(|reason| **reason != FinishReason::Unknown);
        let choice = json!({
            "index": 0,
            "message": message,
            "finish_reason": reason.map(FinishReason::as_str),
        });
        let mut body = self.object("chat.completion", &json!([choice]));
        body.insert("usage".to_owned(), usage_body(usage));
        self.add_timings(&mut body, usage);
        let mut body = Value::Object(body).to_string().into_bytes();

        let mut headers = vec![("content-type".to_owned(), JSON.to_owned())];
        let mut actions = Vec::new();
        let mut head_at = end;
        match &reply.ending {
            Ending::Finish(_) => actions.push(Action::Send(body)),
            Ending::Error(error) => return failed(&error.make(), end),
            // A server that hangs on a whole answer has not sent its head either.
            Ending::Hang => head_at = Duration::MAX,
            Ending::Cut => {
                headers.push(("content-length".to_owned(), body.len().to_string()));
                body.truncate(body.len() / 2);
                actions.extend([Action::Send(body), Action::Fin]);
            }
        }
        Response {
            status: 200,
            headers,
            framing: Framing::Length,
            head_at,
            actions,
        }
    }
}

/// An error as an HTTP response, `after` so long.
fn failed(error: &ProviderError, after: Duration) -> Response {
    let mut headers = vec![("content-type".to_owned(), JSON.to_owned())];
    if let Some(wait) = error.retry_after() {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.push(("retry-after".to_owned(), seconds.to_string()));
        headers.push(("retry-after-ms".to_owned(), wait.as_millis().to_string()));
    }
    if let Some(request_id) = error.request_id() {
        headers.push(("x-request-id".to_owned(), request_id.to_owned()));
    }
    let body = error_body(error).to_string().into_bytes();
    Response {
        status: error.status().unwrap_or(500),
        headers,
        framing: Framing::Length,
        head_at: after,
        actions: vec![Action::Send(body)],
    }
}

fn error_body(error: &ProviderError) -> Value {
    let (status, code) = (error.status(), error.code());
    let kind = error
        .error_type()
        .unwrap_or_else(|| error_type(status, code, error.message()));
    json!({ "error": {
        "message": error.message(),
        "type": kind,
        "param": null,
        "code": code,
    }})
}

/// The `type` that OpenAI gives to an error of this status and code.
pub(super) fn error_type(status: Option<u16>, code: Option<&str>, message: &str) -> &'static str {
    match (status, code) {
        (_, Some("insufficient_quota")) => "insufficient_quota",
        (Some(429), _) if message.contains("tokens") => "tokens",
        (Some(429), _) => "requests",
        (None | Some(500..), _) => "server_error",
        _ => "invalid_request_error",
    }
}

fn call_delta(delta: &ToolCallDelta) -> Map<String, Value> {
    let mut function = Map::new();
    if let Some(name) = &delta.name {
        function.insert("name".to_owned(), json!(name));
    }
    function.insert("arguments".to_owned(), json!(delta.arguments));
    let mut call = Map::new();
    call.insert("index".to_owned(), json!(delta.index));
    if let Some(id) = &delta.id {
        call.insert("id".to_owned(), json!(id));
        call.insert("type".to_owned(), json!("function"));
    }
    call.insert("function".to_owned(), Value::Object(function));
    call.extend(delta.extra.clone());
    call
}

fn usage_body(usage: Usage) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("prompt_tokens", json!(usage.input_tokens));
    set("completion_tokens", json!(usage.output_tokens));
    set("total_tokens", json!(usage.total_tokens));
    if let Some(cached) = usage.cached_input_tokens {
        set("prompt_tokens_details", json!({ "cached_tokens": cached }));
    }
    if let Some(reasoning) = usage.reasoning_tokens {
        let details = json!({ "reasoning_tokens": reasoning });
        set("completion_tokens_details", details);
    }
    Value::Object(body)
}

/// The scripted usage; without one, a token for every four characters, as a rule of thumb.
fn usage_of(reply: &Reply, request: &RecordedRequest) -> Usage {
    let tokens = |characters: usize| u64::try_from(characters.div_ceil(4)).unwrap_or(u64::MAX);
    reply.usage.unwrap_or_else(|| {
        let asked = request.field("/messages").map_or(0, characters);
        let said = reply.joined().into_iter().map(|event| match event {
            ModelEvent::TextDelta(text)
            | ModelEvent::ReasoningDelta(text)
            | ModelEvent::RefusalDelta(text) => text.chars().count(),
            ModelEvent::ToolCallDelta(delta) => delta.arguments.chars().count(),
            _ => 0,
        });
        Usage::new(tokens(asked), tokens(said.sum()))
    })
}

/// The characters of all texts inside.
fn characters(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(characters).sum(),
        Value::Object(fields) => fields.values().map(characters).sum(),
        _ => 0,
    }
}
