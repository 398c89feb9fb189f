use std::fmt::Write as _;

use agently_api::model::{ImageSource, Message, Part};

use super::{Prompt, PromptError};

impl Prompt {
    /// The whole prompt as a person reads it: every message, its role above it.
    ///
    /// ```
    /// use agently_core::prompt::Prompt;
    ///
    /// let mut prompt = Prompt::new();
    /// prompt.set_role("Be brief.").set_input("Hello");
    /// assert_eq!(prompt.to_text()?, "[system]\nBe brief.\n\n[user]\nHello");
    /// # Ok::<(), agently_core::prompt::PromptError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render).
    pub fn to_text(&self) -> Result<String, PromptError> {
        Ok(messages_to_text(&self.render()?))
    }
}

/// A conversation as a person reads it: every message, its role above it.
///
/// Images are named, not shown; one in the message itself is told by its type and size.
#[must_use]
pub fn messages_to_text(messages: &[Message]) -> String {
    let messages = messages.iter().map(|message| {
        let mut text = format!("[{}]", message.role.as_str());
        for part in &message.parts {
            text.push('\n');
            part_to_text(part, &mut text);
        }
        text
    });
    messages.collect::<Vec<_>>().join("\n\n")
}

fn part_to_text(part: &Part, text: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = match part {
        Part::Text { text: said } => write!(text, "{said}"),
        Part::Image { source, .. } => match source {
            ImageSource::Url(url) => match url.strip_prefix("data:") {
                Some(data) => {
                    let media_type = data.split([';', ',']).next().unwrap_or_default();
                    write!(text, "(image: {media_type}, {} characters)", url.len())
                }
                None => write!(text, "(image: {url})"),
            },
            ImageSource::Base64 { media_type, data } => {
                write!(text, "(image: {media_type}, {} characters)", data.len())
            }
            _ => write!(text, "(image)"),
        },
        Part::ToolCall(call) => {
            write!(
                text,
                "(calls {} as {}: {})",
                call.name, call.id, call.arguments
            )
        }
        Part::ToolResult { call_id, content } => write!(text, "(result of {call_id}): {content}"),
        _ => write!(text, "(another part)"),
    };
}
