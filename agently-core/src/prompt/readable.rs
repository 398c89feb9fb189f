//! JSON data written like YAML: valid YAML 1.2, for models and people to read.

use serde_json::Value;

/// The data, without a line break at its end. (A text is not written so, but sent as it is.)
pub(super) fn readable(value: &Value) -> String {
    let mut writer = Writer::default();
    writer.block(value, 0);
    let kept =
        writer.text.len() - usize::from(!writer.keeps_last_break && writer.text.ends_with('\n'));
    writer.text.truncate(kept);
    writer.text
}

#[derive(Default)]
struct Writer {
    text: String,
    /// The last thing written is a text whose own last line breaks matter.
    keeps_last_break: bool,
}

impl Writer {
    fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.text.push_str("  ");
        }
    }

    /// Writes a value on lines of its own; the first line is indented already.
    fn block(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (position, (key, value)) in fields.iter().enumerate() {
                    if position > 0 {
                        self.indent(depth);
                    }
                    self.text.push_str(&scalar(key));
                    self.text.push(':');
                    self.behind(value, depth);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        self.indent(depth);
                    }
                    self.text.push_str("- ");
                    // The first line of an item follows the dash, the others stand below it.
                    self.item(item, depth + 1);
                }
            }
            value => self.inline(value, depth),
        }
    }

    /// Writes what follows `key:`.
    fn behind(&mut self, value: &Value, depth: usize) {
        let nested = match value {
            Value::Object(fields) => !fields.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => false,
        };
        if nested {
            self.text.push('\n');
            self.indent(depth + 1);
            self.block(value, depth + 1);
        } else {
            self.text.push(' ');
            self.inline(value, depth + 1);
        }
    }

    fn item(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(_) | Value::Array(_) => self.block(value, depth),
            value => self.inline(value, depth),
        }
    }

    /// Writes a value without parts and ends the line; a text of several lines goes on at `depth`.
    fn inline(&mut self, value: &Value, depth: usize) {
        self.keeps_last_break = false;
        match value {
            Value::String(text) => match Lines::of(text) {
                Some(lines) => {
                    self.keeps_last_break = lines.chomp == "+";
                    return self.lines(&lines, depth);
                }
                None => self.text.push_str(&scalar(text)),
            },
            Value::Object(_) => self.text.push_str("{}"),
            Value::Array(_) => self.text.push_str("[]"),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.text.push_str(&value.to_string());
            }
        }
        self.text.push('\n');
    }

    fn lines(&mut self, lines: &Lines, depth: usize) {
        self.text.push('|');
        if lines.starts_blank {
            self.text.push('2');
        }
        self.text.push_str(lines.chomp);
        self.text.push('\n');
        for line in lines.text.split('\n') {
            if !line.is_empty() {
                self.indent(depth);
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
    }
}

/// A text that is written line by line.
struct Lines {
    /// Without the line break that ends its last line.
    text: String,
    /// What becomes of the line breaks at the end: none (`-`), one, or all (`+`).
    chomp: &'static str,
    /// The first line that is not empty starts with a blank, so the indentation must be said.
    starts_blank: bool,
}

impl Lines {
    /// `None` if the text has one line, or cannot be written so: control characters, or lines
    /// without anything visible, whose blanks would be lost.
    fn of(text: &str) -> Option<Self> {
        let text = text.replace("\r\n", "\n");
        if !text.contains('\n') || text.trim().is_empty() {
            return None;
        }
        let special = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
        if text.contains(special) {
            return None;
        }
        let body = text.trim_end_matches('\n');
        let chomp = match text.len() - body.len() {
            0 => "-",
            1 => "",
            _ => "+",
        };
        let starts_blank = body.trim_start_matches('\n').starts_with([' ', '\t']);
        let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
        Some(Self {
            text,
            chomp,
            starts_blank,
        })
    }
}

/// A text on one line: plain if it can only be read as that text, else quoted.
fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    if text.trim() != text || text.chars().any(char::is_control) {
        return false;
    }
    // These start something else in YAML; `-`, `?` and `:` only before a blank.
    if ",[]{}#&*!|>'\"%@`".contains(first) {
        return false;
    }
    if let Some(rest) = text.strip_prefix(['-', '?', ':']) {
        if rest.is_empty() || rest.starts_with(' ') {
            return false;
        }
    }
    if text.contains(": ") || text.contains(" #") || text.ends_with(':') {
        return false;
    }
    if text.starts_with("---") || text.starts_with("...") {
        return false;
    }
    !is_other_scalar(text)
}

/// Whether the text would be read as a number, a boolean or null.
fn is_other_scalar(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "null", "~", "true", "false", "yes", "no", "on", "off", ".nan", ".inf",
    ];
    let word = text.to_ascii_lowercase();
    if WORDS.contains(&word.as_str()) {
        return true;
    }
    let digits = word.trim_start_matches(['+', '-']);
    digits.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.')
        && (digits.replace('_', "").parse::<f64>().is_ok()
            || digits.starts_with("0x")
            || digits.starts_with("0o")
            || digits.starts_with("0b")
            || digits == ".inf")
}
