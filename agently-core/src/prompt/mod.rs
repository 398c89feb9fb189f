//! The prompt of one request: slots that are filled one by one, and the messages they become.
//!
//! ```
//! use agently_core::output;
//! use agently_core::prompt::Prompt;
//!
//! let mut prompt = Prompt::new();
//! prompt
//!     .set_role("You are a careful editor.")
//!     .set_input("Give me a title.")
//!     .set_output(output!({ "title": (str, "Title", true) }));
//! let messages = prompt.render()?;
//! assert_eq!(messages.len(), 2);
//! assert_eq!(messages[0].text(), "You are a careful editor.");
//! assert!(messages[1].text().starts_with("[INPUT]:\nGive me a title.\n"));
//! # Ok::<(), agently_core::prompt::PromptError>(())
//! ```
//!
//! # The messages
//!
//! 1. `role` and `system`, in this order, make one system message.
//! 2. `chat_history` follows as it is.
//! 3. Everything else makes one user message: a section for each slot that is filled (`[INFO]:`,
//!    `[INSTRUCT]:`, `[EXAMPLES]:`, `[INPUT]:`, `[OUTPUT CORRECTION]:` in a retry,
//!    `[OUTPUT REQUIREMENT]:`), then the attachments. What changes between two tries of a request
//!    stands late, so that providers can reuse what stands before it. If the input is all there is,
//!    it is sent as it is, without a heading.
//!
//! Texts are sent as they are. Other values are written [like YAML](PromptValue), their keys in the
//! order they have. A slot that holds null or a blank text counts as not filled.
//!
//! # An agent's prompt and a request's
//!
//! [`Prompt::merged`] puts a request's prompt over its agent's:
//!
//! | slot | the request's |
//! |---|---|
//! | `role`, `system`, `input`, `output`, the output format | replaces the agent's, if it is filled |
//! | `info`, `instruct`, `examples`, `chat_history`, `attachments` | comes after the agent's |

mod error;
mod readable;
mod render;
mod slot;
mod text;
mod turn;
mod value;

pub use error::{PromptError, PromptErrorKind};
pub use slot::Slot;
pub use text::messages_to_text;
pub use value::PromptValue;

use agently_api::model::{Message, Part};

use crate::format::Format;
use crate::schema::Schema;

/// The slots of a prompt, and what was put into them.
///
/// See the [module](self) for what becomes of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    role: Option<PromptValue>,
    system: Option<PromptValue>,
    info: Vec<PromptValue>,
    instruct: Vec<PromptValue>,
    examples: Vec<PromptValue>,
    input: Option<PromptValue>,
    output: Option<Schema>,
    output_format: Option<Format>,
    chat_history: Vec<Message>,
    attachments: Vec<Part>,
}

impl Prompt {
    /// A prompt with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says who the model is; replaces what was said before.
    pub fn set_role(&mut self, role: impl Into<PromptValue>) -> &mut Self {
        self.role = Some(role.into());
        self
    }

    /// Sets the standing instructions; replaces those set before.
    pub fn set_system(&mut self, system: impl Into<PromptValue>) -> &mut Self {
        self.system = Some(system.into());
        self
    }

    /// Adds something that the model should know.
    pub fn add_info(&mut self, info: impl Into<PromptValue>) -> &mut Self {
        self.info.push(info.into());
        self
    }

    /// Adds something that the model should do or heed.
    pub fn add_instruct(&mut self, instruct: impl Into<PromptValue>) -> &mut Self {
        self.instruct.push(instruct.into());
        self
    }

    /// Adds an example, or several.
    pub fn add_examples(&mut self, examples: impl Into<PromptValue>) -> &mut Self {
        self.examples.push(examples.into());
        self
    }

    /// Sets what is asked; replaces what was asked before.
    pub fn set_input(&mut self, input: impl Into<PromptValue>) -> &mut Self {
        self.input = Some(input.into());
        self
    }

    /// Sets the shape of the answer; replaces the one set before.
    pub fn set_output(&mut self, output: Schema) -> &mut Self {
        self.output = Some(output);
        self
    }

    /// Sets the format in which the answer is asked for; [`Format::Json`] if none is set.
    pub fn set_output_format(&mut self, format: Format) -> &mut Self {
        self.output_format = Some(format);
        self
    }

