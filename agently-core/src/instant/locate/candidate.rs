//! A bracket in the text that may be the start of the document.

use std::sync::Arc;

use crate::instant::escape::Escape;
use crate::instant::gap::{Gap, GapStep};
use crate::instant::tokenizer::is_bare_char;
use crate::instant::word::{Literal, Word, WordStep};
use crate::instant::ItemShape;

/// A bracket and what it still needs to be the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) start: usize,
    pub(super) seek: Seek,
}

/// What is being read after a bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seek {
    /// It is the document.
    Taken,
    /// The model wrapped its answer in a list: `{` or `[` must follow.
    Wrapped,
    /// The first key of an object.
    Key {
        gap: Gap,
        prefix: Prefix,
    },
    Quoted {
        quote: u8,
        escape: Escape,
        prefix: Prefix,
    },
    Bare(Prefix),
    /// The colon after the key.
    Colon(Gap),
    /// The first item of a list, or its end.
    Item {
        gap: Gap,
        item: ItemShape,
    },
    /// A sign or dot before a number, which may not be wanted, or before a word.
    Sign {
        number: bool,
    },
    /// A number.
    Digits,
    Word {
        word: Word,
        boolean: bool,
    },
}

/// The keys that begin with what has been read: a range of the sorted keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Any key will do.
    Any,
    Of {
        from: usize,
        to: usize,
        length: usize,
    },
}

/// What a character did to a [`Seek`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Open,
    Taken,
    Rejected,
}

impl Prefix {
    /// Narrows the range to the keys that go on with this character; false if there are none.
    fn push(&mut self, next: char, keys: &[Arc<str>]) -> bool {
        let Self::Of { from, to, length } = self else {
            return true;
        };
        let mut bytes = [0; 4];
        for byte in next.encode_utf8(&mut bytes).bytes() {
            let range = keys.get(*from..*to).unwrap_or_default();
            let at = |key: &Arc<str>| key.as_bytes().get(*length).copied();
            // A key that ends here sorts first: `None` is below every byte.
            let low = range.partition_point(|key| at(key) < Some(byte));
            let high = range.partition_point(|key| at(key) <= Some(byte));
            *to = *from + high;
            *from += low;
            *length += 1;
            if from == to {
                return false;
            }
        }
        true
    }

    /// Whether what has been read is a whole key.
    fn is_key(self, keys: &[Arc<str>]) -> bool {
        match self {
            Self::Any => true,
            Self::Of { from, to, length } => {
                from < to && keys.get(from).is_some_and(|key| key.len() == length)
            }
        }
    }
}

impl Seek {
    pub(super) fn wrapped() -> Self {
        Self::Wrapped
    }

    pub(super) fn key(keys: usize) -> Self {
        Self::Key {
            gap: Gap::Open,
            prefix: Prefix::Of {
                from: 0,
                to: keys,
                length: 0,
            },
        }
    }

    pub(super) fn any_key() -> Self {
        Self::Key {
            gap: Gap::Open,
            prefix: Prefix::Any,
        }
    }

    pub(super) fn item(item: ItemShape) -> Self {
        Self::Item {
            gap: Gap::Open,
            item,
        }
    }

    /// Whether this is the document if the text ends here.
    pub(super) fn stands_at_end(self) -> bool {
        matches!(self, Self::Taken | Self::Digits)
    }

