//! UTF-16 halves in JSON strings.
//!
//! JSON can write half of a surrogate pair (`"\ud83d"`); a Rust string cannot hold it. Some servers
//! cut a pair between two deltas. The usual payload has no such thing and never comes here: only
//! after a payload was refused is it [marked](mark), which turns every unpaired half into text that
//! can be told apart, and a [`Joiner`] puts the halves together again.

use std::borrow::Cow;

/// Stands before four hexadecimal digits in marked text. A real one is marked as `ffff`.
const MARK: char = '\u{FFFF}';

/// Rewrites unpaired `\uD8xx` escapes of a JSON text; `None` if it has none.
pub(crate) fn mark(json: &str) -> Option<String> {
    let mut marked = String::with_capacity(json.len() + 16);
    let mut rest = json;
    let mut found = false;
    while let Some(at) = rest.find(['\\', MARK]) {
        let (before, tail) = rest.split_at(at);
        marked.push_str(before);
        if let Some(after) = tail.strip_prefix(MARK) {
            marked.push(MARK);
            marked.push_str("ffff");
            rest = after;
            continue;
        }
        let (escape, after, mark) = one_escape(tail);
        match mark {
            Some(code) => {
                found |= code != 0xFFFF;
                marked.push(MARK);
                marked.push_str(&format!("{code:04x}"));
            }
            None => marked.push_str(escape),
        }
        rest = after;
    }
    marked.push_str(rest);
    found.then_some(marked)
}

/// Splits off the escape at the start: its text, what follows it, and its code if it is to be
/// marked.
fn one_escape(text: &str) -> (&str, &str, Option<u16>) {
    let split = |at: usize| text.split_at_checked(at).unwrap_or((text, ""));
    match unit(text) {
        Some(high @ 0xD800..=0xDBFF) => {
            let (one, after) = split(6);
            match unit(after) {
                Some(0xDC00..=0xDFFF) => {
                    let (pair, after) = split(12);
                    (pair, after, None)
                }
                _ => (one, after, Some(high)),
            }
        }
        Some(code @ (0xDC00..=0xDFFF | 0xFFFF)) => {
            let (one, after) = split(6);
            (one, after, Some(code))
        }
        Some(_) => {
            let (one, after) = split(6);
            (one, after, None)
        }
        None => {
            // Not `\uXXXX`: the backslash and the character it escapes, whichever that is.
            let len = 1 + text.chars().nth(1).map_or(0, char::len_utf8);
            let (one, after) = split(len);
            (one, after, None)
        }
    }
}

/// Text in its marked form, whichever form it has.
pub(crate) fn marked(text: Cow<'_, str>, marked: bool) -> Cow<'_, str> {
    if marked || !text.contains(MARK) {
        return text;
    }
    Cow::Owned(text.replace(MARK, "\u{FFFF}ffff"))
}

/// The code of a `\uXXXX` escape at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

/// Puts halves together that come one after the other in one channel of an answer.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    high: Option<u16>,
}

impl Joiner {
    /// The next piece of the channel; `replaced` is set when a half had no partner.
    pub(crate) fn join(&mut self, text: Cow<'_, str>, marked: bool, replaced: &mut bool) -> String {
        if text.is_empty() || (self.high.is_none() && !(marked && text.contains(MARK))) {
            return text.into_owned();
        }
        let mut joined = String::with_capacity(text.len() + 4);
        let mut pieces = text.split(MARK);
        self.push_text(pieces.next().unwrap_or_default(), &mut joined, replaced);
        for piece in pieces {
            if !marked {
                self.push_text("\u{FFFF}", &mut joined, replaced);
                self.push_text(piece, &mut joined, replaced);
                continue;
            }
            let (code, rest) = piece.split_at_checked(4).unwrap_or((piece, ""));
            match u16::from_str_radix(code, 16) {
                Ok(0xFFFF) => self.push_text("\u{FFFF}", &mut joined, replaced),
                Ok(code) => self.push_half(code, &mut joined, replaced),
                Err(_) => self.push_text("\u{FFFD}", &mut joined, replaced),
            }
            self.push_text(rest, &mut joined, replaced);
        }
        joined
    }

    fn push_text(&mut self, text: &str, joined: &mut String, replaced: &mut bool) {
        if text.is_empty() {
            return;
        }
        self.flush_into(joined, replaced);
        joined.push_str(text);
    }

    fn push_half(&mut self, code: u16, joined: &mut String, replaced: &mut bool) {
        if (0xD800..=0xDBFF).contains(&code) {
            self.flush_into(joined, replaced);
            self.high = Some(code);
            return;
        }
        let pair = self
            .high
            .take()
            .and_then(|high| char::decode_utf16([high, code]).next()?.ok());
        joined.push(pair.unwrap_or_else(|| {
            *replaced = true;
            char::REPLACEMENT_CHARACTER
        }));
    }

    fn flush_into(&mut self, joined: &mut String, replaced: &mut bool) {
        if self.high.take().is_some() {
            *replaced = true;
            joined.push(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Ends the channel: whether a half was still waiting, which stands for one U+FFFD.
    pub(crate) fn finish(&mut self) -> bool {
        self.high.take().is_some()
    }
}

/// Text outside the channels (ids, names): every half becomes U+FFFD.
pub(crate) fn plain(text: Cow<'_, str>, marked: bool) -> String {
    if !marked {
        return text.into_owned();
    }
    let mut joiner = Joiner::default();
    let mut replaced = false;
    let mut whole = joiner.join(text, true, &mut replaced);
    if joiner.finish() {
        whole.push(char::REPLACEMENT_CHARACTER);
    }
    whole
}

/// [`plain`] for every string of a value.
pub(crate) fn plain_value(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => *text = plain(Cow::Owned(std::mem::take(text)), true),
        Value::Array(items) => items.iter_mut().for_each(plain_value),
        Value::Object(fields) => fields.values_mut().for_each(plain_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
