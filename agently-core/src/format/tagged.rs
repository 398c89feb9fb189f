//! Answers in elements: `xml_field`. This is not XML: only the marks themselves count.

use agently_api::data::Warning;

use super::fence;
use super::json_field::{JsonField, CUT, SEEN};
use super::layout::{FieldKind, Layout};
use super::pen::Pen;
use crate::instant::{Ending, Fault, Found, TokenVisitor};

/// How many bytes an opening tag may have beyond the longest name.
const SLACK: usize = 200;
const OPENER: &str = "<field";
const CLOSER: &str = "</field>";
/// The end of the whole answer.
const LAST: &str = "</agently_output>";

/// Reads the elements of an answer.
#[derive(Clone, Debug)]
pub(super) struct Tagged {
    layout: Layout,
    grown: String,
    place: Place,
    /// What may become a tag, with the line break before it.
    held: String,
    /// Bytes that have been read.
    at: usize,
    start: Option<usize>,
    fault: Option<(usize, Fault)>,
    warnings: Vec<Warning>,
}

#[derive(Clone, Debug)]
enum Place {
    /// Between elements.
    Outside,
    /// In an element that is no field of the schema.
    Foreign,
    Text {
        /// The line break after the opening tag may still come.
        fresh: bool,
    },
    /// Before a JSON value, perhaps in a fence line.
    Before {
        in_fence: bool,
    },
    Json(Box<JsonField>),
    /// Behind the whole answer.
    Done,
}

