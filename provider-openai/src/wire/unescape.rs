//! Text with the escapes of JSON read, however often it was escaped.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// The characters of a text with the escapes of JSON read, however often they were escaped, each
/// with its place.
///
/// Read like this, a prompt and an escaped copy of it are the same.
pub(super) struct Unescaped<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl<'a> Unescaped<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            text,
            rest: text.char_indices().peekable(),
        }
    }

    fn at(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.rest.next();
        }
    }

    /// The code of `uXXXX` at this place.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..)?.strip_prefix('u')?.get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u16::from_str_radix(digits, 16).ok()
    }

    /// Reads what stands behind backslashes; `None` if they escape nothing.
    fn escape(&mut self) -> Option<char> {
        let at = self.at();
        if let Some(unit) = self.unit(at) {
            self.skip(5);
            return Some(self.character(unit));
        }
        let character = match self.rest.peek()?.1 {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            quoted @ ('"' | '\'' | '/') => quoted,
            _ => return None,
        };
        self.skip(1);
        Some(character)
    }

    /// The character of this unit, and of a second one behind it if there must be one.
    fn character(&mut self, unit: u16) -> char {
        if let Some(Ok(character)) = char::decode_utf16([unit]).next() {
            return character;
        }
        let at = self.at();
        let after = self.text.get(at..).unwrap_or_default();
        let slashes = after.len() - after.trim_start_matches('\\').len();
        let low = match slashes {
            0 => None,
            _ => self.unit(at + slashes),
        };
        let pair = low.and_then(|low| char::decode_utf16([unit, low]).next()?.ok());
        if pair.is_some() {
            self.skip(slashes + 5);
        }
        pair.unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

impl Iterator for Unescaped<'_> {
    type Item = (char, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let (start, mut character) = self.rest.next()?;
        if character == '\\' {
            while self.rest.next_if(|(_, next)| *next == '\\').is_some() {}
            character = self.escape().unwrap_or('\\');
        }
        Some((character, start..self.at()))
    }
}

/// The text that [`Unescaped`] gives, made for long ones.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        plain.push_str(before);
        rest = "";
        if let Some((character, place)) = Unescaped::of(tail).next() {
            plain.push(character);
            rest = tail.get(place.end..).unwrap_or_default();
        }
    }
    plain.push_str(rest);
    plain
}
