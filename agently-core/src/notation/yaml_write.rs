//! From data to YAML: blocks, with long texts as they are.

use serde_json::Value;

pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Array(items) if !items.is_empty() => list(items, 0, &mut text),
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                field(key, value, 0, &mut text);
            }
        }
        value => {
            scalar(value, 0, &mut text);
            text.push('\n');
        }
    }
    text
}

fn indent(level: usize, text: &mut String) {
    for _ in 0..level {
        text.push_str("  ");
    }
}

fn list(items: &[Value], level: usize, text: &mut String) {
    for item in items {
        indent(level, text);
        text.push('-');
        below(item, level, text);
    }
}

fn field(key: &str, value: &Value, level: usize, text: &mut String) {
    indent(level, text);
    if is_plain(key) {
        text.push_str(key);
    } else {
        text.push_str(&quoted(key));
    }
    text.push(':');
    below(value, level, text);
}

/// What stands behind a `-` or a `:`, with the end of the line.
fn below(value: &Value, level: usize, text: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            list(items, level + 1, text);
        }
        Value::Object(fields) if !fields.is_empty() => {
            text.push('\n');
            for (key, value) in fields {
                field(key, value, level + 1, text);
            }
        }
        value => {
            text.push(' ');
            scalar(value, level + 1, text);
            text.push('\n');
        }
    }
}

fn scalar(value: &Value, level: usize, text: &mut String) {
    match value {
        Value::String(value) if is_plain(value) => text.push_str(value),
        Value::String(value) if level > 0 && is_block(value) => {
            text.push_str("|-");
            for line in value.split('\n') {
                text.push('\n');
                if !line.is_empty() {
                    indent(level, text);
                    text.push_str(line);
                }
            }
        }
        Value::String(value) => text.push_str(&quoted(value)),
        value => text.push_str(&value.to_string()),
    }
}

/// In double quotes: JSON's escapes are YAML's too. What YAML counts as a line break or cannot show
/// is escaped as well.
fn quoted(value: &str) -> String {
    let mut text = String::new();
    for character in Value::from(value).to_string().chars() {
        match character {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            character => text.push(character),
        }
    }
    text
}

/// Whether a text needs no quotes: words, none of which could be taken for something else.
fn is_plain(text: &str) -> bool {
    const TAKEN: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | b'.' | b',' | b'/')
        })
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a text can stand as a block, line by line.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with(|first: char| first.is_whitespace())
        && !text.ends_with('\n')
        && text.split('\n').all(|line| !line.ends_with(' '))
        && text
            .chars()
            .all(|character| character == '\n' || (character >= ' ' && is_shown(character)))
}

fn is_shown(character: char) -> bool {
    !matches!(
        character,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}
