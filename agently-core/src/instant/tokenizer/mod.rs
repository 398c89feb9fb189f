//! A push tokenizer for JSON as models write it.

mod fault;
mod read;

use agently_api::data::{CompletionSource, Warning, WarningKind};
use serde_json::Number;

pub use fault::{Ending, Fault};
pub(super) use read::is_bare_char;

use super::escape::Escape;
use super::gap::Gap;
use super::number;
use super::word::Word;

/// The deepest nesting that is read, counting the outermost value.
const DEPTH: u8 = 128;

/// Takes the tokens of a document as they come.
///
/// Every method has an empty default. `source` says how the end of a value was found.
pub trait TokenVisitor {
    /// A `{`.
    fn object_start(&mut self) {}
    /// The end of an object.
    fn object_end(&mut self, source: CompletionSource) {
        let _ = source;
    }
    /// A `[`.
    fn list_start(&mut self) {}
    /// The end of a list.
    fn list_end(&mut self, source: CompletionSource) {
        let _ = source;
    }
    /// A whole key, decoded.
    fn key(&mut self, key: &str) {
        let _ = key;
    }
    /// The opening quote of a string value.
    fn string_start(&mut self) {}
    /// Decoded text of the string: at most one piece a push, never empty.
    fn string_delta(&mut self, piece: &str) {
        let _ = piece;
    }
    /// The end of a string.
    fn string_end(&mut self, source: CompletionSource) {
        let _ = source;
    }
    /// A whole number and the text it was written as.
    fn number(&mut self, text: &str, value: &Number, source: CompletionSource) {
        let _ = (text, value, source);
    }
    /// A whole `true` or `false`.
    fn boolean(&mut self, value: bool) {
        let _ = value;
    }
    /// A whole `null`, or what is read as one.
    fn null(&mut self, source: CompletionSource) {
        let _ = source;
    }
}

/// Reads one document, pushed in pieces of any size, and hands its tokens to a [`TokenVisitor`].
///
/// The text must begin at the document, with `{` or `[`; what follows the document is ignored.
/// Besides JSON it reads what models write instead: comments, trailing commas, single quotes, bare
/// keys, `True` and `None`, raw control characters in strings, lenient numbers. What cannot be read
/// with certainty [silences](Ending::Silenced) it: no token follows.
///
/// ```
/// use agently_core::instant::{Ending, TokenVisitor, Tokenizer};
///
/// #[derive(Default)]
/// struct Texts(Vec<String>);
///
/// impl TokenVisitor for Texts {
///     fn string_delta(&mut self, piece: &str) {
///         self.0.push(piece.to_owned());
///     }
/// }
///
/// let mut tokenizer = Tokenizer::new();
/// let mut texts = Texts::default();
/// tokenizer.push(r#"{"title": "Asy"#, &mut texts);
/// tokenizer.push(r#"nc\u0021"}"#, &mut texts);
/// assert_eq!(texts.0, ["Asy", "nc!"]);
/// assert_eq!(tokenizer.finish(&mut texts), Ending::Complete { end: 24 });
/// ```
#[derive(Clone, Debug)]
pub struct Tokenizer {
    state: State,
    gap: Gap,
    /// One bit an open container, the innermost lowest: 1 for an object.
    kinds: u128,
    depth: u8,
    /// The deepest that `depth` may become.
    limit: u8,
    quote: u8,
    escape: Escape,
    word: Option<Word>,
    /// Decoded text of an open string, key or number that is no plain slice of the current piece.
    scratch: String,
    /// Bytes before the current piece.
    offset: usize,
    /// The byte after the last bracket.
    end: usize,
    fault: Option<(usize, Fault)>,
    lost: Tally,
    lone: Tally,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the outermost value.
    Root,
    /// A value must follow.
    Value,
    /// A value or the end of the list.
    Item,
    /// A key or the end of the object.
    Key,
    Colon,
    /// A comma or the end of the container.
    After,
    Text,
    KeyText,
    BareKey,
    Number,
    Word,
    Done,
    Silent,
}

/// How often something happened, and where first.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: usize,
    first: usize,
}

impl Tally {
    fn add(&mut self, offset: usize) {
        if self.count == 0 {
            self.first = offset;
        }
        self.count += 1;
    }

