use std::fmt::{self, Write as _};
use std::sync::{Arc, OnceLock};

/// Where a field is in the answer: `title`, `items[0]`, `sections[2].body`, `[0].name`.
///
/// The printed form is for people and may be ambiguous (a key may contain a dot);
/// [`segments`](Self::segments) is exact. A path is a cheap clone and formats itself once.
///
/// ```
/// use agently_api::data::{Path, Segment};
///
/// let path = Path::root().key("items").index(0).key("name");
/// assert_eq!(path, "items[0].name");
/// assert_eq!(path.wildcard(), "items[*].name");
/// assert_eq!(path.indexes(), [0]);
/// assert_eq!(path.last(), Some(&Segment::Key("name".into())));
/// ```
#[derive(Clone, Default)]
pub struct Path(Option<Arc<PathNode>>);

struct PathNode {
    parent: Path,
    segment: Segment,
    depth: usize,
    text: OnceLock<Box<str>>,
    wildcard: OnceLock<Box<str>>,
}

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A key of an object, exactly as the model wrote it.
    Key(Arc<str>),
    /// A position in a list, from 0.
    Index(usize),
}

impl Path {
    /// The path of the whole answer: no segments, printed as nothing.
    #[must_use]
    pub fn root() -> Self {
        Self(None)
    }

    /// This path and one more segment.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Self {
        Self(Some(Arc::new(PathNode {
            parent: self.clone(),
            depth: self.depth() + 1,
            segment,
            text: OnceLock::new(),
            wildcard: OnceLock::new(),
        })))
    }

    /// The path of the value under `key`.
    #[must_use]
    pub fn key(&self, key: impl Into<Arc<str>>) -> Self {
        self.child(Segment::Key(key.into()))
    }

    /// The path of the list item at `index`.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.child(Segment::Index(index))
    }

    /// Whether this is the path of the whole answer.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// How many segments there are.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.depth)
    }

    /// The path without its last segment; `None` at the root.
    #[must_use]
    pub fn parent(&self) -> Option<&Self> {
        self.0.as_ref().map(|node| &node.parent)
    }

    /// The last segment; `None` at the root.
    #[must_use]
    pub fn last(&self) -> Option<&Segment> {
        self.0.as_ref().map(|node| &node.segment)
    }

    /// The exact steps from the root.
    #[must_use]
    pub fn segments(&self) -> Vec<&Segment> {
        let mut segments = Vec::with_capacity(self.depth());
        let mut next = self.0.as_ref();
        while let Some(node) = next {
            segments.push(&node.segment);
            next = node.parent.0.as_ref();
        }
        segments.reverse();
        segments
    }

    /// The list positions in the path, outermost first.
    #[must_use]
    pub fn indexes(&self) -> Vec<usize> {
        self.segments()
            .into_iter()
            .filter_map(|segment| match segment {
                Segment::Index(index) => Some(*index),
                Segment::Key(_) => None,
            })
            .collect()
    }

    /// The printed form, as in `items[0].name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            None => "",
            Some(node) => node.text.get_or_init(|| self.format(false)),
        }
    }

    /// The printed form with every position as `[*]`, as in `items[*].name`.
    #[must_use]
    pub fn wildcard(&self) -> &str {
        match &self.0 {
            None => "",
            Some(node) => node.wildcard.get_or_init(|| self.format(true)),
        }
    }

    fn format(&self, wildcard: bool) -> Box<str> {
        let mut text = String::new();
        for (position, segment) in self.segments().into_iter().enumerate() {
            match segment {
                Segment::Index(_) if wildcard => text.push_str("[*]"),
                Segment::Index(index) => {
                    // Writing to a `String` cannot fail.
                    let _ = write!(text, "[{index}]");
                }
                Segment::Key(key) => {
                    if position > 0 {
                        text.push('.');
                    }
                    text.push_str(key);
                }
            }
        }
        text.into()
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        let (mut left, mut right) = (self, other);
        loop {
            match (&left.0, &right.0) {
                (None, None) => return true,
                (Some(a), Some(b)) => {
                    if Arc::ptr_eq(a, b) {
                        return true;
                    }
                    if a.depth != b.depth || a.segment != b.segment {
                        return false;
                    }
                    (left, right) = (&a.parent, &b.parent);
                }
                _ => return false,
            }
        }
    }
}

impl Eq for Path {}

impl std::hash::Hash for Path {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.segments().hash(state);
    }
}

impl PartialEq<str> for Path {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Path {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({:?})", self.as_str())
    }
}
