//! A request as the JSON that goes out.

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{
    ImageDetail, ImageSource, Message, ModelRequest, OutputContract, Part, Role, ToolCall, ToolSpec,
};

/// What the provider adds to a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BodyOptions<'a> {
    /// The model, for requests that name none.
    pub model: Option<&'a str>,
    /// Fields for requests that do not set them.
    pub options: &'a Map<String, Value>,
    /// Whether a stream is to end with its token counts.
    pub include_usage: bool,
}

impl<'a> BodyOptions<'a> {
    /// No model, token counts wanted.
    #[must_use]
    pub fn new(options: &'a Map<String, Value>) -> Self {
        Self {
            model: None,
            options,
            include_usage: true,
        }
    }

    /// Sets the [`model`](Self::model).
    #[must_use]
    pub fn with_model(mut self, model: Option<&'a str>) -> Self {
        self.model = model;
        self
    }

    /// Sets [`include_usage`](Self::include_usage).
    #[must_use]
    pub fn with_include_usage(mut self, include_usage: bool) -> Self {
        self.include_usage = include_usage;
        self
    }
}

/// The body of a chat completion request.
///
/// Options of the request win over those of the provider, and both over what is made here
/// (`tools`, `response_format`, `stream_options`, which is merged). An option that is `null` is left
/// out, together with what would stand in its place. `messages` and `stream` belong to the request:
/// as options they are refused, unless `stream` says the same; `n` is refused unless it is 1,
/// because an answer here is one answer. The model is the request's own, or
/// the option `model`, or the provider's.
///
/// ```
/// use agently_api::model::{Message, ModelRequest};
/// use agently_provider_openai::wire::{body, BodyOptions};
///
/// let request = ModelRequest::new(vec![Message::user("Hi")]).with_option("temperature", 0);
/// let options = Default::default();
/// let body = body(&request, BodyOptions::new(&options).with_model(Some("m")))?;
/// assert_eq!(
///     String::from_utf8_lossy(&body),
///     r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true},"temperature":0}"#,
/// );
/// # Ok::<(), agently_api::error::ProviderError>(())
/// ```
///
/// # Errors
///
/// Kind `Config` when there is no model, an option is refused, or a message holds what this format
/// cannot say.
pub fn body(request: &ModelRequest, options: BodyOptions<'_>) -> Result<Vec<u8>, ProviderError> {
    let body = Body::new(request, options)?;
    serde_json::to_vec(&body)
        .map_err(|error| config("the request cannot be written as JSON").with_source(error))
}

struct Body<'a> {
    model: &'a str,
    messages: Messages<'a>,
    stream: bool,
    include_usage: bool,
    tools: &'a [ToolSpec],
    output: Option<&'a OutputContract>,
    options: Vec<(&'a str, &'a Value)>,
}

impl<'a> Body<'a> {
    fn new(request: &'a ModelRequest, provider: BodyOptions<'a>) -> Result<Self, ProviderError> {
        let mut options: Vec<(&str, &Value)> = Vec::new();
        let below = provider
            .options
            .iter()
            .filter(|(name, _)| !request.options.contains_key(*name));
        let mut model = request.model.as_deref();
        for (name, value) in below.chain(&request.options) {
            match name.as_str() {
                "messages" => {
                    return Err(config("`messages` cannot be set as an option")
                        .with_hint("put them into the request's own messages"));
                }
                "stream" if *value == Value::Bool(request.stream) || value.is_null() => {}
                "stream" => {
                    return Err(config("the option `stream` contradicts the request")
                        .with_hint("leave the option out and set the request's own `stream`"));
                }
                "n" if asks_for_several(value) => {
                    return Err(config("the option `n` asks for several answers at once")
                        .with_hint("leave it out, and send the request several times"));
                }
                "model" => model = model.or(value.as_str().filter(|model| !model.is_empty())),
                name => options.push((name, value)),
            }
        }
        let model = model.or(provider.model).filter(|model| !model.is_empty());
        Ok(Self {
            model: model.ok_or_else(|| {
                config("no model is named")
                    .with_hint("name one on the provider, in the request, or in OPENAI_MODEL")
            })?,
            messages: Messages::new(&request.messages)?,
            stream: request.stream,
            include_usage: provider.include_usage,
            tools: &request.tools,
            output: request.output.as_ref(),
            options,
        })
    }

