use std::fmt;

/// A place in a [`Prompt`](super::Prompt).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Slot {
    /// Who the model is.
    Role,
    /// Standing instructions.
    System,
    /// What the model should know.
    Info,
    /// What the model should do or heed.
    Instruct,
    /// Examples.
    Examples,
    /// What is asked.
    Input,
    /// The shape of the answer.
    Output,
    /// Earlier messages of the conversation.
    ChatHistory,
    /// Images and other parts.
    Attachments,
}

impl Slot {
    /// The name, as in `chat_history`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::System => "system",
            Self::Info => "info",
            Self::Instruct => "instruct",
            Self::Examples => "examples",
            Self::Input => "input",
            Self::Output => "output",
            Self::ChatHistory => "chat_history",
            Self::Attachments => "attachments",
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
