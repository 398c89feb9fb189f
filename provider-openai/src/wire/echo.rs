//! Finds a request's own words in what the server says.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde_json::Value;

use super::unescape::{unescaped, Unescaped};

/// So many bytes in common with the prompt are taken as an echo of it.
const ECHO: usize = 16;

/// Shorter texts, in bytes, are not taken for the prompt even if all of one is there.
const SHORTEST: usize = 8;

/// As many bits as the index of a window has.
const INDEX_BITS: u32 = 18;

/// Everything in a request that its author wrote, with its escapes read.
#[derive(Debug, Default)]
pub(super) struct Prompt(Vec<String>);

impl Prompt {
    /// The prompt in a request body; empty if that is no JSON.
    pub(super) fn of_body(body: &[u8]) -> Self {
        let mut said = Vec::new();
        if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
            for (name, field) in fields {
                match name.as_str() {
                    "messages" | "prediction" => messages(field, &mut said),
                    "tools" | "functions" | "response_format" => contracts(field, &mut said),
                    _ => {}
                }
            }
        }
        Self(said)
    }
}

fn push(text: String, said: &mut Vec<String>) {
    let text = match text.contains('\\') {
        true => unescaped(&text),
        false => text,
    };
    if text.len() >= SHORTEST {
        said.push(text);
    }
}

/// Every text that was said; images are left out.
fn messages(value: Value, said: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.starts_with("data:") => push(text, said),
        Value::Array(items) => items.into_iter().for_each(|item| messages(item, said)),
        Value::Object(fields) => {
            for (name, field) in fields {
                if matches!(
                    name.as_str(),
                    "content"
                        | "text"
                        | "arguments"
                        | "tool_calls"
                        | "function"
                        | "image_url"
                        | "url"
                ) {
                    messages(field, said);
                }
            }
        }
        _ => {}
    }
}

/// What tools and schemas say to the model. Names are left out: errors must be able to name them.
fn contracts(value: Value, said: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.into_iter().for_each(|item| contracts(item, said)),
        Value::Object(fields) => {
            for (name, field) in fields {
                if matches!(
                    name.as_str(),
                    "description"
                        | "title"
                        | "$comment"
                        | "const"
                        | "default"
                        | "enum"
                        | "examples"
                ) {
                    texts(field, said);
                } else {
                    contracts(field, said);
                }
            }
        }
        _ => {}
    }
}

fn texts(value: Value, said: &mut Vec<String>) {
    match value {
        Value::String(text) => push(text, said),
        Value::Array(items) => items.into_iter().for_each(|item| texts(item, said)),
        Value::Object(fields) => fields.into_iter().for_each(|(_, field)| texts(field, said)),
        _ => {}
    }
}

/// A text, and what of it is an echo of the prompt.
pub(super) struct Echoes<'a> {
    text: &'a str,
    /// Where in the text each character stands, and how long it is unescaped.
    characters: Vec<(Range<usize>, usize)>,
    /// Of each byte of the unescaped text, whether it is the prompt's.
    echoed: Vec<bool>,
}

impl<'a> Echoes<'a> {
    pub(super) fn of(text: &'a str, prompt: &Prompt) -> Self {
        let mut plain = String::with_capacity(text.len());
        let mut characters = Vec::with_capacity(text.len());
        for (character, place) in Unescaped::of(text) {
            plain.push(character);
            characters.push((place, character.len_utf8()));
        }
        let mut echoed = vec![false; plain.len()];
        let mut mark = |range: Range<usize>| {
            for echoed in echoed.get_mut(range).unwrap_or_default() {
                *echoed = true;
            }
        };
        let found = Windows::of(plain.as_bytes()).found_in(prompt);
        for (at, window) in plain.as_bytes().windows(ECHO).enumerate() {
            if found.contains(window) {
                mark(at..at + ECHO);
            }
        }
        for said in prompt.0.iter().filter(|said| said.len() < ECHO) {
            for (at, _) in plain.match_indices(said.as_str()) {
                mark(at..at + said.len());
            }
        }
        Self {
            text,
            characters,
            echoed,
        }
    }

    /// The text with `[prompt]` in the place of every echo.
    pub(super) fn without(&self) -> String {
        let mut shown = String::with_capacity(self.text.len());
        let mut echoed = self.echoed.iter();
        let mut within = false;
        for (place, len) in &self.characters {
            // All bytes of the character are taken, and one is enough.
            let is_echo = echoed.by_ref().take(*len).fold(false, |any, one| any | one);
            if !is_echo {
                shown.push_str(self.text.get(place.clone()).unwrap_or_default());
            } else if !within {
                shown.push_str("[prompt]");
            }
            within = is_echo;
        }
        shown
    }
}

/// All windows of a short text, made for looking a long one through quickly.
struct Windows<'a> {
    by_place: HashMap<Place, HashSet<&'a [u8]>>,
    /// A bit for each place with windows: few windows of the long text pass it.
    index: Vec<u64>,
}

impl<'a> Windows<'a> {
    fn of(text: &'a [u8]) -> Self {
        let mut windows = Self {
            by_place: HashMap::new(),
            index: vec![0; 1 << (INDEX_BITS - 6)],
        };
        for window in text.windows(ECHO) {
            let place = place(window);
            windows.by_place.entry(place).or_default().insert(window);
            if let Some(word) = windows.index.get_mut(place.word) {
                *word |= place.bit;
            }
        }
        windows
    }

    /// The windows that are in the prompt too.
    fn found_in(mut self, prompt: &Prompt) -> HashSet<&'a [u8]> {
        let mut found = HashSet::new();
        for said in &prompt.0 {
            if self.by_place.is_empty() {
                break;
            }
            for window in said.as_bytes().windows(ECHO) {
                let place = place(window);
                let word = self.index.get(place.word).copied().unwrap_or_default();
                if word & place.bit != 0 {
                    found.extend(self.take(place, window));
                }
            }
        }
        found
    }

    /// Takes a window out, so that each is found once, however often a prompt repeats it.
    fn take(&mut self, place: Place, window: &[u8]) -> Option<&'a [u8]> {
        let windows = self.by_place.get_mut(&place)?;
        let found = windows.take(window);
        if windows.is_empty() {
            self.by_place.remove(&place);
            if let Some(word) = self.index.get_mut(place.word) {
                *word &= !place.bit;
            }
        }
        found
    }
}

/// Where the bit of a window stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    word: usize,
    bit: u64,
}

fn place(window: &[u8]) -> Place {
    let first = window.first_chunk().copied().unwrap_or_default();
    let last = window.last_chunk().copied().unwrap_or_default();
    let mixed = u64::from_le_bytes(first).rotate_left(29) ^ u64::from_le_bytes(last);
    let hash = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let bit = hash >> (u64::BITS - INDEX_BITS);
    Place {
        // A number of 18 bits fits everywhere.
        word: usize::try_from(bit >> 6).unwrap_or_default(),
        bit: 1 << (bit & 63),
    }
}
