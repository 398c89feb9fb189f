//! Follows every reading of a broken document side by side.
//!
//! All readings that have the same future at the same byte are one from there, so that their number
//! does not grow with the text; those far behind the best are given up.

use std::collections::BTreeMap;

use super::cost::Cost;
use super::error::{RepairError, RepairReason};
use super::fix::{Fix, FixKind};
use super::frames::{Frame, Frames};
use super::glyph::{after_blanks, Glyph};
use super::locate;
use super::plan::{Plan, Scalar, ANY};
use super::reading::{Reading, State};
use super::trail::{Mark, Step, Trail};

/// How much more a reading may weigh than the best one.
const WINDOW: u32 = 2;

/// What it weighs that a document ends where the text goes on like one.
const GOES_ON: u32 = 8;

/// How many readings are followed at once.
const MOST: usize = 512;

#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) plan: &'a Plan,
    /// Whether the model had said that it was finished.
    pub(super) finished: bool,
    pub(super) frames: Frames,
    pub(super) trail: Trail,
    queue: BTreeMap<usize, Vec<Reading>>,
    waiting: usize,
    best: Option<Reading>,
    /// The furthest byte at which a reading went wrong.
    stuck: usize,
    too_deep: Option<usize>,
    cut: bool,
    done: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, plan: &'a Plan, finished: bool) -> Self {
        Self {
            text,
            plan,
            finished,
            frames: Frames::default(),
            trail: Trail::default(),
            queue: BTreeMap::new(),
            waiting: 0,
            best: None,
            stuck: 0,
            too_deep: None,
            cut: false,
            done: false,
        }
    }

    /// Reads the document that starts at this byte.
    pub(super) fn read(&mut self, start: usize) -> Result<Mark, RepairError> {
        let rest = self.text.get(start..).unwrap_or_default();
        let bracket = rest.chars().next();
        let Some((next, Glyph::Open { object })) = bracket.map(|next| (next, Glyph::of(next)))
        else {
            return Err(RepairError::new(start, RepairReason::Missing));
        };
        let spec = self.plan.root(object);
        let misfit = u32::from(self.plan.container(spec, object).is_none());
        let spec = self.plan.container(spec, object).unwrap_or(ANY);
        let Some(frame) = self.frames.push(None, object, spec) else {
            return Err(RepairError::new(start, RepairReason::TooDeep));
        };
        let mut mark = self.trail.step(
            Trail::start(),
            if object { Step::Object } else { Step::List },
        );
        if !next.is_ascii() {
            mark = self.trail.fix(mark, fix(FixKind::Typographic, start));
        }
        let first = Reading {
            state: inside(object),
            text_start: 0,
            frame,
            expect: ANY,
            cost: Cost {
                weight: misfit,
                swallowed: 0,
            },
            clean: true,
            doubt: None,
            mark,
        };
        self.push(start + next.len_utf8(), first);
        self.run()?;
        self.decide()
    }

    fn run(&mut self) -> Result<(), RepairError> {
        while let Some((at, mut here)) = self.queue.pop_first() {
            let waiting = self.queue.values().flatten();
            let best = here.iter().chain(waiting).chain(&self.best);
            let floor = best
                .map(|reading| reading.cost.weight)
                .min()
                .unwrap_or_default();
            // The least broken first, because a fault can only add to the others of this byte.
            while let Some(index) = least(&here).filter(|_| !self.done) {
                let reading = here.swap_remove(index);
                self.waiting -= 1;
                let hopeless = reading.cost.weight > floor + WINDOW
                    || self.best.is_some_and(|best| best.cost.beats(reading.cost));
                if !hopeless {
                    self.step(at, reading);
                }
                for reading in self.queue.remove(&at).unwrap_or_default() {
                    self.waiting -= usize::from(join(&mut here, reading, at));
                }
                if self.waiting > MOST {
                    return Err(RepairError::new(at, RepairReason::Tangled));
                }
            }
        }
        Ok(())
    }

    fn decide(&self) -> Result<Mark, RepairError> {
        let Some(best) = self.best else {
            return Err(match self.too_deep {
                Some(at) => RepairError::new(at, RepairReason::TooDeep),
                None if self.cut => RepairError::new(self.text.len(), RepairReason::Cut),
                None => RepairError::new(self.stuck, RepairReason::Unreadable),
            });
        };
        match best.doubt {
            Some(at) => Err(RepairError::new(at, RepairReason::Ambiguous)),
            None => Ok(best.mark),
        }
    }

    /// Goes on with a reading from this byte.
    pub(super) fn push(&mut self, at: usize, reading: Reading) {
        let here = self.queue.entry(at).or_default();
        self.waiting += usize::from(!join(here, reading, at));
    }

    /// A reading has no way on.
    pub(super) fn fail(&mut self, at: usize) {
        self.stuck = self.stuck.max(at);
    }

    pub(super) fn fail_too_deep(&mut self, at: usize) {
        self.fail(at);
        self.too_deep.get_or_insert(at);
    }

    /// The same reading, one fault further from the text.
    pub(super) fn repair(&mut self, reading: Reading, kind: FixKind, at: usize) -> Reading {
        self.note(reading.fault(), kind, at)
    }

    /// The same reading, with a departure that is no doubtful one.
    pub(super) fn note(&mut self, reading: Reading, kind: FixKind, at: usize) -> Reading {
        Reading {
            mark: self.trail.fix(reading.mark, fix(kind, at)),
            ..reading
        }
    }

    pub(super) fn frame(&self, reading: &Reading) -> Option<Frame> {
        self.frames.get(reading.frame)
    }

    /// A value without parts ends before `at`.
    pub(super) fn scalar(&mut self, at: usize, reading: Reading, step: Step, kind: Scalar) {
        let Some(frame) = self.frame(&reading) else {
            return;
        };
        let spec = self.expected(&reading, frame);
        let mut next = self.value_ended(reading, step);
        next.cost.add(u32::from(!self.plan.fits(spec, kind)));
        self.push(at, next);
    }

    pub(super) fn value_ended(&mut self, reading: Reading, step: Step) -> Reading {
        Reading {
            state: State::After,
            expect: ANY,
            mark: self.trail.step(reading.mark, step),
            ..reading
        }
    }

    /// Where in the schema the next value stands.
    pub(super) fn expected(&self, reading: &Reading, frame: Frame) -> usize {
        if frame.object {
            reading.expect
        } else {
            self.plan.item(frame.spec)
        }
    }

    /// Leaves the innermost container; `None` is the end of the document.
    pub(super) fn leave(&mut self, reading: Reading, frame: Frame) -> (Reading, bool) {
        let mut next = self.value_ended(reading, Step::End);
        next.cost.add(self.plan.missing(frame.spec, frame.seen));
        match frame.parent {
            Some(parent) => {
                next.frame = parent;
                (next, false)
            }
            None => (next, true),
        }
    }

    /// The document ends before `at`.
    pub(super) fn end(&mut self, at: usize, mut reading: Reading) {
        if reading.clean && reading.doubt.is_none() {
            // Nothing was broken: the document ends where it says, whatever follows.
            self.best = Some(reading);
            self.queue.clear();
            self.done = true;
            return;
        }
        if self.goes_on(at) {
            reading.cost.add(GOES_ON);
            let next = after_blanks(self.text, at).map(|(_, next)| Glyph::of(next));
            if let Some(Glyph::Comma | Glyph::Colon) = next {
                reading.doubt = reading.doubt.or(Some(at));
            }
        }
        self.accept(at, reading);
    }

    /// Whether the text goes on after `at` as a document does, so that this is hardly its end.
    fn goes_on(&self, at: usize) -> bool {
        let Some((next_at, next)) = after_blanks(self.text, at) else {
            return false;
        };
        let between = self.text.get(at..next_at).unwrap_or_default();
        if Glyph::of(next) != Glyph::Other {
            // Another document may follow on a line of its own.
            return !(between.contains('\n') && locate::begins(self.text, next_at, self.plan));
        }
        let rest = self.text.get(next_at..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        !between.contains('\n') && line.chars().any(is_structure)
    }

    fn accept(&mut self, at: usize, reading: Reading) {
        self.best = Some(match self.best {
            Some(best) => best.merge(reading, at),
            None => reading,
        });
    }

    /// The text ends while containers are open.
    pub(super) fn unclosed(&mut self, reading: Reading) {
        let at = self.text.len();
        if !self.finished {
            self.cut = true;
            return;
        }
        let mut reading = self.repair(reading, FixKind::Unclosed, at);
        while let Some(frame) = self.frame(&reading) {
            let (next, ended) = self.leave(reading, frame);
            reading = next;
            if ended {
                return self.accept(at, reading);
            }
        }
    }
}

/// The state at the start of a container, and after a comma in it.
pub(super) fn inside(object: bool) -> State {
    if object {
        State::Key
    } else {
        State::Item
    }
}

/// Whether this is a quote or bracket of a document.
fn is_structure(next: char) -> bool {
    matches!(next, '"' | '{' | '}' | '[' | ']')
}

fn fix(kind: FixKind, offset: usize) -> Fix {
    Fix { kind, offset }
}

fn least(readings: &[Reading]) -> Option<usize> {
    let indexed = readings.iter().enumerate();
    indexed
        .min_by_key(|(_, reading)| reading.cost.weight)
        .map(|(index, _)| index)
}

/// Adds a reading to those of the same byte; true if it became one with another.
fn join(here: &mut Vec<Reading>, reading: Reading, at: usize) -> bool {
    if let Some(other) = here.iter_mut().find(|other| other.meets(&reading)) {
        *other = other.merge(reading, at);
        true
    } else {
        here.push(reading);
        false
    }
}
