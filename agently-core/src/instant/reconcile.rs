//! From what was sent to what is accepted.

use std::collections::HashMap;
use std::sync::Arc;

use agently_api::data::{CompletionSource, Node, Path, StreamingData, TextView, ValueView};

/// Up to this many fields a plain search finds a key sooner than a map does.
const FEW: usize = 16;

type Field = (Arc<str>, Node);

/// Gives a [`CompletionSource::FinalReconciliation`] completion for every value of `accepted` that
/// `sent` lacks or has otherwise: the whole value, children before their container, in document
/// order. The outermost value has none, as always.
///
/// ```
/// use agently_api::data::Node;
/// use agently_core::instant::reconcile;
/// use serde_json::json;
///
/// let sent = Node::from(&json!({"title": "Half a", "tags": ["small"]}));
/// let accepted = Node::from(&json!({"title": "Half a loaf", "tags": ["small"]}));
/// let mut paths = Vec::new();
/// reconcile(Some(&sent), &accepted, 1, &mut |item| paths.push(item.path.to_string()));
/// assert_eq!(paths, ["title"]);
/// ```
pub fn reconcile(
    sent: Option<&Node>,
    accepted: &Node,
    attempt: u32,
    out: &mut impl FnMut(StreamingData),
) {
    run(sent, None, accepted, attempt, out);
}

/// As [`reconcile`], and the containers at these places of `sent` count as not sent.
pub(crate) fn run(
    sent: Option<&Node>,
    open: Option<&[usize]>,
    accepted: &Node,
    attempt: u32,
    out: &mut impl FnMut(StreamingData),
) {
    let mut step = Step { attempt, out };
    step.children(sent, open, accepted, &Path::root());
}

struct Step<'a, F> {
    attempt: u32,
    out: &'a mut F,
}

impl<F: FnMut(StreamingData)> Step<'_, F> {
    /// Completes what differs; true if anything did.
    fn node(
        &mut self,
        sent: Option<&Node>,
        open: Option<&[usize]>,
        accepted: &Node,
        path: &Path,
    ) -> bool {
        let changed = self.children(sent, open, accepted, path);
        if changed || open.is_some() {
            (self.out)(StreamingData::completion(
                path.clone(),
                ValueView::new(accepted.clone()),
                CompletionSource::FinalReconciliation,
                self.attempt,
            ));
        }
        changed
    }

    /// Completes what differs below; true if the value differs itself.
    fn children(
        &mut self,
        sent: Option<&Node>,
        open: Option<&[usize]>,
        accepted: &Node,
        path: &Path,
    ) -> bool {
        // A container is shared only when nothing in it is open.
        match (sent, accepted) {
            (Some(Node::Array(old)), Node::Array(new)) if Arc::ptr_eq(old, new) => return false,
            (Some(Node::Object(old)), Node::Object(new)) if Arc::ptr_eq(old, new) => return false,
            _ => {}
        }
        match accepted {
            Node::Array(items) => {
                let old: Option<&[Node]> = match sent {
                    Some(Node::Array(old)) => Some(old),
                    _ => None,
                };
                let mut changed = old.is_none_or(|old| old.len() != items.len());
                for (index, item) in items.iter().enumerate() {
                    let sent = old.and_then(|old| old.get(index));
                    let open = inside(open, sent.is_some().then_some(index));
                    changed |= self.node(sent, open, item, &path.index(index));
                }
                changed
            }
            Node::Object(fields) => {
                let old: Option<&[Field]> = match sent {
                    Some(Node::Object(old)) => Some(old),
                    _ => None,
                };
                let mut changed = old.is_none_or(|old| old.len() != fields.len());
                let places = Places::of(old.unwrap_or_default());
                for (index, (key, value)) in fields.iter().enumerate() {
                    let place = places.find(key, index);
                    let sent = place
                        .and_then(|place| old?.get(place))
                        .map(|(_, value)| value);
                    let open = inside(open, place);
                    changed |= self.node(sent, open, value, &path.key(Arc::clone(key)));
                }
                changed
            }
            scalar => !sent.is_some_and(|sent| same(sent, scalar)),
        }
    }
}

/// The open places inside the child at `place`, if that child is open.
fn inside(open: Option<&[usize]>, place: Option<usize>) -> Option<&[usize]> {
    let (first, rest) = open?.split_first()?;
    (Some(*first) == place).then_some(rest)
}

/// Where the keys of an object are.
struct Places<'a> {
    fields: &'a [Field],
    map: HashMap<&'a str, usize>,
}

impl<'a> Places<'a> {
    fn of(fields: &'a [Field]) -> Self {
        let map = if fields.len() > FEW {
            let keys = fields.iter().enumerate();
            keys.map(|(place, (key, _))| (&**key, place)).collect()
        } else {
            HashMap::new()
        };
        Self { fields, map }
    }

    /// The place of a key, most likely `hint`.
    fn find(&self, key: &str, hint: usize) -> Option<usize> {
        if self.fields.get(hint).is_some_and(|(at, _)| **at == *key) {
            return Some(hint);
        }
        if self.map.is_empty() {
            return self.fields.iter().position(|(at, _)| **at == *key);
        }
        self.map.get(key).copied()
    }
}

/// Whether two values that are no containers are the same.
fn same(sent: &Node, accepted: &Node) -> bool {
    match (sent, accepted) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(old), Node::Bool(new)) => old == new,
        (Node::Number(old), Node::Number(new)) => old == new,
        (Node::String(old), Node::String(new)) => same_text(old, new),
        _ => false,
    }
}

fn same_text(old: &TextView, new: &TextView) -> bool {
    // One at a time: both may be views of one buffer.
    old.len() == new.len() && {
        let old = old.with_str(str::to_owned);
        new.with_str(|new| old == new)
    }
}
