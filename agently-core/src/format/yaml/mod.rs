//! Answers in YAML: `yaml_literal`.
//!
//! This is the part of YAML 1.2 that answers are written in: lists and objects by indentation or in
//! brackets, plain and quoted scalars, `|` and `>` blocks with their chomping, comments, the values
//! of the core schema. Anchors, aliases, tags, complex keys and tabs as indentation are faults, as
//! is whatever else is not certain.

mod block;
mod body;
mod flow;
mod frames;
mod plain;
mod quoted;
mod value;

use agently_api::data::{Warning, WarningKind};

use self::body::Body;
use super::fence::Fence;
use super::layout::Layout;
use super::pen::Pen;
use super::Format;
use crate::instant::{Ending, Fault, Found, TokenVisitor};

/// The line before the document.
pub(super) const BEGIN: &str = "<<<BEGIN AGENTLY_YAML>>>";
/// The line behind it.
pub(super) const END: &str = "<<<END AGENTLY_YAML>>>";

/// What a character was to a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// A part of it.
    Taken,
    /// Its last character.
    Done,
    /// The scalar ended before it.
    Again,
    Broken,
}

/// Reads the document of an answer.
#[derive(Clone, Debug)]
pub(super) struct Yaml {
    layout: Layout,
    grown: String,
    /// The line before the document that has begun.
    line: String,
    /// A fence has been opened that may hold the document.
    in_fence: bool,
    /// Between marks, where the answer is not whole without the second one.
    marked: bool,
    body: Option<Box<Body>>,
    /// A carriage return, which may belong to a line break.
    held_return: bool,
    at: usize,
    start: Option<usize>,
    fault: Option<(usize, Fault)>,
}

impl Yaml {
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            grown: String::new(),
            line: String::new(),
            in_fence: false,
            marked: false,
            body: None,
            held_return: false,
            at: 0,
            start: None,
            fault: None,
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
            rest = if self.body.is_some() {
                self.read(rest, &mut pen)
            } else {
                self.seek(rest, &mut pen)
            };
        }
        pen.flush();
        self.grown = grown;
    }

    /// Looks for the document line by line.
    fn seek<'a, V: TokenVisitor>(&mut self, rest: &'a str, pen: &mut Pen<'_, V>) -> &'a str {
        let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
        let (piece, next) = rest.split_at_checked(end).unwrap_or((rest, ""));
        // A bare document can only show while the line is short.
        let short = self.line.len() <= self.layout.longest_name() + BEGIN.len();
        self.line.push_str(piece);
        let whole = piece.ends_with('\n');
        let line = self.line.trim_end_matches(['\n', '\r']);
        let bare = self.layout.format() == Format::YamlLiteral || self.in_fence;
        if bare && (whole || short) && begins(line, whole, &self.layout) {
            let line = std::mem::take(&mut self.line);
            self.begin();
            let mut rest = line.as_str();
            while !rest.is_empty() && self.fault.is_none() {
                rest = self.read(rest, pen);
            }
            return next;
        }
        if !whole {
            return next;
        }
        let is_begin = line.trim() == BEGIN;
        let fence = Fence::open(line).map(|(_, label)| {
            ["yaml", "yml"]
                .iter()
                .any(|name| label.eq_ignore_ascii_case(name))
        });
        self.at += self.line.len();
        if is_begin {
            self.marked = true;
            self.begin();
        } else if fence == Some(true) {
            if self.layout.format() == Format::YamlLiteral || self.layout.fields().is_empty() {
                self.marked = true;
                self.begin();
            } else {
                self.in_fence = true;
            }
        } else if !self.line.trim().is_empty() {
            self.in_fence = false;
        }
        self.line.clear();
        next
    }

    fn begin(&mut self) {
        self.marked |= self.in_fence;
        self.start = Some(self.at);
        self.body = Some(Box::default());
    }

    fn read<'a, V: TokenVisitor>(&mut self, rest: &'a str, pen: &mut Pen<'_, V>) -> &'a str {
        let Some(body) = &mut self.body else {
            return rest;
        };
        if body.is_at_end() {
            return "";
        }
        if body.in_text() && !self.held_return {
            let run = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
            if run > 0 {
                let (run, next) = rest.split_at_checked(run).unwrap_or((rest, ""));
                body.text(run, pen);
                self.at += run.len();
                return next;
            }
        }
        let mut letters = rest.chars();
        let Some(next) = letters.next() else {
            return "";
        };
        let held = std::mem::replace(&mut self.held_return, next == '\r');
        let mut step = Ok(());
        if held && next != '\n' {
            step = body.push('\r', pen);
        }
        if next != '\r' && step.is_ok() {
            step = body.push(next, pen);
        }
        if let Err(fault) = step {
            self.fault = Some((self.at, fault));
        }
        self.at += next.len_utf8();
        if body.is_at_end() {
            body.leave_all(pen);
        }
        letters.as_str()
    }

    pub(super) fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) -> Found {
        let mut grown = std::mem::take(&mut self.grown);
        let mut pen = Pen::new(visitor, &mut grown);
        if self.body.is_none() && !self.line.is_empty() {
            // The last line may be all of it.
            self.line.push('\n');
            let line = std::mem::take(&mut self.line);
            self.seek(&line, &mut pen);
        }
        let mut open = false;
        let mut warnings = Vec::new();
        if let Some(body) = &mut self.body {
            if self.fault.is_none() {
                let cut = body.finish(&mut pen);
                open = cut || (self.marked && !body.is_at_end());
            }
            if body.lost > 0 {
                warnings.push(Warning::new(
                    WarningKind::Value,
                    format!("{} numbers have no JSON value and became null", body.lost),
                ));
            }
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
            warnings,
        }
    }
}

/// Whether a line, as far as it has come, begins with a field of the schema.
pub(super) fn begins(line: &str, whole: bool, layout: &Layout) -> bool {
    layout.fields().iter().any(|field| {
        let behind = ["", "\"", "'"].iter().find_map(|quote| {
            let line = line.strip_prefix(quote)?.strip_prefix(&*field.name)?;
            line.strip_prefix(quote)?.strip_prefix(':')
        });
        behind.is_some_and(|behind| behind.starts_with([' ', '\t']) || (whole && behind.is_empty()))
    })
}
