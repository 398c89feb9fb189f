//! Where in an answer the document starts.
//!
//! The search reads every byte once. A `{` or `[` in prose becomes a candidate, which is decided by
//! its first key or item; candidates that overlap run side by side, and of two in the same state
//! only the earlier can win, so that there are never more than the schema's keys have bytes.

mod candidate;
mod line;

use std::sync::Arc;

use self::candidate::{Candidate, Seek, Verdict};
use self::line::{Fence, Line};
use super::{Ending, ItemShape, RootShape, TokenVisitor, Tokenizer};

/// Finds the document in a text and reads it.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// Taken away when the document is found.
    locator: Option<Box<Locator>>,
    tokenizer: Tokenizer,
    /// Where the document starts.
    start: usize,
    /// Bytes seen before it was found.
    seen: usize,
    steps: u64,
}

/// How a search ended.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The ending, with offsets in the whole text.
    pub(crate) ending: Ending,
    pub(crate) start: usize,
    pub(crate) warnings: Vec<agently_api::data::Warning>,
}

impl Search {
    pub(crate) fn new(shape: &RootShape) -> Self {
        Self {
            locator: Some(Box::new(Locator::new(shape))),
            tokenizer: Tokenizer::new(),
            start: 0,
            seen: 0,
            steps: 0,
        }
    }

    /// Whether the document has been found.
    pub(crate) fn is_found(&self) -> bool {
        self.locator.is_none()
    }

    #[inline]
    pub(crate) fn push<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) {
        if self.locator.is_none() {
            self.tokenizer.push(text, visitor);
        } else {
            self.search(text, visitor);
        }
    }

    fn search<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) {
        let Some(locator) = &mut self.locator else {
            return;
        };
        let before = self.seen;
        self.seen += text.len();
        let Some(start) = locator.push(text) else {
            return;
        };
        self.found(start, before, text, visitor);
    }

    /// The document starts at `start`; `text`, at `before`, has not been held yet.
    fn found<V: TokenVisitor>(&mut self, start: usize, before: usize, text: &str, visitor: &mut V) {
        let Some(locator) = self.locator.take() else {
            return;
        };
        self.start = start;
        self.steps = locator.steps;
        if let Some(from) = start.checked_sub(before) {
            let document = text.get(from..).unwrap_or_default();
            self.tokenizer.push(document, visitor);
        } else {
            // In one piece, so that a string grows once.
            let mut held = locator.held;
            held.push_str(text);
            let document = held.get(start - locator.held_from..).unwrap_or_default();
            self.tokenizer.push(document, visitor);
        }
    }

    pub(crate) fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) -> Found {
        let start = self.locator.as_mut().and_then(|locator| locator.finish());
        if let Some(start) = start {
            self.found(start, self.seen, "", visitor);
        }
        let ending = match self.tokenizer.finish(visitor) {
            Ending::Complete { end } => Ending::Complete {
                end: self.start + end,
            },
            Ending::Silenced { offset, fault } => Ending::Silenced {
                offset: self.start + offset,
                fault,
            },
            other => other,
        };
        Found {
            ending,
            start: self.start,
            warnings: self.tokenizer.warnings(),
        }
    }

    pub(crate) fn steps(&self) -> u64 {
        self.locator
            .as_ref()
            .map_or(self.steps, |locator| locator.steps)
    }
}

/// The search itself.
#[derive(Clone, Debug)]
struct Locator {
    /// What may follow an opening bracket.
    rule: Rule,
    /// Nothing but blanks and fences so far.
    at_start: bool,
    line: Line,
    /// The fence that is open.
    fence: Option<Fence>,
    /// Undecided brackets, earliest first.
    live: Vec<Candidate>,
    /// A bracket that is the document if no earlier one is.
    taken: Option<usize>,
    /// The text from `held_from` on, while anything is undecided.
    held: String,
    held_from: usize,
    /// Bytes before the current piece.
    offset: usize,
    steps: u64,
}

#[derive(Clone, Debug)]
enum Rule {
    Open,
    /// The keys, sorted.
    Keys(Vec<Arc<str>>),
    Items(ItemShape),
}

impl Locator {
    fn new(shape: &RootShape) -> Self {
        let rule = match shape {
            RootShape::Object { keys } if !keys.is_empty() => {
                let mut keys = keys.clone();
                keys.sort_unstable();
                Rule::Keys(keys)
            }
            RootShape::Open | RootShape::Object { .. } => Rule::Open,
            RootShape::List { item } => Rule::Items(*item),
        };
        Self {
            rule,
            at_start: true,
            line: Line::Start,
            fence: None,
            live: Vec::new(),
            taken: None,
            held: String::new(),
            held_from: 0,
            offset: 0,
            steps: 0,
        }
    }

