//! A reply laid out in time, piece by piece or as a whole.

use std::time::Duration;

use agently_api::model::{FinishReason, ModelEvent, ResponseInfo};

use super::{Ending, Reply};
use crate::playback::{Step, Timeline};

impl Reply {
    /// When the head of the answer comes, counted from the call.
    pub(crate) fn begins_at(&self) -> Duration {
        self.first_delay
    }

    /// The events with their times, and the time of the end. `Started`, `Usage` and `Finish` of
    /// the reply's own settings are not among them.
    pub(crate) fn schedule(&self) -> (Vec<(Duration, &ModelEvent)>, Duration) {
        let mut pauses = self.first_delay;
        let mut regular = Duration::ZERO;
        let mut timed = Vec::with_capacity(self.events.len());
        for paced in &self.events {
            pauses = pauses.saturating_add(paced.pause);
            timed.push((pauses.saturating_add(regular), &paced.event));
            regular = regular.saturating_add(self.delay);
        }
        let end = pauses.saturating_add(self.pause).saturating_add(regular);
        (timed, end)
    }

    /// The whole answer as one piece: what belongs together is joined.
    pub(crate) fn joined(&self) -> Vec<ModelEvent> {
        let mut joined: Vec<ModelEvent> = Vec::new();
        for paced in &self.events {
            if !joined.iter_mut().any(|event| join(event, &paced.event)) {
                joined.push(paced.event.clone());
            }
        }
        joined
    }

    /// Why this reply finishes, if it does by itself.
    pub(crate) fn finish_reason(&self) -> Option<FinishReason> {
        let Ending::Finish(reason) = &self.ending else {
            return None;
        };
        let has = |wanted: fn(&ModelEvent) -> bool| self.events.iter().any(|e| wanted(&e.event));
        match reason {
            Some(reason) => Some(reason.clone()),
            None if has(|event| matches!(event, ModelEvent::Finish(_))) => None,
            None if has(|event| matches!(event, ModelEvent::ToolCallDelta(_))) => {
                Some(FinishReason::ToolCalls)
            }
            None => Some(FinishReason::Stop),
        }
    }

    /// The stream that a provider makes of this reply.
    pub(crate) fn timeline(&self, streaming: bool) -> Timeline {
        let (timed, end) = self.schedule();
        let step = |at, event| Step {
            at,
            item: Ok(event),
        };
        let mut steps = Vec::with_capacity(timed.len() + 3);
        if self.info != ResponseInfo::default() {
            let at = if streaming { self.first_delay } else { end };
            steps.push(step(at, ModelEvent::Started(self.info.clone())));
        }
        if streaming {
            steps.extend(timed.into_iter().map(|(at, event)| step(at, event.clone())));
        } else if matches!(self.ending, Ending::Finish(_)) {
            steps.extend(self.joined().into_iter().map(|event| step(end, event)));
        }
        if matches!(self.ending, Ending::Finish(_)) {
            let usage = self.usage.map(ModelEvent::Usage);
            let finish = self.finish_reason().map(ModelEvent::Finish);
            steps.extend(
                usage
                    .into_iter()
                    .chain(finish)
                    .map(|event| step(end, event)),
            );
        }
        if let Ending::Error(error) = &self.ending {
            steps.push(Step {
                at: end,
                item: Err(error.make()),
            });
        }
        let end = (!matches!(self.ending, Ending::Hang)).then_some(end);
        Timeline { steps, end }
    }
}

/// Joins `more` to `event` if it continues it.
pub(crate) fn join(event: &mut ModelEvent, more: &ModelEvent) -> bool {
    use ModelEvent as E;
    match (event, more) {
        (E::TextDelta(text), E::TextDelta(more))
        | (E::ReasoningDelta(text), E::ReasoningDelta(more))
        | (E::RefusalDelta(text), E::RefusalDelta(more)) => text.push_str(more),
        (E::ToolCallDelta(call), E::ToolCallDelta(more)) if call.index == more.index => {
            call.id = call.id.take().or_else(|| more.id.clone());
            call.name = call.name.take().or_else(|| more.name.clone());
            call.arguments.push_str(&more.arguments);
            call.extra.extend(more.extra.clone());
        }
        _ => return false,
    }
    true
}

/// Splits a text event into pieces of `size` characters; others stay whole.
pub(super) fn split(event: ModelEvent, size: usize) -> Vec<ModelEvent> {
    let pieces = |text: &str, make: fn(String) -> ModelEvent| -> Vec<ModelEvent> {
        let mut pieces = Vec::new();
        let mut characters = text.chars().peekable();
        while characters.peek().is_some() {
            pieces.push(make(characters.by_ref().take(size).collect()));
        }
        pieces
    };
    match &event {
        ModelEvent::TextDelta(text) => pieces(text, ModelEvent::TextDelta),
        ModelEvent::ReasoningDelta(text) => pieces(text, ModelEvent::ReasoningDelta),
        ModelEvent::RefusalDelta(text) => pieces(text, ModelEvent::RefusalDelta),
        _ => vec![event],
    }
}