    fn option(&self, name: &str) -> Option<&'a Value> {
        self.options
            .iter()
            .find_map(|(known, value)| (*known == name).then_some(*value))
    }

    /// The stream options: ours, with the caller's over them.
    fn stream_options(&self) -> Option<Map<String, Value>> {
        let mut merged = Map::new();
        if self.stream && self.include_usage {
            merged.insert("include_usage".to_owned(), Value::Bool(true));
        }
        match self.option("stream_options") {
            Some(Value::Object(fields)) => {
                merged.extend(fields.clone());
                merged.retain(|_, value| !value.is_null());
            }
            Some(_) => return None,
            None => {}
        }
        (!merged.is_empty()).then_some(merged)
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("messages", &self.messages)?;
        map.serialize_entry("stream", &self.stream)?;
        if let Some(stream_options) = self.stream_options() {
            map.serialize_entry("stream_options", &stream_options)?;
        }
        if !self.tools.is_empty() && self.option("tools").is_none() {
            map.serialize_entry("tools", &Tools(self.tools))?;
        }
        if let Some(output) = self.output {
            if self.option("response_format").is_none() {
                map.serialize_entry("response_format", &ResponseFormat(output))?;
            }
        }
        for (name, value) in &self.options {
            if !value.is_null() && *name != "stream_options" {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// Whether this value of `n` asks for more than one answer.
fn asks_for_several(n: &Value) -> bool {
    let number = match n {
        Value::String(text) => text.trim().parse().ok(),
        n => n.as_f64(),
    };
    number.is_some_and(|number: f64| number > 1.0)
}

/// The messages as they go out: a message with several tool results becomes several.
struct Messages<'a>(Vec<WireMessage<'a>>);

enum WireMessage<'a> {
    Said(&'a Message),
    ToolResult { call_id: &'a str, content: &'a str },
}

impl<'a> Messages<'a> {
    fn new(messages: &'a [Message]) -> Result<Self, ProviderError> {
        let mut wire = Vec::with_capacity(messages.len());
        for (at, message) in messages.iter().enumerate() {
            let mut results = 0;
            for part in &message.parts {
                match part {
                    Part::Text { .. } | Part::Image { .. } => {}
                    Part::ToolCall(_) if message.role == Role::Assistant => {}
                    Part::ToolCall(_) => {
                        return Err(config(format!(
                            "message {at} holds a tool call, but its role is `{}`",
                            message.role.as_str()
                        ))
                        .with_hint("tool calls stand in messages of the assistant"));
                    }
                    Part::ToolResult { call_id, content } => {
                        results += 1;
                        wire.push(WireMessage::ToolResult { call_id, content });
                    }
                    _ => {
                        return Err(config(format!(
                            "message {at} holds a part that this provider cannot send"
                        )));
                    }
                }
            }
            if message.parts.len() > results {
                if message.role == Role::Tool {
                    return Err(config(format!(
                        "message {at} has the role `tool`, but holds more than tool results"
                    ))
                    .with_hint("make it with `Message::tool_result`"));
                }
                wire.push(WireMessage::Said(message));
            } else if results == 0 {
                wire.push(WireMessage::Said(message));
            }
        }
        Ok(Self(wire))
    }
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl Serialize for WireMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::ToolResult { call_id, content } => {
                map.serialize_entry("role", Role::Tool.as_str())?;
                map.serialize_entry("tool_call_id", call_id)?;
                map.serialize_entry("content", content)?;
            }
            Self::Said(message) => {
                map.serialize_entry("role", message.role.as_str())?;
                map.serialize_entry("content", &MessageContent(message))?;
                if has_tool_calls(message) {
                    map.serialize_entry("tool_calls", &ToolCalls(message))?;
                }
            }
        }
        map.end()
    }
}

fn has_tool_calls(message: &Message) -> bool {
    tool_calls(message).next().is_some()
}

