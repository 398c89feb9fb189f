//! The texts of an answer: what the model says, thinks, and refuses to say.

use std::borrow::Cow;
use std::collections::VecDeque;

use agently_api::model::ModelEvent;

use super::response::{Channel, Content};
use super::surrogate::Joiner;

/// The three texts of one answer.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    text: Growing,
    reasoning: Growing,
    refusal: Growing,
}

#[derive(Debug, Default)]
struct Growing {
    joiner: Joiner,
    any: bool,
    /// The whole text so far, kept only where deltas repeat it.
    whole: String,
}

impl Growing {
    fn push(
        &mut self,
        piece: Cow<'_, str>,
        marked: bool,
        cumulative: bool,
        replaced: &mut bool,
    ) -> Option<String> {
        let mut piece = self.joiner.join(piece, marked, replaced);
        if piece.is_empty() {
            return None;
        }
        if cumulative {
            if let Some(news) = piece.strip_prefix(self.whole.as_str()) {
                piece = news.to_owned();
            } else if self.whole.starts_with(&piece) {
                return None;
            }
            self.whole.push_str(&piece);
            if piece.is_empty() {
                return None;
            }
        }
        self.any = true;
        Some(piece)
    }
}

impl Channels {
    /// Whether anything was said.
    pub(crate) fn any(&self) -> bool {
        self.text.any || self.reasoning.any || self.refusal.any
    }

    /// Whether anything was said besides thoughts.
    pub(crate) fn any_answer(&self) -> bool {
        self.text.any || self.refusal.any
    }

    /// Takes the texts of one delta; `true` if half of a surrogate pair had to be replaced.
    pub(crate) fn push_delta(
        &mut self,
        content: Content<'_>,
        reasoning: Content<'_>,
        refusal: Content<'_>,
        marked: bool,
        cumulative: bool,
        events: &mut VecDeque<ModelEvent>,
    ) -> bool {
        let mut replaced = false;
        // A thought that also stands among the parts of the content is the same one.
        let thought_apart = !reasoning.is_empty();
        let mut push = |channel: Channel, piece: Cow<'_, str>| {
            let growing = match channel {
                Channel::Text => &mut self.text,
                Channel::Reasoning => &mut self.reasoning,
                Channel::Refusal => &mut self.refusal,
            };
            let piece = growing.push(piece, marked, cumulative, &mut replaced);
            events.extend(piece.map(|piece| event(channel, piece)));
        };
        reasoning.each(Channel::Reasoning, &mut push);
        content.each(Channel::Text, &mut |channel, piece| {
            if !(thought_apart && channel == Channel::Reasoning) {
                push(channel, piece);
            }
        });
        refusal.each(Channel::Refusal, &mut push);
        replaced
    }

    /// Ends the texts: halves that still wait become U+FFFD; `true` if there were any.
    pub(crate) fn finish(&mut self, events: &mut VecDeque<ModelEvent>) -> bool {
        let mut replaced = false;
        for (channel, growing) in [
            (Channel::Reasoning, &mut self.reasoning),
            (Channel::Text, &mut self.text),
            (Channel::Refusal, &mut self.refusal),
        ] {
            if growing.joiner.finish() {
                growing.any = true;
                replaced = true;
                events.push_back(event(channel, char::REPLACEMENT_CHARACTER.to_string()));
            }
        }
        replaced
    }
}

fn event(channel: Channel, text: String) -> ModelEvent {
    match channel {
        Channel::Text => ModelEvent::TextDelta(text),
        Channel::Reasoning => ModelEvent::ReasoningDelta(text),
        Channel::Refusal => ModelEvent::RefusalDelta(text),
    }
}