    fn warning(self, kind: WarningKind, what: &str) -> Option<Warning> {
        let Self { count, first } = self;
        (count > 0).then(|| {
            Warning::new(
                kind,
                format!("{what} ({count} in all, the first at byte {first} of the document)"),
            )
        })
    }
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Tokenizer {
    /// A tokenizer for one document.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Root,
            gap: Gap::Open,
            kinds: 0,
            depth: 0,
            limit: DEPTH,
            quote: b'"',
            escape: Escape::default(),
            word: None,
            scratch: String::new(),
            offset: 0,
            end: 0,
            fault: None,
            lost: Tally::default(),
            lone: Tally::default(),
        }
    }

    /// A tokenizer for one value of any kind, which stands one level deep in something else.
    pub(crate) fn nested() -> Self {
        Self {
            state: State::Value,
            limit: DEPTH - 1,
            ..Self::new()
        }
    }

    /// How many bytes the value took, once its end was read.
    pub(crate) fn end(&self) -> Option<usize> {
        (self.state == State::Done).then_some(self.end)
    }

    /// Where and why it was silenced.
    pub(crate) fn fault(&self) -> Option<(usize, Fault)> {
        self.fault
    }

    /// Whether the text stands inside quotes, where no mark of another format counts.
    pub(crate) fn in_quotes(&self) -> bool {
        matches!(self.state, State::Text | State::KeyText)
    }

    /// Something that is no JSON follows: a number is whole. Any other open value is a fault.
    pub(crate) fn stop<V: TokenVisitor>(&mut self, visitor: &mut V) {
        if self.depth == 0 && self.state == State::Number {
            self.push("\n", visitor);
        }
        if !matches!(self.state, State::Done | State::Silent) && !self.is_unstarted() {
            self.silence(self.offset, Fault::Unfinished);
        }
    }

    /// Whether no value has begun.
    pub(crate) fn is_unstarted(&self) -> bool {
        matches!(self.state, State::Root) || (self.depth == 0 && self.state == State::Value)
    }

    /// Takes the next piece of the text.
    #[inline]
    pub fn push<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) {
        self.read(text, visitor);
        self.offset += text.len();
    }

    /// The text has ended: ends the open values, innermost first, with
    /// [`CompletionSource::SyntheticRepair`].
    ///
    /// A second call, and any later text, does nothing.
    pub fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) -> Ending {
        let source = CompletionSource::SyntheticRepair;
        if let Some((offset, fault)) = self.fault {
            return Ending::Silenced { offset, fault };
        }
        match self.state {
            State::Done => return Ending::Complete { end: self.end },
            State::Root => return Ending::Missing,
            State::Value if self.depth == 0 => return Ending::Missing,
            State::Text => {
                let scratch = &mut self.scratch;
                self.escape.finish(&mut |decoded| scratch.push(decoded));
                self.note_lone(self.offset);
                if !self.scratch.is_empty() {
                    visitor.string_delta(&self.scratch);
                }
                visitor.string_end(source);
            }
            State::Number if number::is_json(&self.scratch) => {
                let text = std::mem::take(&mut self.scratch);
                self.number(&text, self.offset, source, visitor);
            }
            _ => {}
        }
        while self.depth > 0 {
            if self.leave() {
                visitor.object_end(source);
            } else {
                visitor.list_end(source);
            }
        }
        self.state = State::Silent;
        Ending::Open
    }

    /// What was not kept as it was written, so far.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let lost = self.lost.warning(
            WarningKind::Value,
            "a number or literal without a JSON value became null",
        );
        let lone = self.lone.warning(
            WarningKind::InvalidText,
            "an unpaired surrogate in a string became U+FFFD",
        );
        lost.into_iter().chain(lone).collect()
    }

    fn note_lone(&mut self, offset: usize) {
        if self.escape.take_lone() {
            self.lone.add(offset);
        }
    }

    fn silence(&mut self, offset: usize, fault: Fault) {
        self.state = State::Silent;
        self.fault = Some((offset, fault));
    }

    /// Whether the innermost open container is an object.
    fn in_object(&self) -> bool {
        self.kinds & 1 == 1
    }

    /// A value that is no container has ended before the byte at `end`.
    fn ended(&mut self, end: usize) {
        self.state = if self.depth == 0 {
            self.end = end;
            State::Done
        } else {
            State::After
        };
    }

    fn enter(&mut self, object: bool) -> bool {
        if self.depth == self.limit {
            return false;
        }
        self.depth += 1;
        self.kinds = (self.kinds << 1) | u128::from(object);
        self.state = if object { State::Key } else { State::Item };
        true
    }

    /// Leaves the innermost container; true if it was an object.
    fn leave(&mut self) -> bool {
        let object = self.in_object();
        self.kinds >>= 1;
        self.depth -= 1;
        self.state = if self.depth == 0 {
            State::Done
        } else {
            State::After
        };
        object
    }
}
