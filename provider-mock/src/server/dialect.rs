//! What the servers that speak the chat-completions wire do differently.

use std::time::Duration;

use agently_api::model::{ModelEvent, Usage};
use serde_json::{json, Value};

use crate::reply::{join, Dialect};

impl Dialect {
    /// The name of the reasoning field.
    pub(super) fn reasoning(self) -> &'static str {
        match self {
            Self::Vllm | Self::Ollama => "reasoning",
            Self::OpenAi | Self::DeepSeek | Self::LlamaCpp => "reasoning_content",
        }
    }

    /// What is sent to say that the connection is alive, when there is nothing else to say.
    pub(super) fn comment(self) -> Option<&'static [u8]> {
        (self == Self::DeepSeek).then_some(b": keep-alive\n\n")
    }

    /// The delta of the first chunk, if that says nothing but the role.
    pub(super) fn opening(self) -> Option<Value> {
        match self {
            Self::OpenAi => Some(json!({ "role": "assistant", "content": "" })),
            Self::Vllm => Some(json!({ "role": "assistant", "content": "", "reasoning": null })),
            Self::Ollama => None,
            Self::DeepSeek => {
                Some(json!({ "role": "assistant", "content": null, "reasoning_content": "" }))
            }
            Self::LlamaCpp => Some(json!({ "role": "assistant", "content": null })),
        }
    }

    /// A delta as this server words it: `said` is what it says.
    fn delta(self, said: Value) -> Value {
        let Value::Object(said) = said else {
            return said;
        };
        let beside = match self {
            Self::OpenAi | Self::LlamaCpp => json!({}),
            Self::Ollama => json!({ "role": "assistant", "content": "" }),
            Self::Vllm if said.contains_key("content") => json!({ "reasoning": null }),
            Self::Vllm => json!({}),
            Self::DeepSeek if said.is_empty() => {
                json!({ "content": "", "reasoning_content": null })
            }
            Self::DeepSeek => json!({ "content": null, "reasoning_content": null }),
        };
        let mut delta = beside.as_object().cloned().unwrap_or_default();
        delta.extend(said);
        Value::Object(delta)
    }

    /// The one choice of a chunk.
    pub(super) fn choice(self, said: Value, finish: Option<&str>) -> Value {
        let (index, delta) = (0, self.delta(said));
        match self {
            Self::OpenAi | Self::Ollama | Self::LlamaCpp => {
                json!({ "index": index, "delta": delta, "finish_reason": finish })
            }
            Self::Vllm => json!({
                "index": index,
                "delta": delta,
                "logprobs": null,
                "finish_reason": finish,
                "stop_reason": null,
            }),
            Self::DeepSeek => json!({
                "index": index,
                "delta": delta,
                "logprobs": null,
                "finish_reason": finish,
            }),
        }
    }

    /// The `system_fingerprint` of every chunk.
    pub(super) fn fingerprint(self) -> Option<&'static str> {
        match self {
            Self::OpenAi | Self::Vllm => None,
            Self::Ollama => Some("fp_ollama"),
            Self::DeepSeek => Some("fp_deepseek"),
            Self::LlamaCpp => Some("b5000-mock"),
        }
    }

    /// Whether the usage comes in the chunk of the finish, asked for or not.
    pub(super) fn usage_with_finish(self) -> bool {
        self == Self::DeepSeek
    }

    /// How fast the answer was made, for the last chunk.
    pub(super) fn timings(self, usage: Usage) -> Option<Value> {
        (self == Self::LlamaCpp).then(|| {
            json!({
                "prompt_n": usage.input_tokens,
                "prompt_ms": 20.5,
                "predicted_n": usage.output_tokens,
                "predicted_ms": 80.0,
            })
        })
    }

    /// The events as this server would send them: some send tool calls only once they are whole.
    pub(super) fn events(
        self,
        scripted: Vec<(Duration, &ModelEvent)>,
    ) -> Vec<(Duration, ModelEvent)> {
        let mut sent: Vec<(Duration, ModelEvent)> = Vec::with_capacity(scripted.len());
        for (at, event) in scripted {
            let is_call = matches!(event, ModelEvent::ToolCallDelta(_));
            let last = sent.last_mut().filter(|_| self == Self::Ollama && is_call);
            if let Some((last_at, last)) = last {
                if join(last, event) {
                    *last_at = at;
                    continue;
                }
            }
            sent.push((at, event.clone()));
        }
        sent
    }
}
