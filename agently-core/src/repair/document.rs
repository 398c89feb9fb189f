//! From the steps of a reading to its value: they are written out anew, in the stream parser's
//! dialect, and read by it.

use std::collections::HashSet;

use agently_api::data::{Node, Warning};

use super::error::{RepairError, RepairReason};
use super::glyph::Quote;
use super::trail::Step;
use crate::instant::{DocumentState, FieldParser, ItemShape, RootShape, TokenVisitor, Tokenizer};

/// The value of a reading, and what was not kept as it was written.
pub(super) fn build(
    text: &str,
    steps: &[&Step],
    start: usize,
) -> Result<(Node, Vec<Warning>), RepairError> {
    let written = write(text, steps)?;
    let shape = match steps.first() {
        Some(Step::List) => RootShape::list(ItemShape::ANY),
        _ => RootShape::Open,
    };
    let mut parser = FieldParser::new(&shape, 1);
    parser.push(&written, &mut |_| {});
    let document = parser.finish(&mut |_| {});
    match (document.state, document.value) {
        (DocumentState::Complete, Some(value)) => Ok((value, document.warnings)),
        _ => Err(RepairError::new(start, RepairReason::Unreadable)),
    }
}

/// An open container that is being written.
struct Open {
    object: bool,
    empty: bool,
    keys: HashSet<String>,
}

fn write(text: &str, steps: &[&Step]) -> Result<String, RepairError> {
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<Open> = Vec::new();
    let mut after_key = false;
    for step in steps {
        if !matches!(step, Step::End) {
            if let Some(container) = open.last_mut().filter(|_| !after_key) {
                if !std::mem::replace(&mut container.empty, false) {
                    out.push(',');
                }
            }
        }
        after_key = false;
        match step {
            Step::Object | Step::List => {
                let object = matches!(step, Step::Object);
                out.push(if object { '{' } else { '[' });
                open.push(Open {
                    object,
                    empty: true,
                    keys: HashSet::new(),
                });
            }
            Step::End => {
                if let Some(container) = open.pop() {
                    out.push(if container.object { '}' } else { ']' });
                }
            }
            Step::Key(range, quote) => {
                let raw = text.get(range.clone()).unwrap_or_default();
                let key = match quote {
                    Some(quote) => decode(raw, *quote),
                    None => raw.to_owned(),
                };
                quoted(&mut out, raw, quote.unwrap_or(Quote::Double));
                out.push(':');
                after_key = true;
                let fresh = open.last_mut().is_none_or(|open| open.keys.insert(key));
                if !fresh {
                    return Err(RepairError::new(range.start, RepairReason::RepeatedKey));
                }
            }
            Step::Text(range, quote) => {
                quoted(
                    &mut out,
                    text.get(range.clone()).unwrap_or_default(),
                    *quote,
                );
            }
            Step::CutText(start, quote) => {
                let raw = text.get(*start..).unwrap_or_default();
                quoted(&mut out, without_broken_escape(raw), *quote);
            }
            Step::Plain(range) => out.push_str(text.get(range.clone()).unwrap_or_default()),
        }
    }
    Ok(out)
}

/// Writes the raw text of a string so that it ends where it did.
fn quoted(out: &mut String, raw: &str, quote: Quote) {
    let mark = match quote {
        Quote::Single | Quote::TripleSingle => '\'',
        _ => '"',
    };
    out.push(mark);
    let mut escaped = false;
    for next in raw.chars() {
        if escaped {
            // Before a curly quote, the backslash was there to keep the quote in the text.
            let own = next != mark && quote.is_closed_by(next);
            if own {
                out.pop();
            }
        } else if next == mark {
            out.push('\\');
        }
        escaped = next == '\\' && !escaped;
        out.push(next);
    }
    out.push(mark);
}

/// The text of a string without an escape that its end cut off.
fn without_broken_escape(raw: &str) -> &str {
    let digits = raw.trim_end_matches(|next: char| next.is_ascii_hexdigit());
    let candidates = [
        Some(raw),
        digits
            .strip_suffix('u')
            .filter(|_| raw.len() - digits.len() < 4),
    ];
    for start in candidates.into_iter().flatten() {
        let slashes = start.len() - start.trim_end_matches('\\').len();
        if slashes % 2 == 1 {
            return start.get(..start.len() - 1).unwrap_or_default();
        }
    }
    raw
}

/// The text that a string stands for.
pub(super) fn decode(raw: &str, quote: Quote) -> String {
    #[derive(Default)]
    struct Seen(String);
    impl TokenVisitor for Seen {
        fn string_delta(&mut self, piece: &str) {
            self.0.push_str(piece);
        }
    }
    let mut written = String::with_capacity(raw.len() + 4);
    written.push('[');
    quoted(&mut written, raw, quote);
    written.push(']');
    let mut seen = Seen::default();
    Tokenizer::new().push(&written, &mut seen);
    seen.0
}
