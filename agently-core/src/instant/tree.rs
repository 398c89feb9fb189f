//! The live value: takes tokens, gives owned events and, at the end, the whole.

use std::collections::HashMap;
use std::sync::Arc;

use agently_api::data::{
    CompletionSource, DeltaText, Node, Path, StreamingData, TextView, ValueView,
};
use serde_json::Number;

use super::TokenVisitor;

/// Up to this many fields a plain search finds a repeated key sooner than a map does.
const FEW: usize = 16;

/// The value so far: its open containers and the open string.
#[derive(Debug)]
pub(crate) struct Tree {
    frames: Vec<Frame>,
    string: Option<(Path, TextView)>,
    root: Option<Node>,
    names: Names,
    attempt: u32,
}

/// An open container.
#[derive(Debug)]
struct Frame {
    path: Path,
    content: Content,
}

#[derive(Debug)]
enum Content {
    List(Vec<Node>),
    Object(Fields),
}

/// The fields of an open object.
#[derive(Debug, Default)]
struct Fields {
    list: Vec<(Arc<str>, Node)>,
    /// Where each key stands in `list`, once there are many.
    places: HashMap<Arc<str>, usize>,
    /// The key whose value comes next.
    key: Option<Arc<str>>,
}

/// What is left of a tree at the end.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) root: Option<Node>,
    /// The places, from the root on, of the containers inside it that were never completed.
    pub(crate) open: Vec<usize>,
}

impl Fields {
    /// Sets the value of the current key; gives its place. A repeated key keeps its place.
    fn put(&mut self, value: Node) -> usize {
        let key = self.key.take().unwrap_or_default();
        let place = if self.list.len() <= FEW {
            self.list.iter().position(|(other, _)| *other == key)
        } else {
            if self.places.is_empty() {
                let keys = self.list.iter().enumerate();
                self.places
                    .extend(keys.map(|(place, (key, _))| (Arc::clone(key), place)));
            }
            self.places.get(&key).copied()
        };
        if let Some(place) = place {
            if let Some((_, old)) = self.list.get_mut(place) {
                *old = value;
            }
            return place;
        }
        let place = self.list.len();
        if !self.places.is_empty() {
            self.places.insert(Arc::clone(&key), place);
        }
        self.list.push((key, value));
        place
    }
}

impl Content {
    fn into_node(self) -> Node {
        match self {
            Self::List(items) => Node::Array(Arc::new(items)),
            Self::Object(fields) => Node::Object(Arc::new(fields.list)),
        }
    }
}

impl Tree {
    pub(crate) fn new(attempt: u32) -> Self {
        Self {
            frames: Vec::new(),
            string: None,
            root: None,
            names: Names::default(),
            attempt,
        }
    }

    /// Borrows the tree as a visitor that hands its events to `out`.
    #[inline]
    pub(crate) fn grow<'a, F>(&'a mut self, out: &'a mut F) -> Grow<'a, F> {
        Grow { tree: self, out }
    }

    /// Takes the tree apart. Containers that are still open keep what they have.
    pub(crate) fn into_rest(mut self) -> Rest {
        let mut open = Vec::new();
        while let Some(frame) = self.frames.pop() {
            open.extend(self.attach(frame.content.into_node()));
        }
        open.reverse();
        Rest {
            root: self.root,
            open,
        }
    }

    /// The path of the value that begins now.
    fn next_path(&self) -> Path {
        match self.frames.last() {
            None => Path::root(),
            Some(Frame { path, content }) => match content {
                Content::List(items) => path.index(items.len()),
                Content::Object(fields) => path.key(fields.key.clone().unwrap_or_default()),
            },
        }
    }

    /// Puts a value into the innermost container; gives its place there.
    fn attach(&mut self, node: Node) -> Option<usize> {
        match self.frames.last_mut() {
            None => {
                self.root = Some(node);
                None
            }
            Some(frame) => Some(match &mut frame.content {
                Content::List(items) => {
                    items.push(node);
                    items.len() - 1
                }
                Content::Object(fields) => fields.put(node),
            }),
        }
    }
}

