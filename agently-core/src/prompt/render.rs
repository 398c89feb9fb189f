use agently_api::model::{Message, Part};

use super::{Prompt, PromptError, PromptValue, Slot};
use crate::format::{requirement, Format, Layout};

impl Prompt {
    /// The messages to send.
    ///
    /// # Errors
    ///
    /// [`Empty`](super::PromptErrorKind::Empty) if no slot asks anything of the model,
    /// [`Format`](super::PromptErrorKind::Format) if the output format cannot hold the output.
    pub fn render(&self) -> Result<Vec<Message>, PromptError> {
        self.render_with_correction(None)
    }

    /// The messages to send after an answer that was not accepted: the same, with a section that
    /// says what was wrong with it.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render).
    pub fn render_with_correction(
        &self,
        correction: Option<&str>,
    ) -> Result<Vec<Message>, PromptError> {
        self.check_filled()?;
        let format = self.resolved_format()?;
        let mut messages = Vec::with_capacity(self.chat_history.len() + 2);
        if let Some(system) = section_body(self.role.iter().chain(&self.system)) {
            messages.push(Message::system(system));
        }
        messages.extend(self.chat_history.iter().cloned());
        let mut parts = Vec::with_capacity(self.attachments.len() + 1);
        let text = self.user_text(
            format,
            correction.filter(|reason| !reason.trim().is_empty()),
        );
        if !text.is_empty() {
            parts.push(Part::text(text));
        }
        parts.extend(self.attachments.iter().cloned());
        if !parts.is_empty() {
            messages.push(Message::new(agently_api::model::Role::User, parts));
        }
        Ok(messages)
    }

    fn check_filled(&self) -> Result<(), PromptError> {
        const ASKING: [Slot; 7] = [
            Slot::Input,
            Slot::Instruct,
            Slot::Info,
            Slot::Examples,
            Slot::Output,
            Slot::Attachments,
            Slot::ChatHistory,
        ];
        if ASKING.into_iter().any(|slot| self.is_filled(slot)) {
            return Ok(());
        }
        let found = if self.is_filled(Slot::Role) || self.is_filled(Slot::System) {
            "the prompt has a system message and nothing to answer"
        } else {
            "the prompt is empty"
        };
        let slots = ASKING.map(Slot::as_str).join("`, `");
        Err(PromptError::empty(format!(
            "{found}; fill `input`, or another of the slots `{slots}`"
        )))
    }

    /// The format in which the answer is asked for.
    fn resolved_format(&self) -> Result<Format, PromptError> {
        match &self.output {
            Some(schema) => self
                .output_format()
                .resolve(schema)
                .map_err(|error| PromptError::format(&error)),
            None => Ok(Format::Json),
        }
    }

    /// How the answer is read.
    pub(crate) fn layout(&self) -> Result<Layout, PromptError> {
        match &self.output {
            Some(schema) => Layout::new(self.output_format(), schema)
                .map_err(|error| PromptError::format(&error)),
            None => Ok(Layout::open()),
        }
    }

    pub(super) fn user_text(&self, format: Format, correction: Option<&str>) -> String {
        let info = section_body(&self.info);
        let instruct = section_body(&self.instruct);
        let examples = section_body(&self.examples);
        let input = section_body(&self.input);
        let correction = correction.map(|reason| {
            format!(
                "An earlier answer to this could not be accepted. What was wrong with it:\n\
                 {reason}\n\
                 Answer again from the beginning, and put this right."
            )
        });
        let requirement = self
            .output
            .as_ref()
            .map(|schema| requirement(schema, format));
        let sections = [
            ("INFO", info),
            ("INSTRUCT", instruct),
            ("EXAMPLES", examples),
            ("INPUT", input),
            ("OUTPUT CORRECTION", correction),
            ("OUTPUT REQUIREMENT", requirement),
        ];
        let mut filled: Vec<(&str, String)> = sections
            .into_iter()
            .filter_map(|(heading, body)| Some((heading, body?)))
            .collect();
        if let [("INPUT", input)] = filled.as_mut_slice() {
            return std::mem::take(input);
        }
        let texts: Vec<String> = filled
            .into_iter()
            .map(|(heading, body)| format!("[{heading}]:\n{body}"))
            .collect();
        texts.join("\n\n")
    }
}

/// The entries of a slot, a blank line between two; `None` if there are none.
fn section_body<'a>(entries: impl IntoIterator<Item = &'a PromptValue>) -> Option<String> {
    let texts: Vec<_> = entries
        .into_iter()
        .filter(|entry| !entry.is_blank())
        .map(PromptValue::to_text)
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}
