//! What a reading does in a string: it ends at a quote, or takes it for text.

use std::borrow::Cow;
use std::ops::Range;

use super::document::decode;
use super::fix::FixKind;
use super::glyph::{after_blanks, Candidate, Glyph, Quote};
use super::plan::{Scalar, SpecId};
use super::prose::{has_word, key_inside, KeyInside};
use super::reader::Reader;
use super::reading::{Reading, State, Text};
use super::trail::Step;

/// What text costs that looks like the border of two strings, or like a key.
const UNLIKELY: u32 = 2;

impl Reader<'_> {
    pub(super) fn string(&mut self, at: usize, reading: Reading, text: Text) {
        let Some(quote) = text.quote.find(self.text, at) else {
            // Nothing says where a broken string would have ended.
            if text.key || text.broken {
                return self.fail(self.text.len());
            }
            let mut reading = reading;
            if self.text.trim_end().ends_with(['}', ']', '｝', '］']) {
                // Then it is a quote that is missing, not the end.
                reading.doubt = reading.doubt.or(Some(self.text.len()));
            }
            let step = Step::CutText(reading.text_start, text.quote);
            return self.scalar(self.text.len(), reading, step, Scalar::Text);
        };
        let after = after_blanks(self.text, quote.end);
        let may_end = after.is_none_or(|(_, next)| Glyph::of(next).follows_string());
        if quote.own {
            self.end_string(quote, reading, text);
        } else if may_end {
            let mixed = self.repair(reading, FixKind::MixedQuotes, quote.at);
            self.end_string(quote, mixed, text);
        }
        if !quote.own {
            let mut next = reading;
            next.cost.swallowed += u32::from(may_end && text.quote.may_hold_own());
            next.state = State::Text(Text {
                prose: text.prose.other(),
                ..text
            });
            self.push(quote.end, next);
        } else if text.quote.may_hold_own() {
            self.inner_quote(at, quote, may_end, reading, text);
        }
    }

    /// The quote is part of the text.
    fn inner_quote(
        &mut self,
        last: usize,
        quote: Candidate,
        may_end: bool,
        reading: Reading,
        text: Text,
    ) {
        let start = reading.text_start;
        let passed = text.prose.pass(self.text, start, last, quote.at, quote.end);
        let mut next = if text.broken {
            self.note(reading, FixKind::InnerQuote, quote.at)
        } else {
            self.repair(reading, FixKind::InnerQuote, quote.at)
        };
        next.cost.swallowed += u32::from(may_end);
        if may_end && !passed.closes {
            // It is more likely that the string ended here, and something else is broken.
            next.doubt = next.doubt.or(Some(quote.at));
        }
        let colon = after_blanks(self.text, quote.end).map(|(_, next)| Glyph::of(next));
        if passed.separates || text.key && colon == Some(Glyph::Colon) {
            next.cost.add(UNLIKELY);
        }
        let specs = self.specs(&reading);
        if let Some(key) = key_inside(self.text, quote.at, quote.end, self.plan, specs) {
            if key == KeyInside::Declared && !text.key {
                next.cost.add(UNLIKELY);
            }
            next.doubt = next.doubt.or(Some(quote.at));
        }
        next.state = State::Text(Text {
            broken: true,
            prose: passed.prose,
            ..text
        });
        self.push(quote.end, next);
    }

    fn end_string(&mut self, quote: Candidate, reading: Reading, text: Text) {
        let mut reading = reading;
        let raw = self.text.get(reading.text_start..quote.at);
        // Without a word in it, triple-quoted text may well be text of quotes.
        let odd = !text.quote.may_hold_own() && !has_word(raw.unwrap_or_default().chars());
        if odd || text.broken && text.prose.is_doubtful() {
            reading.doubt = reading.doubt.or(Some(quote.at));
        }
        let range = reading.text_start..quote.at;
        if text.key {
            self.key(quote.end, reading, range, Some(text.quote));
        } else {
            self.scalar(
                quote.end,
                reading,
                Step::Text(range, text.quote),
                Scalar::Text,
            );
        }
    }

    /// A key has ended before `end`.
    pub(super) fn key(
        &mut self,
        end: usize,
        reading: Reading,
        range: Range<usize>,
        quote: Option<Quote>,
    ) {
        let Some(frame) = self.frame(&reading) else {
            return;
        };
        let raw = self.text.get(range.clone()).unwrap_or_default();
        let key = match quote {
            Some(quote) if raw.contains('\\') => Cow::Owned(decode(raw, quote)),
            _ => Cow::Borrowed(raw),
        };
        let known = self.plan.key(frame.spec, &key);
        let mut next = reading;
        match known {
            Some(known) => {
                next.expect = known.value;
                next.cost.add(u32::from(frame.seen & known.bit != 0));
                next.frame = self.frames.with_key(frame, known.bit);
            }
            None => next.cost.add(u32::from(!self.plan.is_open(frame.spec))),
        }
        next.mark = self.trail.step(next.mark, Step::Key(range, quote));
        next.state = State::Colon;
        self.push(end, next);
    }

    /// Where in the schema the open containers stand, the innermost first.
    fn specs(&self, reading: &Reading) -> impl Iterator<Item = SpecId> + '_ {
        let mut next = Some(reading.frame);
        std::iter::from_fn(move || {
            let frame = self.frames.get(next?)?;
            next = frame.parent;
            Some(frame)
        })
        .filter(|frame| frame.object)
        .map(|frame| frame.spec)
    }
}
