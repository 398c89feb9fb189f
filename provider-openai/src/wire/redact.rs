use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use agently_api::secret::Secret;

use super::echo::{Echoes, Prompt};

/// How much of a text from the server is shown, in bytes.
const SHOWN: usize = 2 * 1024;

/// How much of it is looked at, in bytes: as much as an error body may hold.
const EXAMINED: usize = 64 * 1024;

/// Secrets shorter than this, in bytes, are words of ordinary messages: placeholder keys of local
/// servers, as `x` or `EMPTY`.
const SHORTEST_SECRET: usize = 6;

/// Makes texts from the server fit to be shown: no key, no prompt, no control characters, at most
/// 2 KiB.
///
/// Servers echo what they were sent in their error messages, and error messages go to logs. The
/// prompt is recognised in its JSON spelling too. The request is looked into when the first text
/// is cleaned and not before, so that a call that goes well pays nothing for it; clones share that
/// work.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
    body: Bytes,
    prompt: Arc<OnceLock<Prompt>>,
}

impl Redactor {
    /// A redactor of these secrets, and of the messages, the tools and the schema in the request
    /// `body` (JSON).
    #[must_use]
    pub fn new(mut secrets: Vec<Secret>, body: Bytes) -> Self {
        secrets.retain(|secret| secret.expose().len() >= SHORTEST_SECRET);
        // One may be the beginning of another.
        secrets.sort_by_key(|secret| Reverse(secret.expose().len()));
        Self {
            secrets,
            body,
            prompt: Arc::default(),
        }
    }

    /// The text, fit to be shown.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        self.clean_to(text, SHOWN)
    }

    /// Like [`clean`](Self::clean), with at most `limit` bytes.
    #[must_use]
    pub fn clean_to(&self, text: &str, limit: usize) -> String {
        let text = self.without_secrets(cut(text, EXAMINED));
        let prompt = self.prompt.get_or_init(|| Prompt::of_body(&self.body));
        // What lies beyond is not shown; some more is kept so that an echo at the edge is seen.
        let examined = cut(&text, limit.saturating_add(1024));
        printable(&Echoes::of(examined, prompt).without(), limit)
    }

    /// Like [`clean_to`](Self::clean_to) for an id or another single word, which no prompt is
    /// looked for in.
    #[must_use]
    pub fn clean_id(&self, id: &str, limit: usize) -> String {
        printable(&self.without_secrets(cut(id, EXAMINED)), limit)
    }

    fn without_secrets(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            if text.contains(secret.expose()) {
                text = Cow::Owned(text.replace(secret.expose(), "[key]"));
            }
        }
        without_key_shapes(text.into_owned())
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("secrets", &self.secrets.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The text without control characters, at most `limit` bytes of it.
fn printable(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for character in text.trim().chars() {
        let before = shown.len();
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
        if shown.len() > limit {
            shown.truncate(before);
            shown.push('…');
            break;
        }
    }
    shown
}

/// The beginning of a text, at most `limit` bytes of it.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Takes out what looks like a key of the `sk-…` family, whoever it belongs to.
fn without_key_shapes(text: String) -> String {
    const SHORTEST: usize = 20;
    let mut shown = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("sk-") {
        let (before, tail) = rest.split_at(at);
        let end = tail
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        let own_word = !before.ends_with(|c: char| c.is_ascii_alphanumeric());
        shown.push_str(before);
        shown.push_str(if own_word && word.len() >= SHORTEST {
            "[key]"
        } else {
            word
        });
        rest = after;
    }
    if shown.is_empty() {
        return text;
    }
    shown.push_str(rest);
    shown
}
