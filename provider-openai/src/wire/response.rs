//! What a server sends: one chunk of a stream, or a whole completion, which has the same fields
//! with `message` in place of `delta`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::lenient::{absent, skip_seq, Count, List, Object, Presence, Text};
use agently_api::model::Usage;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Chunk<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) model: Text<'a>,
    #[serde(borrow)]
    pub(crate) object: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow)]
    pub(crate) choices: List<Choice<'a>>,
    pub(crate) usage: Object<UsageBody>,
    /// Where Groq puts the usage of a stream.
    pub(crate) x_groq: Object<Groq>,
    pub(crate) error: Presence,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Groq {
    pub(crate) usage: Object<UsageBody>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Choice<'a> {
    pub(crate) index: Count,
    #[serde(borrow)]
    pub(crate) delta: Object<Delta<'a>>,
    #[serde(borrow)]
    pub(crate) message: Object<Delta<'a>>,
    #[serde(borrow)]
    pub(crate) finish_reason: Text<'a>,
    /// Where Moonshot puts the usage.
    pub(crate) usage: Object<UsageBody>,
    pub(crate) error: Presence,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Delta<'a> {
    #[serde(borrow)]
    pub(crate) content: Content<'a>,
    #[serde(borrow)]
    pub(crate) reasoning_content: Content<'a>,
    #[serde(borrow)]
    pub(crate) reasoning: Content<'a>,
    #[serde(borrow)]
    pub(crate) reasoning_details: Content<'a>,
    #[serde(borrow)]
    pub(crate) refusal: Text<'a>,
    pub(crate) tool_calls: List<ToolCallBody>,
}

impl<'a> Delta<'a> {
    /// Takes the reasoning out. Servers that changed the field's name send both for a while: the
    /// first that says something counts.
    pub(crate) fn take_reasoning(&mut self) -> Content<'a> {
        [
            std::mem::take(&mut self.reasoning_content),
            std::mem::take(&mut self.reasoning),
            std::mem::take(&mut self.reasoning_details),
        ]
        .into_iter()
        .find(|reasoning| !reasoning.is_empty())
        .unwrap_or_default()
    }
}

/// Text as a string, or as a list of parts.
#[derive(Debug, Default)]
pub(crate) enum Content<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Parts(Vec<Self>),
    Part(Box<PartBody<'a>>),
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct PartBody<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    content: Text<'a>,
    #[serde(borrow)]
    summary: Text<'a>,
    #[serde(borrow)]
    refusal: Text<'a>,
    #[serde(borrow)]
    thinking: Content<'a>,
}

/// What a piece of [`Content`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Text,
    Reasoning,
    Refusal,
}

impl<'a> Content<'a> {
    /// Whether there is any text in it.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Text(text) => text.is_empty(),
            Self::Parts(parts) => parts.iter().all(Self::is_empty),
            Self::Part(part) => {
                let PartBody {
                    kind: _,
                    text,
                    content,
                    summary,
                    refusal,
                    thinking,
                } = &**part;
                [text, content, summary, refusal]
                    .iter()
                    .all(|text| text.as_str().is_empty())
                    && thinking.is_empty()
            }
        }
    }

    /// Hands out every piece in order. Plain strings belong to `channel`; parts say what they are.
    pub(crate) fn each(self, channel: Channel, take: &mut impl FnMut(Channel, Cow<'a, str>)) {
        match self {
            Self::Absent => {}
            Self::Text(text) => take(channel, text),
            Self::Parts(parts) => {
                for part in parts {
                    part.each(channel, take);
                }
            }
            Self::Part(part) => {
                let part = *part;
                let own = match part.kind.as_str() {
                    kind if kind.starts_with("thinking") || kind.starts_with("reasoning") => {
                        Channel::Reasoning
                    }
                    _ => channel,
                };
                part.thinking.each(Channel::Reasoning, take);
                let text = part.text.filled();
                let text = text.or_else(|| part.content.filled());
                if let Some(text) = text.or_else(|| part.summary.filled()) {
                    take(own, text);
                }
                if let Some(refusal) = part.refusal.filled() {
                    take(Channel::Refusal, refusal);
                }
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor<'a>(PhantomData<&'a str>);

        impl<'de: 'a, 'a> Visitor<'de> for ContentVisitor<'a> {
            type Value = Content<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of parts")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Owned(text)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Owned(number.to_string())))
            }

            absent!(null);
            absent!(visit_bool: bool, visit_f64: f64);

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let part = PartBody::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Content::Part(Box::new(part)))
            }
        }

        deserializer.deserialize_any(ContentVisitor(PhantomData))
    }
}