/// A [`Tree`] that grows.
pub(crate) struct Grow<'a, F> {
    tree: &'a mut Tree,
    out: &'a mut F,
}

impl<F: FnMut(StreamingData)> Grow<'_, F> {
    fn start(&mut self, content: Content) {
        let path = self.tree.next_path();
        self.tree.frames.push(Frame { path, content });
    }

    fn end(&mut self, source: CompletionSource) {
        let Some(frame) = self.tree.frames.pop() else {
            return;
        };
        let node = frame.content.into_node();
        if self.tree.frames.is_empty() {
            self.tree.root = Some(node);
        } else {
            self.complete(frame.path, node, source);
        }
    }

    fn complete(&mut self, path: Path, node: Node, source: CompletionSource) {
        self.tree.attach(node.clone());
        let value = ValueView::new(node);
        let attempt = self.tree.attempt;
        (self.out)(StreamingData::completion(path, value, source, attempt));
    }

    /// A number or boolean: one delta with all its text, and its completion.
    fn scalar(&mut self, text: &str, node: Node, source: CompletionSource) {
        let path = self.tree.next_path();
        let value = ValueView::new(node.clone());
        (self.out)(StreamingData::delta(
            path.clone(),
            DeltaText::from(text),
            value,
            self.tree.attempt,
        ));
        self.complete(path, node, source);
    }
}

impl<F: FnMut(StreamingData)> TokenVisitor for Grow<'_, F> {
    fn object_start(&mut self) {
        self.start(Content::Object(Fields::default()));
    }

    fn object_end(&mut self, source: CompletionSource) {
        self.end(source);
    }

    fn list_start(&mut self) {
        self.start(Content::List(Vec::new()));
    }

    fn list_end(&mut self, source: CompletionSource) {
        self.end(source);
    }

    fn key(&mut self, key: &str) {
        let key = self.tree.names.get(key);
        if let Some(Frame {
            content: Content::Object(fields),
            ..
        }) = self.tree.frames.last_mut()
        {
            fields.key = Some(key);
        }
    }

    fn string_start(&mut self) {
        self.tree.string = Some((self.tree.next_path(), TextView::new()));
    }

    #[inline]
    fn string_delta(&mut self, piece: &str) {
        let Some((path, text)) = &mut self.tree.string else {
            return;
        };
        text.append(piece);
        (self.out)(StreamingData::delta(
            path.clone(),
            DeltaText::from(piece),
            ValueView::new(Node::String(text.clone())),
            self.tree.attempt,
        ));
    }

    fn string_end(&mut self, source: CompletionSource) {
        if let Some((path, text)) = self.tree.string.take() {
            self.complete(path, Node::String(text), source);
        }
    }

    fn number(&mut self, text: &str, value: &Number, source: CompletionSource) {
        self.scalar(text, Node::Number(value.clone()), source);
    }

    fn boolean(&mut self, value: bool) {
        let text = if value { "true" } else { "false" };
        self.scalar(text, Node::Bool(value), CompletionSource::ObservedBoundary);
    }

    fn null(&mut self, source: CompletionSource) {
        let path = self.tree.next_path();
        self.complete(path, Node::Null, source);
    }
}

/// Keys that were met lately, so that the objects of a list share theirs.
#[derive(Debug, Default)]
struct Names(Vec<Option<Arc<str>>>);

impl Names {
    const SLOTS: usize = 64;

    fn get(&mut self, name: &str) -> Arc<str> {
        if self.0.is_empty() {
            self.0.resize(Self::SLOTS, None);
        }
        let slot = name.bytes().take(16).fold(name.len(), |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(usize::from(byte))
        }) % Self::SLOTS;
        let Some(slot) = self.0.get_mut(slot) else {
            return name.into();
        };
        match slot {
            Some(known) if **known == *name => Arc::clone(known),
            _ => Arc::clone(slot.insert(name.into())),
        }
    }
}