    /// Reads a piece; gives the start of the document once it is known.
    fn push(&mut self, text: &str) -> Option<usize> {
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if self.in_plain_prose() {
                let opener = if matches!(self.rule, Rule::Items(_)) {
                    b'['
                } else {
                    b'{'
                };
                let skip = memchr::memchr2(opener, b'\n', rest.as_bytes()).unwrap_or(rest.len());
                if skip > 0 {
                    rest = rest.get(skip..).unwrap_or_default();
                    continue;
                }
            }
            let position = self.offset + (text.len() - rest.len());
            if let Some(start) = self.step(next, position) {
                return Some(start);
            }
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
        self.hold(text);
        self.offset += text.len();
        None
    }

    /// The text has ended: what is undecided is no document.
    fn finish(&mut self) -> Option<usize> {
        self.live
            .iter()
            .find(|candidate| candidate.seek.stands_at_end())
            .map(|candidate| candidate.start)
            .or(self.taken)
    }

    /// Whether nothing matters but a bracket or the end of the line.
    fn in_plain_prose(&self) -> bool {
        self.live.is_empty()
            && !self.at_start
            && self.line == Line::Body
            && !self.fence.is_some_and(|fence| fence.ours)
    }

    fn step(&mut self, next: char, position: usize) -> Option<usize> {
        self.steps += 1;
        if !self.live.is_empty() {
            if let Some(start) = self.decide(next) {
                return Some(start);
            }
        }
        if self.taken.is_none() && matches!(next, '{' | '[') {
            match self.bracket(next) {
                Some(Seek::Taken) if self.live.is_empty() => return Some(position),
                Some(Seek::Taken) => self.taken = Some(position),
                Some(seek) => self.live.push(Candidate {
                    start: position,
                    seek,
                }),
                None => {}
            }
        }
        if let Some(fence) = self.line.step(next) {
            self.at_start &= fence.ours;
            self.fence = fence.after(self.fence);
        } else if self.line == Line::Body || self.line.is_foreign() {
            self.at_start = false;
        }
        None
    }

    /// Moves the candidates on by one character; gives the start of the document once the earliest
    /// is taken.
    fn decide(&mut self, next: char) -> Option<usize> {
        let Self {
            live, rule, taken, ..
        } = self;
        let keys: &[Arc<str>] = match rule {
            Rule::Keys(keys) => keys,
            Rule::Open | Rule::Items(_) => &[],
        };
        self.steps += live.len() as u64;
        let mut winner = None;
        live.retain_mut(|candidate| {
            // A later one than a winner can only lose.
            if winner.is_some() {
                return false;
            }
            match candidate.seek.step(next, keys) {
                Verdict::Open => true,
                Verdict::Rejected => false,
                Verdict::Taken => {
                    winner = Some(candidate.start);
                    false
                }
            }
        });
        if winner.is_some() {
            *taken = winner;
        }
        if live.is_empty() {
            return *taken;
        }
        if live.len() > 1 {
            let mut kept = 0;
            while kept < live.len() {
                let Some(seek) = live.get(kept).map(|candidate| candidate.seek) else {
                    break;
                };
                let mut index = 0;
                live.retain(|candidate| {
                    index += 1;
                    index <= kept + 1 || candidate.seek != seek
                });
                kept += 1;
            }
        }
        None
    }

    /// What a bracket here is, if it may begin the document.
    fn bracket(&self, bracket: char) -> Option<Seek> {
        let is_list = matches!(self.rule, Rule::Items(_));
        if self.fence.is_some_and(|fence| fence.ours) {
            return Some(Seek::Taken);
        }
        if self.at_start && self.line == Line::Start {
            return Some(if bracket == '{' || is_list {
                Seek::Taken
            } else {
                Seek::wrapped()
            });
        }
        match (&self.rule, bracket) {
            (Rule::Items(item), '[') => Some(Seek::item(*item)),
            (Rule::Keys(keys), '{') => Some(Seek::key(keys.len())),
            (Rule::Open, '{') => Some(Seek::any_key()),
            _ => None,
        }
    }

    /// Keeps the text that an undecided candidate may need.
    fn hold(&mut self, text: &str) {
        let first = self.live.first().map(|candidate| candidate.start);
        let Some(first) = first.or(self.taken) else {
            self.held.clear();
            return;
        };
        if self.held.is_empty() {
            // The earliest one began in this piece.
            let from = first.saturating_sub(self.offset);
            self.held_from = self.offset + from;
            self.held.push_str(text.get(from..).unwrap_or_default());
        } else {
            self.held.push_str(text);
        }
    }
}
