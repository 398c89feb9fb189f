//! What the body of an error response is, before it is known what it says.

use std::borrow::Cow;

/// The payload of the first event, if the body is a stream of them; else the body.
pub(super) fn unframed(body: &str) -> Cow<'_, str> {
    const FIELDS: [&str; 6] = ["data:", "event:", "error:", "id:", "retry:", ":"];
    if !FIELDS.iter().any(|field| body.starts_with(field)) {
        return Cow::Borrowed(body);
    }
    let mut payload = String::new();
    for line in body.lines() {
        let line = line.trim();
        let error = line
            .strip_prefix("error:")
            .filter(|rest| rest.trim_start().starts_with('{'));
        if let Some(data) = line.strip_prefix("data:").or(error) {
            payload.push_str(data.trim());
            payload.push('\n');
        } else if line.is_empty() && !payload.is_empty() {
            break;
        }
    }
    match payload.trim() {
        "" | "[DONE]" => Cow::Borrowed(body),
        payload => Cow::Owned(payload.to_owned()),
    }
}

/// The word that is the value of the last field of this name (with its quotes), in JSON that
/// cannot be read as a whole.
pub(super) fn last_word_of(json: &str, name: &str) -> Option<String> {
    const LONGEST: usize = 64;
    json.rmatch_indices(name).find_map(|(at, name)| {
        let value = json.get(at + name.len()..)?.trim_start();
        let value = value.strip_prefix(':')?.trim_start();
        let (word, ended) = match value.strip_prefix('"') {
            Some(text) => (text.split('"').next()?, text.contains('"')),
            None => (value.split([',', '}', ' ', '\n']).next()?, true),
        };
        let is_word = (1..=LONGEST).contains(&word.len())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        (ended && is_word && word != "null").then(|| word.to_owned())
    })
}

pub(super) fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn looks_like_html(body: &str) -> bool {
    body.trim_start().starts_with('<')
}

/// The title of a web page: all that is shown of one.
pub(super) fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let open = start + lower.get(start..)?.find('>')? + 1;
    let end = open + lower.get(open..)?.find("</title")?;
    let title = page.get(open..end)?;
    let title: Vec<&str> = title.split_whitespace().collect();
    filled(&title.join(" ")).map(|title| format!("a web page titled \"{title}\""))
}
