use agently_api::data::{StreamingData, Warning, WarningKind};

use super::sections::Sections;
use super::sniff::{Scent, Sniffer};
use super::tagged::Tagged;
use super::yaml::Yaml;
use super::{Format, Layout};
use crate::instant::tree::{Rest, Tree};
use crate::instant::{Document, DocumentState, Ending, Found, Search, TokenVisitor};

/// Reads the fields of one answer in whatever format it is written.
///
/// It is what [`FieldParser`](crate::instant::FieldParser) is for JSON alone: the text of one
/// attempt goes in, without reasoning, in pieces of any size, and the same events come out. An
/// answer that begins in another format than the one asked for is read in that one; one in which the
/// format asked for is never found is tried in the others when it ends, and then its fields come as
/// completions alone. Both add a warning.
///
/// ```
/// use agently_core::format::{AnswerParser, Format, Layout};
/// use agently_core::output;
/// use serde_json::json;
///
/// let schema = output!({ "story": str, "tags": [str] });
/// let layout = Layout::new(Format::Hybrid, &schema)?;
/// let mut parser = AnswerParser::new(&layout, 1);
/// let mut seen = Vec::new();
/// for delta in ["### story\nOnce up", "on a time.\n\n### tags\n```json\n[\"old\"]\n```"] {
///     parser.push(delta, &mut |item| {
///         seen.push((item.path.to_string(), item.delta.map(|delta| delta.to_string())));
///     });
/// }
/// let document = parser.finish(&mut |_| {});
/// assert_eq!(seen[0], ("story".to_owned(), Some("Once up".to_owned())));
/// assert_eq!(seen[1], ("story".to_owned(), Some("on a time.".to_owned())));
/// assert_eq!(seen[2], ("story".to_owned(), None));
/// assert_eq!(
///     document.value.map(|node| node.to_value()),
///     Some(json!({ "story": "Once upon a time.", "tags": ["old"] })),
/// );
/// # Ok::<(), agently_core::format::FormatError>(())
/// ```
#[derive(Debug)]
pub struct AnswerParser {
    layout: Layout,
    stage: Stage,
    tree: Tree,
    attempt: u32,
    length: usize,
    /// The text, until the document is found: it may be needed for another format.
    kept: Option<String>,
}

#[derive(Debug)]
enum Stage {
    /// The format is not known yet.
    Sniffing(Sniffer),
    Reading(Format, Reader),
}

#[derive(Debug)]
enum Reader {
    Json(Search),
    Sections(Box<Sections>),
    Tagged(Box<Tagged>),
    Yaml(Box<Yaml>),
}

impl Reader {
    fn new(format: Format, layout: &Layout) -> Self {
        match format {
            Format::Json | Format::Auto => Self::Json(Search::new(layout.shape())),
            Format::Hybrid | Format::FlatMarkdown => {
                Self::Sections(Box::new(Sections::new(layout)))
            }
            Format::XmlField => Self::Tagged(Box::new(Tagged::new(layout))),
            Format::YamlLiteral => Self::Yaml(Box::new(Yaml::new(layout))),
        }
    }

    fn push<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) {
        match self {
            Self::Json(search) => search.push(text, visitor),
            Self::Sections(sections) => sections.push(text, visitor),
            Self::Tagged(tagged) => tagged.push(text, visitor),
            Self::Yaml(yaml) => yaml.push(text, visitor),
        }
    }

    fn is_found(&self) -> bool {
        match self {
            Self::Json(search) => search.is_found(),
            Self::Sections(sections) => sections.is_found(),
            Self::Tagged(tagged) => tagged.is_found(),
            Self::Yaml(yaml) => yaml.is_found(),
        }
    }

    fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) -> Found {
        match self {
            Self::Json(search) => search.finish(visitor),
            Self::Sections(sections) => sections.finish(visitor),
            Self::Tagged(tagged) => tagged.finish(visitor),
            Self::Yaml(yaml) => yaml.finish(visitor),
        }
    }
}

impl AnswerParser {
    /// A parser for one answer; `attempt`, from 1, goes into every item.
    #[must_use]
    pub fn new(layout: &Layout, attempt: u32) -> Self {
        let is_plain = layout.fields().is_empty() && layout.format() == Format::Json;
        let stage = if is_plain {
            let format = layout.format();
            Stage::Reading(format, Reader::new(format, layout))
        } else {
            Stage::Sniffing(Sniffer::default())
        };
        Self {
            layout: layout.clone(),
            stage,
            tree: Tree::new(attempt),
            attempt,
            length: 0,
            kept: (!is_plain).then(String::new),
        }
    }