/// A piece of a tool call. Fields that are not known are kept.
#[derive(Debug, Default)]
pub(crate) struct ToolCallBody {
    pub(crate) index: Option<u64>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) arguments: Arguments,
    pub(crate) extra: Map<String, Value>,
}

/// Arguments of a tool call: a piece of JSON text, or all of them as a value.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Arguments {
    #[default]
    Absent,
    Piece(String),
    Whole(Value),
}

impl From<Value> for Arguments {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Absent,
            Value::String(text) if text.is_empty() => Self::Absent,
            Value::String(text) => Self::Piece(text),
            value => Self::Whole(value),
        }
    }
}

impl<'de> Deserialize<'de> for ToolCallBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ToolCallVisitor;

        impl<'de> Visitor<'de> for ToolCallVisitor {
            type Value = ToolCallBody;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a tool call")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut call = ToolCallBody::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match key.as_str() {
                        "index" => call.index = map.next_value::<Count>()?.0,
                        "id" => call.id = owned(map.next_value()?),
                        "type" => drop(map.next_value::<serde::de::IgnoredAny>()?),
                        "function" => {
                            let Object(function) = map.next_value::<Object<FunctionBody>>()?;
                            let function = function.unwrap_or_default();
                            call.name = function.name;
                            call.arguments = function.arguments;
                            if !function.extra.is_empty() {
                                let extra = Value::Object(function.extra);
                                call.extra.insert("function".to_owned(), extra);
                            }
                        }
                        _ => {
                            let value = map.next_value()?;
                            call.extra.insert(key.into_string(), value);
                        }
                    }
                }
                Ok(call)
            }

            absent!(null);

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq).map(|()| ToolCallBody::default())
            }
        }

        deserializer.deserialize_any(ToolCallVisitor)
    }
}

#[derive(Debug, Default)]
struct FunctionBody {
    name: Option<String>,
    arguments: Arguments,
    extra: Map<String, Value>,
}

impl<'de> Deserialize<'de> for FunctionBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FunctionVisitor;

        impl<'de> Visitor<'de> for FunctionVisitor {
            type Value = FunctionBody;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a function")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut function = FunctionBody::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match key.as_str() {
                        "name" => function.name = owned(map.next_value()?),
                        "arguments" => function.arguments = map.next_value::<Value>()?.into(),
                        _ => {
                            let value = map.next_value()?;
                            function.extra.insert(key.into_string(), value);
                        }
                    }
                }
                Ok(function)
            }
        }

        deserializer.deserialize_map(FunctionVisitor)
    }
}

fn owned(text: Text<'_>) -> Option<String> {
    text.filled().map(Cow::into_owned)
}

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct UsageBody {
    prompt_tokens: Count,
    completion_tokens: Count,
    input_tokens: Count,
    output_tokens: Count,
    total_tokens: Count,
    /// DeepSeek's name for the cached part.
    prompt_cache_hit_tokens: Count,
    prompt_tokens_details: Object<Cached>,
    completion_tokens_details: Object<Reasoned>,
}

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Cached {
    cached_tokens: Count,
}

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Reasoned {
    reasoning_tokens: Count,
}

impl UsageBody {
    pub(crate) fn to_usage(self) -> Usage {
        let cached = self.prompt_tokens_details.0.unwrap_or_default();
        let reasoned = self.completion_tokens_details.0.unwrap_or_default();
        let mut usage = Usage::default();
        usage.input_tokens = self.prompt_tokens.0.or(self.input_tokens.0);
        usage.output_tokens = self.completion_tokens.0.or(self.output_tokens.0);
        usage.total_tokens = self.total_tokens.0;
        usage.cached_input_tokens = cached.cached_tokens.0.or(self.prompt_cache_hit_tokens.0);
        usage.reasoning_tokens = reasoned.reasoning_tokens.0;
        usage
    }
}