    /// Adds earlier messages of the conversation, oldest first.
    pub fn add_chat_history(&mut self, messages: impl IntoIterator<Item = Message>) -> &mut Self {
        self.chat_history.extend(messages);
        self
    }

    /// Adds an image, or another part, behind the text of the request.
    pub fn add_attachment(&mut self, part: Part) -> &mut Self {
        self.attachments.push(part);
        self
    }

    /// Empties a slot.
    pub fn clear(&mut self, slot: Slot) -> &mut Self {
        match slot {
            Slot::Role => self.role = None,
            Slot::System => self.system = None,
            Slot::Info => self.info.clear(),
            Slot::Instruct => self.instruct.clear(),
            Slot::Examples => self.examples.clear(),
            Slot::Input => self.input = None,
            Slot::Output => {
                self.output = None;
                self.output_format = None;
            }
            Slot::ChatHistory => self.chat_history.clear(),
            Slot::Attachments => self.attachments.clear(),
        }
        self
    }

    /// Whether a slot holds something that will be sent.
    #[must_use]
    pub fn is_filled(&self, slot: Slot) -> bool {
        let said = |values: &[PromptValue]| values.iter().any(|value| !value.is_blank());
        match slot {
            Slot::Role => said(self.role.as_slice()),
            Slot::System => said(self.system.as_slice()),
            Slot::Info => said(&self.info),
            Slot::Instruct => said(&self.instruct),
            Slot::Examples => said(&self.examples),
            Slot::Input => said(self.input.as_slice()),
            Slot::Output => self.output.is_some(),
            Slot::ChatHistory => !self.chat_history.is_empty(),
            Slot::Attachments => !self.attachments.is_empty(),
        }
    }

    /// Sets the form of the answer unless one is set, or the shape of the answer does not allow it.
    pub(crate) fn default_output_format(&mut self, format: Format) {
        let fits = |schema: &Schema| format.resolve(schema).is_ok();
        if self.output_format.is_none() && self.output.as_ref().is_some_and(fits) {
            self.output_format = Some(format);
        }
    }

    /// The shape of the answer.
    #[must_use]
    pub fn output(&self) -> Option<&Schema> {
        self.output.as_ref()
    }

    /// The format in which the answer is asked for, as it was set.
    #[must_use]
    pub fn output_format(&self) -> Format {
        self.output_format.unwrap_or_default()
    }

    /// The earlier messages, oldest first.
    #[must_use]
    pub fn chat_history(&self) -> &[Message] {
        &self.chat_history
    }

    /// This prompt, an agent's, with a request's prompt put over it.
    ///
    /// ```
    /// use agently_core::prompt::Prompt;
    ///
    /// let mut agent = Prompt::new();
    /// agent.set_role("An editor").add_info("The house style is plain.");
    /// let mut request = Prompt::new();
    /// request.add_info("The reader is in a hurry.").set_input("Go.");
    /// let text = agent.merged(&request).to_text()?;
    /// assert!(text.contains("The house style is plain.\n\nThe reader is in a hurry."));
    /// # Ok::<(), agently_core::prompt::PromptError>(())
    /// ```
    #[must_use]
    pub fn merged(&self, request: &Self) -> Self {
        fn first(
            request: Option<&PromptValue>,
            agent: Option<&PromptValue>,
        ) -> Option<PromptValue> {
            request.filter(|value| !value.is_blank()).or(agent).cloned()
        }
        fn both<T: Clone>(agent: &[T], request: &[T]) -> Vec<T> {
            [agent, request].concat()
        }
        Self {
            role: first(request.role.as_ref(), self.role.as_ref()),
            system: first(request.system.as_ref(), self.system.as_ref()),
            info: both(&self.info, &request.info),
            instruct: both(&self.instruct, &request.instruct),
            examples: both(&self.examples, &request.examples),
            input: first(request.input.as_ref(), self.input.as_ref()),
            output: request.output.as_ref().or(self.output.as_ref()).cloned(),
            output_format: request.output_format.or(self.output_format),
            chat_history: both(&self.chat_history, &request.chat_history),
            attachments: both(&self.attachments, &request.attachments),
        }
    }
}
