use std::fmt;

use agently_api::data::{Path, Segment};

/// Where in the answer the parser stands: a [`Path`] that is lent and reused.
///
/// The printed form is kept up to date, so that [`as_str`](Self::as_str) costs nothing.
#[derive(Clone, Debug, Default)]
pub struct FieldPath {
    text: String,
    steps: Vec<Step>,
    frames: Vec<Frame>,
}

/// One segment: a range of the printed text, or a number.
#[derive(Clone, Copy, Debug)]
enum Step {
    Key { from: usize, to: usize },
    Index(usize),
}

/// An open container.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// The length of the container's own path.
    base: usize,
    /// The position of the next item; `None` in an object.
    next: Option<usize>,
}

/// One step of a [`FieldPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentRef<'a> {
    /// A key of an object, exactly as the model wrote it.
    Key(&'a str),
    /// A position in a list, from 0.
    Index(usize),
}

impl FieldPath {
    /// The printed form, as in `items[0].name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many segments there are.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.steps.len()
    }

    /// The exact steps from the root.
    #[must_use]
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = SegmentRef<'_>> {
        self.steps.iter().map(|step| match *step {
            Step::Key { from, to } => SegmentRef::Key(self.text.get(from..to).unwrap_or_default()),
            Step::Index(index) => SegmentRef::Index(index),
        })
    }

    /// The last step; `None` at the root.
    #[must_use]
    pub fn last(&self) -> Option<SegmentRef<'_>> {
        self.segments().next_back()
    }

    /// An owned copy.
    #[must_use]
    pub fn to_path(&self) -> Path {
        self.segments().fold(Path::root(), |path, segment| {
            path.child(match segment {
                SegmentRef::Key(key) => Segment::Key(key.into()),
                SegmentRef::Index(index) => Segment::Index(index),
            })
        })
    }

    /// A container opens here.
    pub(super) fn enter(&mut self, list: bool) {
        self.frames.push(Frame {
            base: self.text.len(),
            next: list.then_some(0),
        });
    }

    /// The innermost container ends: the path is its own again. False if it was the outermost.
    pub(super) fn leave(&mut self) -> bool {
        let base = self.frames.pop().map_or(0, |frame| frame.base);
        self.text.truncate(base);
        self.steps.truncate(self.frames.len());
        !self.frames.is_empty()
    }

    /// The value of this key comes next.
    pub(super) fn key(&mut self, key: &str) {
        let base = self.back();
        if base > 0 || !self.steps.is_empty() {
            self.text.push('.');
        }
        let from = self.text.len();
        self.text.push_str(key);
        let to = self.text.len();
        self.steps.push(Step::Key { from, to });
    }

    /// A value begins: in a list this moves on to the next item.
    #[inline]
    pub(super) fn value(&mut self) {
        if let Some(Frame {
            next: Some(next), ..
        }) = self.frames.last_mut()
        {
            let index = *next;
            *next += 1;
            self.item(index);
        }
    }

    fn item(&mut self, index: usize) {
        self.back();
        self.text.push('[');
        decimal(&mut self.text, index);
        self.text.push(']');
        self.steps.push(Step::Index(index));
    }

    /// Goes back to the innermost container's own path; gives the length of it.
    fn back(&mut self) -> usize {
        let base = self.frames.last().map_or(0, |frame| frame.base);
        self.text.truncate(base);
        self.steps.truncate(self.frames.len().saturating_sub(1));
        base
    }
}

/// Writes a number without the machinery of `fmt`.
fn decimal(text: &mut String, number: usize) {
    if number >= 10 {
        decimal(text, number / 10);
    }
    // A digit is below 10.
    let digit = u8::try_from(number % 10).unwrap_or_default();
    text.push(char::from(b'0' + digit));
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl PartialEq<str> for FieldPath {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for FieldPath {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}
