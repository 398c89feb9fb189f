use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Message;

/// What a model is asked: messages, tools, options.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ModelRequest {
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// The model to use instead of the provider's own choice.
    pub model: Option<String>,
    /// Tools that the model may call.
    pub tools: Vec<ToolSpec>,
    /// The shape the answer is held to, where the provider can do that itself.
    pub output: Option<OutputContract>,
    /// Further fields of the request body (`temperature`, `max_tokens`, …), passed through as they
    /// are.
    pub options: Map<String, Value>,
    /// Whether the answer is wanted piece by piece; with `false` it comes as one piece.
    pub stream: bool,
}

impl ModelRequest {
    /// A streaming request with these messages.
    #[must_use]
    pub fn new(messages: Vec<Message>) -> Self {
        Self {
            messages,
            stream: true,
            ..Self::default()
        }
    }

    /// Sets the [`model`](Self::model).
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Adds a tool.
    #[must_use]
    pub fn with_tool(mut self, tool: ToolSpec) -> Self {
        self.tools.push(tool);
        self
    }

    /// Sets the [`output`](Self::output) contract.
    #[must_use]
    pub fn with_output(mut self, output: OutputContract) -> Self {
        self.output = Some(output);
        self
    }

    /// Sets one of the [`options`](Self::options).
    #[must_use]
    pub fn with_option(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options.insert(name.into(), value.into());
        self
    }

    /// Sets [`stream`](Self::stream).
    #[must_use]
    pub fn with_stream(mut self, stream: bool) -> Self {
        self.stream = stream;
        self
    }
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolSpec {
    /// The name the model calls it by.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// Its arguments as a JSON Schema of an object.
    pub parameters: Value,
}

impl ToolSpec {
    /// A tool with these arguments.
    #[must_use]
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: Value) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            parameters,
        }
    }
}

/// The shape an answer is held to by the provider itself.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OutputContract {
    /// One JSON object of any shape.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema {
        /// A name for the schema: letters, digits, `_` and `-`.
        name: String,
        /// The JSON Schema.
        schema: Value,
        /// Whether the provider must refuse to depart from it.
        strict: bool,
    },
}