    /// Takes the next delta of the answer's text.
    #[inline]
    pub fn push(&mut self, text: &str, out: &mut impl FnMut(StreamingData)) {
        self.length += text.len();
        let Some(kept) = &mut self.kept else {
            if let Stage::Reading(_, reader) = &mut self.stage {
                reader.push(text, &mut self.tree.grow(out));
            }
            return;
        };
        kept.push_str(text);
        match &mut self.stage {
            Stage::Sniffing(sniffer) => {
                let format = match sniffer.look(kept, &self.layout) {
                    Scent::Open => return,
                    Scent::Found(format) => format,
                    Scent::Nothing => self.layout.format(),
                };
                self.begin(format, out);
            }
            Stage::Reading(_, reader) => {
                reader.push(text, &mut self.tree.grow(out));
                if reader.is_found() {
                    self.kept = None;
                }
            }
        }
    }

    /// The format is known: reads what has come.
    fn begin(&mut self, format: Format, out: &mut impl FnMut(StreamingData)) {
        let mut reader = Reader::new(format, &self.layout);
        if let Some(kept) = &self.kept {
            reader.push(kept, &mut self.tree.grow(out));
        }
        if reader.is_found() {
            self.kept = None;
        }
        self.stage = Stage::Reading(format, reader);
    }

    /// The answer has ended: completes the open fields, innermost first.
    pub fn finish(mut self, out: &mut impl FnMut(StreamingData)) -> Document {
        if let Stage::Sniffing(_) = self.stage {
            self.begin(self.layout.format(), out);
        }
        let asked = self.layout.format();
        let (format, found) = match &mut self.stage {
            Stage::Reading(format, reader) => (*format, reader.finish(&mut self.tree.grow(out))),
            Stage::Sniffing(_) => return missing(asked),
        };
        if found.ending == Ending::Missing {
            if let Some(document) = self.other(format, out) {
                return document;
            }
        }
        let rest = self.tree.into_rest();
        document(&self.layout, format, found, rest, self.length)
    }

    /// The document in any other format than the one that was tried.
    fn other(&self, tried: Format, out: &mut impl FnMut(StreamingData)) -> Option<Document> {
        let text = self.kept.as_deref()?;
        let formats = [
            Format::Json,
            Format::Hybrid,
            Format::XmlField,
            Format::YamlLiteral,
        ];
        let others = formats.into_iter().filter(|format| {
            *format != tried
                && (*format == Format::Json || !self.layout.fields().is_empty())
                && !(*format == Format::Hybrid && tried == Format::FlatMarkdown)
        });
        // The one that begins first holds the others.
        let first = others
            .filter_map(|format| {
                let mut reader = Reader::new(format, &self.layout);
                let mut tree = Tree::new(self.attempt);
                let mut nobody = |_| {};
                let mut grow = tree.grow(&mut nobody);
                reader.push(text, &mut grow);
                let found = reader.finish(&mut grow);
                matches!(found.ending, Ending::Complete { .. } | Ending::Open)
                    .then(|| (format, found, tree.into_rest()))
            })
            .min_by_key(|(_, found, _)| found.start);
        let (format, found, rest) = first?;
        let document = document(&self.layout, format, found, rest, self.length);
        let value = document.value.as_ref()?;
        crate::instant::reconcile(None, value, self.attempt, out);
        Some(document)
    }
}

fn missing(format: Format) -> Document {
    Document {
        state: DocumentState::Missing,
        value: None,
        warnings: Vec::new(),
        range: None,
        format,
        open: Vec::new(),
    }
}

fn document(layout: &Layout, format: Format, found: Found, rest: Rest, length: usize) -> Document {
    let (state, end) = match found.ending {
        Ending::Missing => return missing(layout.format()),
        Ending::Complete { end } => (DocumentState::Complete, end),
        Ending::Open => (DocumentState::Open, length),
        Ending::Silenced { offset, fault } => (DocumentState::Silenced { offset, fault }, length),
    };
    let asked = layout.format();
    let mut warnings = found.warnings;
    // Both are sections.
    let same = format == asked || (format == Format::Hybrid && asked == Format::FlatMarkdown);
    if !same {
        warnings.push(Warning::new(
            WarningKind::Format,
            format!("the answer is written as `{format}` though `{asked}` was asked for; it was read so"),
        ));
    }
    Document {
        state,
        value: rest.root,
        warnings,
        range: Some(found.start..end),
        format: if same { asked } else { format },
        open: rest.open,
    }
}
