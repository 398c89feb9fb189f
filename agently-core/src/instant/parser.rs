use agently_api::data::StreamingData;

use super::locate::Search;
use super::tree::Tree;
use crate::format::Format;

use super::{Document, DocumentState, Ending, RootShape};

/// Reads the fields of one answer: text goes in, [`StreamingData`] comes out at once.
///
/// The text is that of one attempt, without reasoning (see [`ThinkSplitter`](super::ThinkSplitter)),
/// in pieces of any size. It is not kept: where the document lies in it, [`Document::range`] says.
///
/// ```
/// use agently_core::instant::{DocumentState, FieldParser, RootShape};
/// use serde_json::json;
///
/// let mut parser = FieldParser::new(&RootShape::object(["title"]), 1);
/// let mut seen = Vec::new();
/// for delta in ["Sure:\n{\"title\": \"Asy", "nc\"}"] {
///     parser.push(delta, &mut |item| {
///         seen.push((item.path.to_string(), item.delta.map(|delta| delta.to_string())));
///     });
/// }
/// let document = parser.finish(&mut |_| {});
/// assert_eq!(seen, [
///     ("title".to_owned(), Some("Asy".to_owned())),
///     ("title".to_owned(), Some("nc".to_owned())),
///     ("title".to_owned(), None),
/// ]);
/// assert_eq!(document.state, DocumentState::Complete);
/// assert_eq!(document.range, Some(6..24));
/// assert_eq!(document.value.map(|node| node.to_value()), Some(json!({"title": "Async"})));
/// ```
#[derive(Debug)]
pub struct FieldParser {
    search: Search,
    tree: Tree,
    length: usize,
}

impl FieldParser {
    /// A parser for one answer to a schema of this shape; `attempt`, from 1, goes into every item.
    #[must_use]
    pub fn new(shape: &RootShape, attempt: u32) -> Self {
        Self {
            search: Search::new(shape),
            tree: Tree::new(attempt),
            length: 0,
        }
    }

    /// Takes the next delta of the answer's text.
    #[inline]
    pub fn push(&mut self, text: &str, out: &mut impl FnMut(StreamingData)) {
        self.length += text.len();
        self.search.push(text, &mut self.tree.grow(out));
    }

    /// The answer has ended: completes the open fields, innermost first.
    pub fn finish(mut self, out: &mut impl FnMut(StreamingData)) -> Document {
        let found = self.search.finish(&mut self.tree.grow(out));
        let rest = self.tree.into_rest();
        let (state, end) = match found.ending {
            Ending::Missing => (DocumentState::Missing, None),
            Ending::Complete { end } => (DocumentState::Complete, Some(end)),
            Ending::Open => (DocumentState::Open, Some(self.length)),
            Ending::Silenced { offset, fault } => {
                (DocumentState::Silenced { offset, fault }, Some(self.length))
            }
        };
        Document {
            state,
            value: rest.root,
            warnings: found.warnings,
            range: end.map(|end| found.start..end),
            format: Format::Json,
            open: rest.open,
        }
    }
}
