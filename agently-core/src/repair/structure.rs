//! What a reading does between strings.

use super::fix::FixKind;
use super::frames::Frame;
use super::glyph::{is_bare, run, skip_gap, Gap, Glyph, Quote};
use super::plain;
use super::plan::{Scalar, ANY};
use super::prose::Prose;
use super::reader::{inside, Reader};
use super::reading::{Reading, State, Text};
use super::trail::Step;

impl Reader<'_> {
    pub(super) fn step(&mut self, at: usize, reading: Reading) {
        if let State::Text(text) = reading.state {
            return self.string(at, reading, text);
        }
        let Some(frame) = self.frame(&reading) else {
            return;
        };
        match skip_gap(self.text, at) {
            Gap::Broken(at) => self.fail(at),
            Gap::End => match reading.state {
                State::Item | State::Key | State::After => self.unclosed(reading),
                _ => self.fail(self.text.len()),
            },
            Gap::Token(at, next) => self.token(at, next, reading, frame),
        }
    }

    fn token(&mut self, at: usize, next: char, reading: Reading, frame: Frame) {
        let glyph = Glyph::of(next);
        let end = at + next.len_utf8();
        if let Glyph::Close { object } = glyph {
            return self.closer(at, end, object, reading, frame);
        }
        match (reading.state, glyph) {
            (State::After, Glyph::Comma) => {
                self.missing_closer(at, reading, frame);
                let mut next = self.written(at, end, reading);
                next.state = inside(frame.object);
                self.push(end, next);
            }
            (State::After, _) => {
                self.missing_closer(at, reading, frame);
                self.missing_comma(at, next, reading, frame);
            }
            (State::Item, Glyph::Comma) if self.is_empty_before(at) => {
                self.missing_closer(at, reading, frame);
            }
            (State::Key, Glyph::Comma) => {
                if self.is_empty_before(at) {
                    self.missing_closer(at, reading, frame);
                }
                let next = self.repair(reading, FixKind::ExtraComma, at);
                self.push(end, next);
            }
            (State::Colon, Glyph::Colon) => {
                let mut next = self.written(at, end, reading);
                next.state = State::Value;
                self.push(end, next);
            }
            (State::Key, Glyph::Quote(quote)) => self.open_string(at, end, quote, reading, true),
            (State::Key, _) if is_bare(next) => {
                let end = run(self.text, at, is_bare);
                self.key(end, reading, at..end, None);
            }
            (State::Value | State::Item, Glyph::Quote(quote)) => {
                self.open_string(at, end, quote, reading, false);
            }
            (State::Value | State::Item, Glyph::Open { object }) => {
                self.container(at, end, object, reading, frame);
            }
            (State::Value | State::Item, Glyph::Other) => self.plain(at, reading, frame),
            _ => self.fail(at),
        }
    }

    /// Whether a container begins directly before this byte.
    fn is_empty_before(&self, at: usize) -> bool {
        let before = self.text.get(..at).unwrap_or_default().trim_end();
        before.ends_with(|last| matches!(Glyph::of(last), Glyph::Open { .. }))
    }

    /// Notes a structural mark that is not ASCII.
    fn written(&mut self, at: usize, end: usize, reading: Reading) -> Reading {
        if end - at > 1 {
            self.note(reading, FixKind::Typographic, at)
        } else {
            reading
        }
    }

    /// A closing bracket: of the right kind, or of the wrong one, or one too many, or after a
    /// missing one.
    fn closer(&mut self, at: usize, end: usize, object: bool, reading: Reading, frame: Frame) {
        let extra = self.repair(reading, FixKind::ExtraCloser, at);
        self.push(end, extra);
        let (State::After | State::Key | State::Item) = reading.state else {
            return self.fail(at);
        };
        let mut closing = self.written(at, end, reading);
        if object != frame.object {
            self.missing_closer(at, reading, frame);
            closing = self.repair(closing, FixKind::WrongCloser, at);
        }
        let (next, ended) = self.leave(closing, frame);
        if ended {
            self.end(end, next);
        } else {
            self.push(end, next);
        }
    }

    /// The innermost container ended without a bracket.
    fn missing_closer(&mut self, at: usize, reading: Reading, frame: Frame) {
        if frame.parent.is_some() {
            let closing = self.repair(reading, FixKind::MissingCloser, at);
            let (next, _) = self.leave(closing, frame);
            self.push(at, next);
        }
    }

    fn missing_comma(&mut self, at: usize, next: char, reading: Reading, frame: Frame) {
        let begins = match Glyph::of(next) {
            Glyph::Quote(_) => true,
            Glyph::Open { .. } => !frame.object,
            Glyph::Other if frame.object => {
                // A word after a value is a key only if the schema says so or a gap precedes it.
                let end = run(self.text, at, is_bare);
                let word = self.text.get(at..end).unwrap_or_default();
                let before = self.text.get(..at).unwrap_or_default();
                end > at
                    && (!before.ends_with(is_bare) || self.plan.key(frame.spec, word).is_some())
            }
            Glyph::Other => true,
            _ => false,
        };
        if !begins {
            return self.fail(at);
        }
        let mut next = self.repair(reading, FixKind::MissingComma, at);
        next.state = inside(frame.object);
        self.push(at, next);
    }

    fn open_string(&mut self, at: usize, end: usize, quote: Quote, reading: Reading, key: bool) {
        let text = |quote| {
            State::Text(Text {
                quote,
                key,
                broken: false,
                prose: Prose::default(),
            })
        };
        if let Some((triple, mark)) = quote.tripled().filter(|_| !key) {
            if self.text.get(at..).unwrap_or_default().starts_with(mark) {
                let mut next = self.note(reading, FixKind::TripleQuotes, at);
                next.state = text(triple);
                next.text_start = at + mark.len();
                self.push(next.text_start, next);
            }
        }
        let mut next = self.written(at, end, reading);
        next.state = text(quote);
        next.text_start = end;
        self.push(end, next);
    }

    fn container(&mut self, at: usize, end: usize, object: bool, reading: Reading, frame: Frame) {
        let spec = self.expected(&reading, frame);
        let known = self.plan.container(spec, object);
        let mut next = self.written(at, end, reading);
        next.cost.add(u32::from(known.is_none()));
        let Some(inner) = self
            .frames
            .push(Some(reading.frame), object, known.unwrap_or(ANY))
        else {
            return self.fail_too_deep(at);
        };
        let step = if object { Step::Object } else { Step::List };
        next.mark = self.trail.step(next.mark, step);
        next.frame = inner;
        next.expect = ANY;
        next.state = inside(object);
        self.push(end, next);
    }

    /// A number or a literal.
    fn plain(&mut self, at: usize, reading: Reading, frame: Frame) {
        let is_key = |word: &str| frame.object && self.plan.key(frame.spec, word).is_some();
        match plain::read(self.text, at, is_key) {
            Some(found) if found.end == self.text.len() && found.kind == Scalar::Number => {
                // As at the end of the stream: it counts if it is a whole number so far.
                if plain::is_json_number(self.text.get(at..found.end).unwrap_or_default()) {
                    self.scalar(found.end, reading, Step::Plain(at..found.end), found.kind);
                } else {
                    self.fail(at);
                }
            }
            Some(found) => self.scalar(found.end, reading, Step::Plain(at..found.end), found.kind),
            None => self.fail(at),
        }
    }
}