impl Tagged {
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            grown: String::new(),
            place: Place::Outside,
            held: String::new(),
            at: 0,
            start: None,
            fault: None,
            warnings: Vec::new(),
        }
    }

    pub(super) fn is_found(&self) -> bool {
        self.start.is_some()
    }

    pub(super) fn push<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) {
        let mut grown = std::mem::take(&mut self.grown);
        let mut pen = Pen::new(visitor, &mut grown);
        let mut rest = text;
        while !rest.is_empty() && self.fault.is_none() {
            let next = self.step(rest, &mut pen);
            self.at += rest.len() - next.len();
            rest = next;
        }
        pen.flush();
        self.grown = grown;
    }

    /// Reads something of what has come; gives the rest.
    fn step<'a, V: TokenVisitor>(&mut self, rest: &'a str, pen: &mut Pen<'_, V>) -> &'a str {
        match &mut self.place {
            Place::Outside => self.outside(rest, pen),
            Place::Text { fresh } => {
                if *fresh && !rest.starts_with(['\n', '\r']) && self.held.is_empty() {
                    *fresh = false;
                }
                self.text(rest, pen)
            }
            Place::Foreign => self.pass(rest),
            Place::Before { .. } => self.before(rest),
            Place::Json(_) => self.json(rest, pen),
            Place::Done => "",
        }
    }

    fn outside<'a, V: TokenVisitor>(&mut self, rest: &'a str, pen: &mut Pen<'_, V>) -> &'a str {
        if self.held.is_empty() {
            let Some(found) = memchr::memchr(b'<', rest.as_bytes()) else {
                return "";
            };
            self.held.push('<');
            return rest.get(found + 1..).unwrap_or_default();
        }
        let Some((next, behind)) = split_char(rest) else {
            return "";
        };
        if next == '<' {
            self.held.clear();
        }
        self.held.push(next);
        if next == '>' {
            let tag = std::mem::take(&mut self.held);
            self.tag(&tag, pen);
        } else if !self.may_be_tag() {
            self.held.clear();
        }
        behind
    }

    fn may_be_tag(&self) -> bool {
        let held = self.held.as_str();
        let opener = held.strip_prefix(OPENER).map_or_else(
            || OPENER.starts_with(held),
            |attributes| attributes.is_empty() || attributes.starts_with(is_blank),
        );
        (opener && held.len() <= self.layout.longest_name() + SLACK) || LAST.starts_with(held)
    }

    /// A whole tag outside of an element.
    fn tag<V: TokenVisitor>(&mut self, tag: &str, pen: &mut Pen<'_, V>) {
        if tag == LAST && self.start.is_some() {
            self.place = Place::Done;
            return;
        }
        let Some(attributes) = tag
            .strip_prefix(OPENER)
            .and_then(|tag| tag.strip_suffix('>'))
        else {
            return;
        };
        let (attributes, is_empty) = match attributes.strip_suffix('/') {
            Some(attributes) => (attributes, true),
            None => (attributes, false),
        };
        let Some(name) = attribute(attributes, "name") else {
            return;
        };
        let Some((field, rule)) = self.layout.find(name) else {
            if !is_empty {
                self.place = Place::Foreign;
            }
            return;
        };
        let kind = match attribute(attributes, "type") {
            Some(name) if name.eq_ignore_ascii_case("json") => FieldKind::Json,
            Some(name) => rule.kind.tagged(name),
            None => rule.kind.or_json(),
        };
        if self.start.is_none() {
            self.start = Some((self.at + 1).saturating_sub(tag.len()));
            pen.object_start();
        }
        pen.key(self.layout.name(field));
        self.place = if kind == FieldKind::Text {
            pen.string_start();
            Place::Text { fresh: true }
        } else {
            Place::Before { in_fence: false }
        };
        if is_empty {
            if kind == FieldKind::Text {
                pen.string_end(SEEN);
            }
            self.place = Place::Outside;
        }
    }

    /// Text of a field. What may be the closing tag, and the line break before it, are held.
    fn text<'a, V: TokenVisitor>(&mut self, rest: &'a str, pen: &mut Pen<'_, V>) -> &'a str {
        if self.held.is_empty() {
            let run = memchr::memchr3(b'\n', b'\r', b'<', rest.as_bytes()).unwrap_or(rest.len());
            if run > 0 {
                let (run, behind) = rest.split_at_checked(run).unwrap_or((rest, ""));
                pen.string_delta(run);
                return behind;
            }
        }
        let Some((next, behind)) = split_char(rest) else {
            return "";
        };
        self.held.push(next);
        if let Place::Text { fresh: true } = self.place {
            match self.held.as_str() {
                "\r" => return behind,
                "\n" | "\r\n" => {
                    self.held.clear();
                    self.place = Place::Text { fresh: false };
                    return behind;
                }
                _ => self.place = Place::Text { fresh: false },
            }
        }
        match ending(&self.held) {
            Closing::Whole => {
                self.held.clear();
                pen.string_end(SEEN);
                self.place = Place::Outside;
            }
            Closing::Open => {}
            Closing::No => {
                // Only this character itself may begin another closing tag.
                self.held.pop();
                pen.string_delta(&self.held);
                self.held.clear();
                self.held.push(next);
                if !matches!(next, '\n' | '\r' | '<') {
                    pen.string_delta(&self.held);
                    self.held.clear();
                }
            }
        }
        behind
    }

    /// Passes over what does not matter, up to the end of the element.
    fn pass<'a>(&mut self, rest: &'a str) -> &'a str {
        if self.held.is_empty() {
            let Some(found) = memchr::memchr(b'<', rest.as_bytes()) else {
                return "";
            };
            self.held.push('<');
            return rest.get(found + 1..).unwrap_or_default();
        }
        let Some((next, behind)) = split_char(rest) else {
            return "";
        };
        if next == '<' {
            self.held.clear();
        }
        self.held.push(next);
        if self.held == CLOSER {
            self.held.clear();
            self.place = Place::Outside;
        } else if !CLOSER.starts_with(&self.held) {
            self.held.clear();
        }
        behind
    }

    /// Blanks and a fence line before a JSON value.
    fn before<'a>(&mut self, rest: &'a str) -> &'a str {
        let Place::Before { in_fence } = &mut self.place else {
            return rest;
        };
        if *in_fence {
            let end = memchr::memchr(b'\n', rest.as_bytes());
            *in_fence = end.is_none();
            return end.and_then(|end| rest.get(end..)).unwrap_or_default();
        }
        let next = rest.trim_start_matches(is_blank);
        if next.len() < rest.len() {
            return next;
        }
        if fence::may_open(next.get(..1).unwrap_or_default()) {
            *in_fence = true;
        } else {
            self.place = Place::Json(Box::new(JsonField::new(self.at)));
        }
        next
    }

    /// The value: a tag ends it, except in quotes.
    fn json<'a, V: TokenVisitor>(&mut self, rest: &'a str, pen: &mut Pen<'_, V>) -> &'a str {
        let Place::Json(json) = &mut self.place else {
            return rest;
        };
        let mut end = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        if end == 0 {
            if json.in_quotes() {
                end = 1;
            } else {
                json.stop(pen);
                self.fault = json.fault();
                self.warnings.append(&mut json.warnings());
                self.place = Place::Foreign;
                return rest;
            }
        }
        let (piece, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if json.is_done() {
            json.follow(piece, self.at);
        } else {
            let taken = json.push(piece, pen);
            let rest = piece.get(taken..).unwrap_or_default();
            if json.is_done() {
                json.follow(rest, self.at + taken);
            }
        }
        self.fault = json.fault();
        behind
    }

    pub(super) fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) -> Found {
        let mut grown = std::mem::take(&mut self.grown);
        let mut pen = Pen::new(visitor, &mut grown);
        let mut open = false;
        if self.fault.is_none() && self.start.is_some() {
            match &mut self.place {
                Place::Text { .. } => {
                    open = true;
                    let is_end = self.held.trim_start_matches(is_blank).is_empty()
                        || self.held.trim().ends_with(LAST);
                    if !is_end {
                        pen.string_delta(&self.held);
                    }
                    pen.string_end(CUT);
                }
                Place::Json(json) => {
                    open = true;
                    json.finish(&mut pen);
                    self.warnings.append(&mut json.warnings());
                }
                Place::Before { .. } | Place::Foreign => open = true,
                Place::Outside | Place::Done => {}
            }
            pen.object_end(if open { CUT } else { SEEN });
        } else if let Place::Json(json) = &self.place {
            self.warnings.append(&mut json.warnings());
        }
        pen.flush();
        let ending = match (self.fault, self.start) {
            (Some((offset, fault)), _) => Ending::Silenced { offset, fault },
            (None, None) => Ending::Missing,
            (None, Some(_)) if open => Ending::Open,
            (None, Some(_)) => Ending::Complete { end: self.at },
        };
        Found {
            ending,
            start: self.start.unwrap_or_default(),
            warnings: std::mem::take(&mut self.warnings),
        }
    }
}

/// What held text is to the closing tag of a text.
enum Closing {
    Whole,
    Open,
    No,
}

fn ending(held: &str) -> Closing {
    let tag = held.strip_prefix('\r').unwrap_or(held);
    let tag = tag.strip_prefix('\n').unwrap_or(tag);
    if tag == CLOSER {
        Closing::Whole
    } else if CLOSER.starts_with(tag) || LAST.starts_with(tag) {
        Closing::Open
    } else {
        match tag.strip_prefix(LAST) {
            // It only counts at the very end.
            Some(behind) if behind.len() < SLACK && behind.trim().is_empty() => Closing::Open,
            _ => Closing::No,
        }
    }
}

/// The value of an attribute of a tag.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes.trim_start();
    loop {
        let (key, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, behind) = behind.get(1..)?.split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = behind.trim_start();
    }
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

fn split_char(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    Some((chars.next()?, chars.as_str()))
}
