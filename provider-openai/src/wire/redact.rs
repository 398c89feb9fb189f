use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use agently_api::secret::Secret;

/// How much of a text from the server is shown, in bytes.
const SHOWN: usize = 2 * 1024;

/// How much of it is looked at, in bytes: as much as an error body may hold.
const EXAMINED: usize = 64 * 1024;

/// So many bytes in common with the prompt are taken as an echo of it.
const ECHO: usize = 16;

/// Makes texts from the server fit to be shown: no key, no prompt, no control characters, at most
/// 2 KiB.
///
/// Servers echo what they were sent in their error messages, and error messages go to logs.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
    body: Bytes,
}

impl Redactor {
    /// A redactor of these secrets, and of the messages in the request `body` (JSON).
    #[must_use]
    pub fn new(secrets: Vec<Secret>, body: Bytes) -> Self {
        Self { secrets, body }
    }

    /// The text, fit to be shown.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        self.clean_to(text, SHOWN)
    }

    /// Like [`clean`](Self::clean), with at most `limit` bytes.
    #[must_use]
    pub fn clean_to(&self, text: &str, limit: usize) -> String {
        let text = cut(text, EXAMINED);
        let text = self.without_secrets(text);
        // What lies beyond is not shown; some more is kept so that an echo at the edge is seen.
        let text = self.without_prompt(cut(&text, limit.saturating_add(1024)));
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

    fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            // Placeholder keys of local servers, as `x` or `EMPTY`, are words of ordinary messages.
            if secret.expose().len() >= 6 && text.contains(secret.expose()) {
                text = text.replace(secret.expose(), "[key]");
            }
        }
        without_key_shapes(text)
    }

    fn without_prompt(&self, text: &str) -> String {
        let Ok(body) = serde_json::from_slice::<Value>(&self.body) else {
            return text.to_owned();
        };
        let mut said = Vec::new();
        if let Some(messages) = body.get("messages") {
            collect(messages, &mut said);
        }
        let windows: HashSet<&[u8]> = text.as_bytes().windows(ECHO).collect();
        let mut echoed: HashSet<&[u8]> = HashSet::new();
        for said in &said {
            echoed.extend(
                said.as_bytes()
                    .windows(ECHO)
                    .filter_map(|window| windows.get(window)),
            );
        }
        // Up to here every byte of `text[..covered]` is known to be echoed or not.
        let mut covered = 0;
        let mut shown = String::with_capacity(text.len());
        for (at, character) in text.char_indices() {
            let end = at + character.len_utf8();
            for start in at..end {
                let window = text.as_bytes().get(start..start + ECHO);
                if window.is_some_and(|window| echoed.contains(window)) {
                    if covered <= at {
                        shown.push_str("[prompt]");
                    }
                    covered = start + ECHO;
                }
            }
            if covered <= at {
                shown.push(character);
            }
        }
        for said in said {
            if (8..ECHO).contains(&said.len()) && shown.contains(said) {
                shown = shown.replace(said, "[prompt]");
            }
        }
        shown
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

/// The beginning of a text, at most `limit` bytes of it.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Every text that was said; images are left out.
fn collect<'a>(value: &'a Value, said: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if !text.starts_with("data:") => said.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, said)),
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
                    collect(field, said);
                }
            }
        }
        _ => {}
    }
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