    /// Takes the next character.
    pub(super) fn step(&mut self, next: char, keys: &[Arc<str>]) -> Verdict {
        match self {
            Self::Taken => Verdict::Taken,
            Self::Wrapped => match next {
                ' ' | '\t' | '\n' | '\r' => Verdict::Open,
                '{' | '[' => Verdict::Taken,
                _ => Verdict::Rejected,
            },
            Self::Key { gap, prefix } => match gap.step(ascii(next)) {
                GapStep::Taken => Verdict::Open,
                GapStep::Broken => Verdict::Rejected,
                GapStep::Token => {
                    let prefix = *prefix;
                    self.first_of_key(next, prefix, keys)
                }
            },
            Self::Quoted {
                quote,
                escape,
                prefix,
            } => {
                let (quote, mut fits) = (*quote, true);
                let mut out = |decoded| fits &= prefix.push(decoded, keys);
                if escape.is_open() && escape.byte(ascii(next), quote, &mut out) {
                    return Verdict::of(fits);
                }
                if next == '\\' {
                    escape.open();
                    return Verdict::of(fits);
                }
                escape.settle(&mut out);
                if next == char::from(quote) {
                    let whole = fits && prefix.is_key(keys);
                    *self = Self::Colon(Gap::Open);
                    return Verdict::of(whole);
                }
                out(next);
                Verdict::of(fits)
            }
            Self::Bare(prefix) => {
                if is_bare_char(next) {
                    return Verdict::of(prefix.push(next, keys));
                }
                if !prefix.is_key(keys) {
                    return Verdict::Rejected;
                }
                *self = Self::Colon(Gap::Open);
                self.step(next, keys)
            }
            Self::Colon(gap) => match gap.step(ascii(next)) {
                GapStep::Taken => Verdict::Open,
                GapStep::Token if next == ':' => Verdict::Taken,
                GapStep::Token | GapStep::Broken => Verdict::Rejected,
            },
            Self::Item { gap, item } => match gap.step(ascii(next)) {
                GapStep::Taken => Verdict::Open,
                GapStep::Broken => Verdict::Rejected,
                GapStep::Token => {
                    let item = *item;
                    self.first_of_item(next, item)
                }
            },
            Self::Sign { number } => match next {
                '0'..='9' => {
                    let number = *number;
                    *self = Self::Digits;
                    Verdict::of(number)
                }
                '.' => Verdict::Open,
                _ => match Word::begin_signed(ascii(next)) {
                    Some(word) => {
                        *self = Self::Word {
                            word,
                            boolean: false,
                        };
                        Verdict::Open
                    }
                    None => Verdict::Rejected,
                },
            },
            Self::Digits => match next {
                '0'..='9' | '.' | 'e' | 'E' | '+' | '-' => Verdict::Open,
                ' ' | '\t' | '\n' | '\r' | ',' | ']' | '}' | '/' | '#' => Verdict::Taken,
                _ => Verdict::Rejected,
            },
            Self::Word { word, boolean } => match word.step(ascii(next)) {
                WordStep::More => Verdict::Open,
                WordStep::Done(Literal::Bool(_)) if !*boolean => Verdict::Rejected,
                WordStep::Done(_) => Verdict::Taken,
                WordStep::Broken => Verdict::Rejected,
            },
        }
    }

    fn first_of_key(&mut self, next: char, prefix: Prefix, keys: &[Arc<str>]) -> Verdict {
        match next {
            '"' | '\'' => {
                *self = Self::Quoted {
                    quote: ascii(next),
                    escape: Escape::default(),
                    prefix,
                };
                Verdict::Open
            }
            // An empty object says nothing of its keys, which is right where none are known.
            '}' => {
                if prefix == Prefix::Any {
                    Verdict::Taken
                } else {
                    Verdict::Rejected
                }
            }
            _ if is_bare_char(next) => {
                *self = Self::Bare(prefix);
                self.step(next, keys)
            }
            _ => Verdict::Rejected,
        }
    }

    fn first_of_item(&mut self, next: char, item: ItemShape) -> Verdict {
        let allowed = match next {
            ']' => return Verdict::Taken,
            '{' => ItemShape::OBJECT,
            '[' => ItemShape::LIST,
            '"' | '\'' => ItemShape::STRING,
            '+' | '-' | '.' => {
                let number = item.allows(ItemShape::NUMBER);
                *self = Self::Sign { number };
                return Verdict::Open;
            }
            '0'..='9' => {
                *self = Self::Digits;
                return Verdict::of(item.allows(ItemShape::NUMBER));
            }
            _ => {
                let Some(word) = Word::begin(ascii(next)) else {
                    return Verdict::Rejected;
                };
                let boolean = item.allows(ItemShape::BOOLEAN);
                *self = Self::Word { word, boolean };
                return Verdict::Open;
            }
        };
        if item.allows(allowed) {
            Verdict::Taken
        } else {
            Verdict::Rejected
        }
    }
}

impl Verdict {
    fn of(open: bool) -> Self {
        if open {
            Self::Open
        } else {
            Self::Rejected
        }
    }
}

/// The character as a byte; what is no ASCII means nothing to blanks, escapes and words.
fn ascii(next: char) -> u8 {
    u8::try_from(next).ok().filter(u8::is_ascii).unwrap_or(0x7F)
}
