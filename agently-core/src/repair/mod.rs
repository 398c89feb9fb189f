//! The final parse: reads an answer as it was meant where the stream parser could not go on.
//!
//! # What is certain
//!
//! A broken document has many readings: a quote may end a string or be part of it, a bracket may be
//! missing here or there. [`repair`] follows all of them side by side. Each has a weight: the
//! faults that the text must have for it, and its departures from the schema (unknown, missing and
//! repeated keys, values of other types). A reading is accepted if it weighs less than every other
//! one; if it takes more quotes for text at which a string could have ended, so much less that it
//! makes up for them. Otherwise the answer is refused, because a wrong object is worse than another
//! attempt.
//!
//! Three things are taken at their word. Triple quotes with a word between them are triple quotes.
//! Curly and full-width marks in the place of syntax are syntax. And text does not hold, with no
//! quotation open, what stands between two strings of a list, with a word on either side
//! (`one", "two`), nor a declared key with its colon: quotes in running text come in pairs.
//!
//! So a document with one fault that fits its schema is, as a rule, either read as it was or
//! refused: its right reading is one of those that are followed, and none that is whole weighs
//! less. Tests over random faults hold that up; it is not proven. Known exceptions beside the three
//! things above: a fault that leaves valid JSON (`[1,2]` become `[12]`) is not seen, and a text that
//! really holds `one" "two` without escapes is read as two strings where two can stand. A reading
//! is refused, too, if its text holds what looks like a key of the document, or if a quote that
//! closes nothing stands where a string could have ended.
//!
//! # What is repaired
//!
//! Unescaped quotes in strings and keys; missing commas; brackets missing, needless or of the wrong
//! kind inside the document; triple-quoted strings; curly and full-width marks as syntax, also
//! where the document starts with them; unlike quotes around one string; needless commas in
//! objects; a word directly after a value, if it is a declared key. After
//! [`FinishReason::Stop`] brackets and a quote missing at the end, after anything else never. All
//! that the stream parser reads as meant is read in the same way.

mod cost;
mod document;
mod error;
mod fix;
mod frames;
mod glyph;
mod locate;
mod plain;
mod plan;
mod prose;
mod reader;
mod reading;
mod string;
mod structure;
mod trail;

use std::ops::Range;

use agently_api::data::{Node, Warning};
use agently_api::model::FinishReason;

pub use error::{RepairError, RepairReason};
pub use fix::{Fix, FixKind};

use crate::schema::Schema;
use plan::Plan;
use reader::Reader;

/// An answer as it was meant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Repaired {
    /// The document.
    pub value: Node,
    /// What was departed from the text in, in its order. Empty if nothing was broken.
    pub fixes: Vec<Fix>,
    /// The fixes, in words, and what of the document was not kept as it was written.
    pub warnings: Vec<Warning>,
}

/// Reads the document in an answer's text, repairing what is broken in it if that can be done with
/// certainty.
///
/// `document` is where the stream parser found it, as
/// [`Document::range`](crate::instant::Document::range) says; if it found none, one in curly or
/// full-width marks is looked for. `finish` is why the model stopped: what is missing at the end is
/// put there only after [`FinishReason::Stop`]. The time is linear in the text.
///
/// ```
/// use agently_api::model::FinishReason;
/// use agently_core::{output, repair::repair};
/// use serde_json::json;
///
/// let schema = output!({ "title": str, "tags": [str] });
/// let text = r#"{"title": "The "good" bread", "tags": ["food" "home"}"#;
/// let repaired = repair(text, Some(0..text.len()), &schema, Some(&FinishReason::Stop))?;
/// assert_eq!(
///     repaired.value.to_value(),
///     json!({"title": "The \"good\" bread", "tags": ["food", "home"]}),
/// );
/// # Ok::<(), agently_core::repair::RepairError>(())
/// ```
///
/// # Errors
///
/// [`RepairError`] if there is no document, no reading of it, or no certain one.
pub fn repair(
    text: &str,
    document: Option<Range<usize>>,
    schema: &Schema,
    finish: Option<&FinishReason>,
) -> Result<Repaired, RepairError> {
    let plan = Plan::new(schema);
    let start = match document {
        // The stream parser takes an echoed heading for a list, but it can hold nothing.
        Some(range) => match locate::after_heading(text, range.start) {
            Some(end) if plan.is_list() => locate::locate(text, end, &plan),
            _ => match locate::hidden_before(text, range.start, &plan) {
                Some(at) => return Err(RepairError::new(at, RepairReason::Ambiguous)),
                None => Some(range.start),
            },
        },
        None => locate::locate(text, 0, &plan),
    };
    let Some(start) = start else {
        return Err(RepairError::new(0, RepairReason::Missing));
    };
    let mut reader = Reader::new(text, &plan, finish == Some(&FinishReason::Stop));
    let mark = reader.read(start)?;
    let (steps, fixes) = reader.trail.walk(mark);
    let (value, mut rest) = document::build(text, &steps, start)?;
    let mut warnings = fix::warnings(&fixes);
    warnings.append(&mut rest);
    Ok(Repaired {
        value,
        fixes,
        warnings,
    })
}
