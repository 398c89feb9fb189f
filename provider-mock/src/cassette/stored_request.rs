//! Requests in a cassette: what is kept of them, what is not, and how two differ.

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{Message, ModelRequest, OutputContract, ToolSpec};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::redaction::{
    holds_headers, is_secret, text_without_secrets, url_without_secrets, REDACTED,
};

#[derive(Serialize)]
struct StoredRequest<'a> {
    messages: &'a [Message],
    model: Option<&'a str>,
    tools: &'a [ToolSpec],
    output: Option<StoredContract<'a>>,
    options: &'a Map<String, Value>,
    stream: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum StoredContract<'a> {
    JsonObject,
    JsonSchema {
        name: &'a str,
        schema: &'a Value,
        strict: bool,
    },
    Unknown,
}

/// A request as a cassette keeps it: without secrets, and with its numbers as a file gives them
/// back.
pub(super) fn stored_request(request: &ModelRequest) -> Result<Value, ProviderError> {
    let stored = StoredRequest {
        messages: &request.messages,
        model: request.model.as_deref(),
        tools: &request.tools,
        output: request.output.as_ref().map(|output| match output {
            OutputContract::JsonObject => StoredContract::JsonObject,
            OutputContract::JsonSchema {
                name,
                schema,
                strict,
            } => StoredContract::JsonSchema {
                name,
                schema,
                strict: *strict,
            },
            _ => StoredContract::Unknown,
        }),
        options: &request.options,
        stream: request.stream,
    };
    let mut value: Value = serde_json::to_string(&stored)
        .and_then(|text| serde_json::from_str(&text))
        .map_err(|error| {
            ProviderError::new(
                ProviderErrorKind::Config,
                "the request cannot be written to a cassette",
            )
            .with_source(error)
        })?;
    if let Some(options) = value.get_mut("options") {
        hide_secrets(options);
    }
    if let Some(messages) = value.get_mut("messages") {
        hide_url_secrets(messages);
    }
    Ok(value)
}

/// Replaces the values of fields whose name says that they are secret, and what is secret in URLs.
fn hide_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) {
                    hide(value);
                } else if holds_headers(name) {
                    hide_leaves(value);
                } else {
                    hide_secrets(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_secrets),
        Value::String(text) if text.contains("://") => *text = text_without_secrets(text),
        _ => {}
    }
}

/// Replaces a value, unless it is one that can hold no secret.
fn hide(value: &mut Value) {
    if !matches!(value, Value::Null | Value::Bool(_)) {
        *value = Value::String(REDACTED.to_owned());
    }
}

/// Replaces every value inside, and keeps the names.
fn hide_leaves(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(hide_leaves),
        Value::Array(items) => items.iter_mut().for_each(hide_leaves),
        leaf => hide(leaf),
    }
}

/// Takes query and user information out of the URLs of images: signed links carry their key there.
fn hide_url_secrets(messages: &mut Value) {
    let parts = messages
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(|message| message.get_mut("parts")?.as_array_mut())
        .flatten();
    for part in parts {
        if let Some(Value::String(url)) = part.pointer_mut("/source/url") {
            *url = url_without_secrets(url);
        }
    }
}

/// Where `asked` first differs from `recorded`, in words that quote no text of either.
pub(super) fn difference(recorded: &Value, asked: &Value) -> Option<String> {
    compare("", recorded, asked)
}

fn compare(path: &str, recorded: &Value, asked: &Value) -> Option<String> {
    let place = if path.is_empty() { "the request" } else { path };
    match (recorded, asked) {
        (Value::Object(recorded), Value::Object(asked)) => {
            let below = |name: &str| {
                let dot = if path.is_empty() { "" } else { "." };
                format!("{path}{dot}{name}")
            };
            for (name, recorded) in recorded {
                let Some(asked) = asked.get(name) else {
                    return Some(format!("`{}` is missing", below(name)));
                };
                if let Some(difference) = compare(&below(name), recorded, asked) {
                    return Some(difference);
                }
            }
            let added = asked.keys().find(|name| !recorded.contains_key(*name))?;
            Some(format!("`{}` is not in the recording", below(added)))
        }
        (Value::Array(recorded), Value::Array(asked)) => {
            for (index, (recorded, asked)) in recorded.iter().zip(asked).enumerate() {
                let path = format!("{path}[{index}]");
                if let Some(difference) = compare(&path, recorded, asked) {
                    return Some(difference);
                }
            }
            (recorded.len() != asked.len()).then(|| {
                let (asked, recorded) = (asked.len(), recorded.len());
                format!("`{place}` has {asked} items, in the recording {recorded}")
            })
        }
        (Value::String(recorded), Value::String(asked)) => (recorded != asked).then(|| {
            if is_name(path) {
                return format!("`{place}` is {asked:?}, in the recording {recorded:?}");
            }
            let same = recorded
                .chars()
                .zip(asked.chars())
                .take_while(|(recorded, asked)| recorded == asked)
                .count();
            let (asked, recorded) = (asked.chars().count(), recorded.chars().count());
            format!(
                "`{place}` is another text from character {} on \
                 ({asked} characters, in the recording {recorded})",
                same + 1
            )
        }),
        (recorded, asked) if recorded == asked => None,
        (recorded, asked) => {
            let (recorded, asked) = (short(recorded), short(asked));
            Some(format!("`{place}` is {asked}, in the recording {recorded}"))
        }
    }
}

/// Fields whose texts are names and no prompt.
fn is_name(path: &str) -> bool {
    let field = path.rsplit(['.', ']']).next().unwrap_or(path);
    matches!(field, "model" | "role" | "type") && !path.starts_with("options")
}

fn short(value: &Value) -> String {
    match value {
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => scalar.to_string(),
    }
}
