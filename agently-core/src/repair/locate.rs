//! Where a document starts that the stream parser could not find, because its first bracket or key
//! is in curly or full-width marks.

use super::document::decode;
use super::glyph::{after_blanks, is_bare, run, Glyph};
use super::plan::Plan;

/// The longest first key that is looked at where keys are not declared, in bytes.
const KEY: usize = 256;

/// The start of the document: the first bracket whose first key is one of the schema's, or, if the
/// schema's outermost value is a list, which an item or the end of the list follows. An object with
/// another first key ends the search, because what is inside it is not the document.
pub(super) fn locate(text: &str, from: usize, plan: &Plan) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.char_indices()
        .map(|(index, _)| from + index)
        .find_map(|at| match start(text, at, plan) {
            Start::Here => Some(Some(at)),
            Start::Foreign => Some(None),
            Start::No => None,
        })
        .flatten()
}

/// Whether a document begins before `end` that only its curly or full-width marks have hidden.
pub(super) fn hidden_before(text: &str, end: usize, plan: &Plan) -> Option<usize> {
    let at = locate(text, 0, plan).filter(|&at| at < end)?;
    let next = text.get(at..)?.chars().next()?;
    let first = after_blanks(text, at + next.len_utf8());
    let plain = next.is_ascii() && first.is_none_or(|(_, first)| first.is_ascii());
    (!plain).then_some(at)
}

/// Whether a document may begin at this byte.
pub(super) fn begins(text: &str, at: usize, plan: &Plan) -> bool {
    start(text, at, plan) == Start::Here
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    No,
    Here,
    /// An object that is not the document.
    Foreign,
}

fn start(text: &str, at: usize, plan: &Plan) -> Start {
    let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) else {
        return Start::No;
    };
    let inside = at + next.len_utf8();
    match Glyph::of(next) {
        Glyph::Open { object: true } if !plan.is_list() => first_key(text, inside, plan),
        Glyph::Open { object: false } if plan.is_list() && has_item(text, inside) => Start::Here,
        _ => Start::No,
    }
}

/// The end of a heading that was echoed before a list, as in `[OUTPUT]:`, if one stands at `start`.
pub(super) fn after_heading(text: &str, start: usize) -> Option<usize> {
    let line = text.get(start..)?.lines().next()?;
    let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
    let is_name = name.starts_with(|next: char| next.is_ascii_uppercase())
        && name
            .chars()
            .all(|next| next.is_ascii_uppercase() || matches!(next, ' ' | '_'));
    let alone = matches!(rest.trim(), "" | ":" | "：");
    (is_name && alone).then_some(start + line.len())
}

fn first_key(text: &str, from: usize, plan: &Plan) -> Start {
    // Comments may hold brackets themselves; only blanks keep this linear.
    let Some((at, next)) = after_blanks(text, from) else {
        return Start::No;
    };
    let (key, after, quoted) = match Glyph::of(next) {
        Glyph::Quote(quote) => {
            let from = at + next.len_utf8();
            let limit = (from..=text.len().min(from + KEY))
                .rev()
                .find(|&limit| text.is_char_boundary(limit));
            let near = text.get(..limit.unwrap_or(from)).unwrap_or_default();
            let Some(end) = quote.find(near, from).filter(|end| end.own) else {
                return Start::Foreign;
            };
            let raw = text.get(from..end.at).unwrap_or_default();
            (decode(raw, quote), end.end, true)
        }
        _ => {
            let end = run(text, at, is_bare);
            let key = text.get(at..end).unwrap_or_default();
            if key.is_empty() {
                return Start::No;
            }
            (key.to_owned(), end, false)
        }
    };
    let colon = after_blanks(text, after).map(|(_, next)| Glyph::of(next));
    match colon == Some(Glyph::Colon) && plan.starts_with(&key) {
        true => Start::Here,
        false if quoted => Start::Foreign,
        false => Start::No,
    }
}

fn has_item(text: &str, from: usize) -> bool {
    match after_blanks(text, from) {
        Some((_, next)) => matches!(
            Glyph::of(next),
            Glyph::Open { .. } | Glyph::Close { object: false } | Glyph::Quote(_)
        ),
        None => false,
    }
}
