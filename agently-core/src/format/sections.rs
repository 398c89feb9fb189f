//! Answers in Markdown sections: `hybrid` and `flat_markdown`.

use agently_api::data::Warning;

use super::fence::{self, Fence, LONG};
use super::header::{self, Verdict};
use super::json_field::{JsonField, CUT, SEEN};
use super::layout::{FieldKind, Layout};
use super::pen::Pen;
use super::prose::Prose;
use crate::instant::{Ending, Fault, Found, TokenVisitor};

/// Reads the sections of an answer.
#[derive(Clone, Debug)]
pub(super) struct Sections {
    layout: Layout,
    grown: String,
    /// The line that may still become a header, or a fence that matters.
    held: String,
    /// Whether the text stands at a line of which nothing has been given on.
    at_line: bool,
    section: Section,
    /// The fence around the whole answer.
    outer: Option<Fence>,
    /// A fence inside a text, while there is an outer one.
    inner: Option<Fence>,
    /// A line that closes the outer fence if nothing follows.
    closer: String,
    /// Bytes that have been given on.
    at: usize,
    start: Option<usize>,
    fault: Option<(usize, Fault)>,
    warnings: Vec<Warning>,
}

#[derive(Clone, Debug)]
enum Section {
    /// Before the first header.
    None,
    /// A text; before its first line a comment may stand.
    Text {
        prose: Box<Prose>,
        fresh: bool,
    },
    /// Before a JSON value.
    Before,
    Json(Box<JsonField>),
}

/// What becomes of a line.
enum Line {
    /// It cannot be told yet.
    Open,
    Header(usize, FieldKind),
    /// It is passed over.
    Skip,
    /// It belongs to the section.
    Content,
}