fn tool_calls(message: &Message) -> impl Iterator<Item = &ToolCall> {
    message.parts.iter().filter_map(|part| match part {
        Part::ToolCall(call) => Some(call),
        _ => None,
    })
}

/// A string where there is only text, which every server understands; else a list of parts.
struct MessageContent<'a>(&'a Message);

impl Serialize for MessageContent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = &self.0.parts;
        if parts.iter().any(|part| matches!(part, Part::Image { .. })) {
            let mut seq = serializer.serialize_seq(None)?;
            for part in parts {
                match part {
                    Part::Text { text } => {
                        seq.serialize_element(&TextPart { kind: "text", text })?;
                    }

                    Part::Image { source, detail } => seq.serialize_element(&ImagePart {
                        kind: "image_url",
                        image_url: ImageUrl {
                            url: Url(source),
                            detail: *detail,
                        },
                    })?,
                    _ => {}
                }
            }
            return seq.end();
        }
        let mut texts = parts.iter().filter_map(|part| match part {
            Part::Text { text } => Some(text.as_str()),
            _ => None,
        });
        match (texts.next(), texts.next()) {
            (None, _) if has_tool_calls(self.0) => serializer.serialize_none(),
            (None, _) => serializer.serialize_str(""),
            (Some(text), None) => serializer.serialize_str(text),
            (Some(_), Some(_)) => serializer.serialize_str(&self.0.text()),
        }
    }
}

#[derive(serde::Serialize)]
struct TextPart<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

#[derive(serde::Serialize)]
struct ImagePart<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    image_url: ImageUrl<'a>,
}

#[derive(serde::Serialize)]
struct ImageUrl<'a> {
    url: Url<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<ImageDetail>,
}

struct Url<'a>(&'a ImageSource);

impl Serialize for Url<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ImageSource::Url(url) => serializer.serialize_str(url),
            ImageSource::Base64 { media_type, data } => {
                serializer.collect_str(&format_args!("data:{media_type};base64,{data}"))
            }
            _ => Err(S::Error::custom(
                "an image comes from where this provider cannot send it from",
            )),
        }
    }
}

struct ToolCalls<'a>(&'a Message);

impl Serialize for ToolCalls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tool_calls(self.0).map(WireToolCall))
    }
}

struct WireToolCall<'a>(&'a ToolCall);

impl Serialize for WireToolCall<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let call = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &call.id)?;
        map.serialize_entry("type", "function")?;
        map.serialize_entry("function", &WireFunction(call))?;
        for (name, value) in &call.extra {
            if !matches!(name.as_str(), "id" | "type" | "function" | "index") {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

struct WireFunction<'a>(&'a ToolCall);

impl Serialize for WireFunction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let call = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &call.name)?;
        let arguments = match call.arguments.as_str() {
            "" => "{}",
            arguments => arguments,
        };
        map.serialize_entry("arguments", arguments)?;
        // Unknown fields of the function were kept under its name.
        if let Some(Value::Object(extra)) = call.extra.get("function") {
            for (name, value) in extra {
                if !matches!(name.as_str(), "name" | "arguments") {
                    map.serialize_entry(name, value)?;
                }
            }
        }
        map.end()
    }
}

struct Tools<'a>(&'a [ToolSpec]);

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Tool<'a> {
            #[serde(rename = "type")]
            kind: &'static str,
            function: &'a ToolSpec,
        }

        serializer.collect_seq(self.0.iter().map(|function| Tool {
            kind: "function",
            function,
        }))
    }
}

struct ResponseFormat<'a>(&'a OutputContract);

impl Serialize for ResponseFormat<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct JsonSchema<'a> {
            name: &'a str,
            schema: &'a Value,
            strict: bool,
        }

        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            OutputContract::JsonSchema {
                name,
                schema,
                strict,
            } => {
                map.serialize_entry("type", "json_schema")?;
                map.serialize_entry(
                    "json_schema",
                    &JsonSchema {
                        name,
                        schema,
                        strict: *strict,
                    },
                )?;
            }
            // A kind of contract that is not known here asks for JSON in any case.
            _ => map.serialize_entry("type", "json_object")?,
        }
        map.end()
    }
}

fn config(message: impl Into<String>) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Config, message)
}