impl Sections {
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            grown: String::new(),
            held: String::new(),
            at_line: true,
            section: Section::None,
            outer: None,
            inner: None,
            closer: String::new(),
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
            rest = self.step(rest, &mut pen);
        }
        pen.flush();
        self.grown = grown;
    }

    fn step<'a, V: TokenVisitor>(&mut self, rest: &'a str, pen: &mut Pen<'_, V>) -> &'a str {
        let end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
        let (line, next) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let in_quotes =
            matches!(&self.section, Section::Json(json) if !json.is_done() && json.in_quotes());
        if !self.at_line || in_quotes {
            self.content(line, pen);
            self.at_line = line.ends_with('\n');
            return next;
        }
        let (line, next) = if matches!(self.section, Section::Before) && self.held.is_empty() {
            // The blanks before a value are no part of it.
            let blanks = line.len() - line.trim_start_matches([' ', '\t', '\r', '\n']).len();
            self.at += blanks;
            let line = line.get(blanks..).unwrap_or_default();
            if line.is_empty() {
                return next;
            }
            (line, next)
        } else {
            (line, next)
        };
        self.held.push_str(line);
        let whole = line.ends_with('\n');
        let held = std::mem::take(&mut self.held);
        match self.judge(held.trim_end_matches(['\n', '\r']), whole) {
            Line::Open if !whole => self.held = held,
            Line::Header(field, kind) => {
                self.closer.clear();
                self.at += held.len();
                self.open(field, kind, held.len(), pen);
            }
            Line::Skip => self.at += held.len(),
            Line::Open | Line::Content => {
                self.release(pen);
                self.at_line = whole;
                self.settle(&held, pen);
            }
        }
        next
    }

    /// A held line is content after all.
    fn settle<V: TokenVisitor>(&mut self, held: &str, pen: &mut Pen<'_, V>) {
        if matches!(self.section, Section::Before) {
            self.section = Section::Json(Box::new(JsonField::new(self.at)));
        }
        self.content(held, pen);
    }

    /// What is held back as the end of the outer fence is content after all.
    fn release<V: TokenVisitor>(&mut self, pen: &mut Pen<'_, V>) {
        if !self.closer.is_empty() {
            let closer = std::mem::take(&mut self.closer);
            self.inner = Fence::open(closer.trim()).map(|(fence, _)| fence);
            if let Section::Text { prose, .. } = &mut self.section {
                prose.push(&closer, pen);
            }
        }
    }

    fn judge(&mut self, line: &str, whole: bool) -> Line {
        match header::judge(line, whole, &self.layout) {
            Verdict::Header { field, kind } => return Line::Header(field, kind),
            Verdict::Open => return Line::Open,
            Verdict::No => {}
        }
        let blank = line.trim().is_empty();
        let short = line.len() < LONG;
        let fence = if whole && short {
            Fence::open(line)
        } else {
            None
        };
        let may_fence = !blank && !whole && short && fence::may_open(line);
        match &mut self.section {
            Section::None => {
                if self
                    .outer
                    .is_some_and(|outer| whole && outer.is_closed_by(line))
                {
                    self.outer = None;
                } else if let Some((fence, _)) = fence {
                    self.outer = Some(fence);
                }
                // Only a fence that is whole is noticed.
                if may_fence {
                    Line::Open
                } else if whole {
                    Line::Skip
                } else {
                    Line::Content
                }
            }
            Section::Text { fresh, .. } => {
                if *fresh {
                    if blank && (whole || short) {
                        return if whole { Line::Content } else { Line::Open };
                    }
                    if is_comment(line) && whole {
                        *fresh = false;
                        return Line::Skip;
                    }
                    if !whole && may_be_comment(line) {
                        return Line::Open;
                    }
                    *fresh = false;
                }
                self.judge_in_fence(line, whole, blank)
            }
            Section::Before => {
                if blank || fence.is_some() || (whole && is_comment(line)) {
                    Line::Skip
                } else if may_fence || (!whole && may_be_comment(line)) {
                    Line::Open
                } else {
                    Line::Content
                }
            }
            Section::Json(_) => Line::Content,
        }
    }

    /// A line of a text, while the answer stands in a fence of its own.
    fn judge_in_fence(&mut self, line: &str, whole: bool, blank: bool) -> Line {
        let Some(outer) = self.outer else {
            return Line::Content;
        };
        if line.len() >= LONG {
            return Line::Content;
        }
        if blank {
            return if whole && !self.closer.is_empty() {
                self.closer.push_str(line);
                self.closer.push('\n');
                Line::Skip
            } else if whole || self.closer.is_empty() {
                Line::Content
            } else {
                Line::Open
            };
        }
        if !whole {
            let may = fence::may_open(line);
            return if may { Line::Open } else { Line::Content };
        }
        match (self.inner, Fence::open(line)) {
            (Some(inner), _) if inner.is_closed_by(line) => self.inner = None,
            (Some(_), _) | (None, None) => {}
            (None, Some(_)) if self.closer.is_empty() && outer.is_closed_by(line) => {
                self.closer = format!("{line}\n");
                return Line::Skip;
            }
            (None, Some((fence, _))) => self.inner = Some(fence),
        }
        Line::Content
    }

    /// Content of the section that is open.
    fn content<V: TokenVisitor>(&mut self, text: &str, pen: &mut Pen<'_, V>) {
        match &mut self.section {
            Section::None | Section::Before => {}
            Section::Text { prose, .. } => prose.push(text, pen),
            Section::Json(json) => {
                let taken = if json.is_done() {
                    0
                } else {
                    json.push(text, pen)
                };
                if json.is_done() {
                    let behind = text.get(taken..).unwrap_or_default();
                    json.follow(behind, self.at + taken);
                }
                self.fault = json.fault();
            }
        }
        self.at += text.len();
    }

    fn open<V: TokenVisitor>(
        &mut self,
        field: usize,
        kind: FieldKind,
        length: usize,
        pen: &mut Pen<'_, V>,
    ) {
        if self.start.is_none() {
            self.start = Some(self.at - length);
            pen.object_start();
        } else {
            self.close(pen);
        }
        if self.fault.is_some() {
            return;
        }
        self.inner = None;
        pen.key(self.layout.name(field));
        self.section = match kind {
            FieldKind::Text => {
                pen.string_start();
                Section::Text {
                    prose: Box::default(),
                    fresh: true,
                }
            }
            FieldKind::Json | FieldKind::Either => Section::Before,
        };
    }

    /// Another header ends the section.
    fn close<V: TokenVisitor>(&mut self, pen: &mut Pen<'_, V>) {
        match std::mem::replace(&mut self.section, Section::None) {
            Section::None | Section::Before => {}
            Section::Text { prose, .. } => prose.finish(SEEN, pen),
            Section::Json(mut json) => {
                json.stop(pen);
                self.fault = json.fault();
                self.warnings.append(&mut json.warnings());
            }
        }
    }

    pub(super) fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) -> Found {
        let mut grown = std::mem::take(&mut self.grown);
        let mut pen = Pen::new(visitor, &mut grown);
        self.finish_line(&mut pen);
        let start = self.start.unwrap_or_default();
        let mut open = false;
        if self.fault.is_none() && self.start.is_some() {
            match std::mem::replace(&mut self.section, Section::None) {
                Section::None | Section::Before => {}
                Section::Text { prose, .. } => prose.finish(CUT, &mut pen),
                Section::Json(mut json) => {
                    open = json.finish(&mut pen);
                    self.warnings.append(&mut json.warnings());
                }
            }
            pen.object_end(CUT);
        } else if let Section::Json(json) = &self.section {
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
            start,
            warnings: std::mem::take(&mut self.warnings),
        }
    }

    /// The last line has no line break.
    fn finish_line<V: TokenVisitor>(&mut self, pen: &mut Pen<'_, V>) {
        if self.held.is_empty() || self.fault.is_some() {
            return;
        }
        let held = std::mem::take(&mut self.held);
        match self.judge(held.trim_end_matches('\r'), true) {
            Line::Header(field, kind) => {
                self.closer.clear();
                self.at += held.len();
                self.open(field, kind, held.len(), pen);
            }
            Line::Skip => self.at += held.len(),
            Line::Open | Line::Content => {
                self.release(pen);
                self.settle(&held, pen);
            }
        }
    }
}

fn is_comment(line: &str) -> bool {
    let text = line.trim();
    line.len() < LONG && text.starts_with("<!--") && text.ends_with("-->")
}

fn may_be_comment(line: &str) -> bool {
    let text = line.trim_start();
    line.len() < LONG && ("<!--".starts_with(text) || text.starts_with("<!--"))
}
