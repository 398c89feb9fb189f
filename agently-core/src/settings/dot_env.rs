//! `.env` files: a variable a line.
//!
//! A line is `NAME=value`, with `export` before it if one likes, or a comment after `#`. A value in
//! single quotes is taken as it is, over several lines too; in double quotes `\n`, `\r`, `\t`,
//! `\"`, `\\` and `\$` are escapes; without quotes it ends at a `#` after a space, and blanks around
//! it do not count. Nothing is expanded in it.

use super::environment::is_name;
use super::error::{SettingsError, SettingsErrorKind};

/// The variables of a file, in their order.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let mut variables = Vec::new();
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
    };
    while !reader.rest.is_empty() {
        if let Some(variable) = reader.variable()? {
            variables.push(variable);
        }
        reader.line += 1;
    }
    Ok(variables)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// Reads a line, or several if a quoted value has them.
    fn variable(&mut self) -> Result<Option<(String, String)>, SettingsError> {
        let line = self.rest.lines().next().unwrap_or_default();
        let start = line.trim_start();
        if start.is_empty() || start.starts_with('#') {
            self.skip_line();
            return Ok(None);
        }
        let Some((name, value)) = start.split_once('=') else {
            return Err(self.fault("has no `=`; write NAME=value"));
        };
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        if !is_name(name) {
            return Err(self.fault("has a name that is none; letters, digits and `_` make a name"));
        }
        let name = name.to_owned();
        let value = value.trim_start();
        // From here on over line ends, for quoted values.
        let begin = offset(self.rest, value);
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                self.rest = self.rest.get(begin + 1..).unwrap_or_default();
                self.quoted(quote)?
            }
            _ => {
                let value = unquoted(value);
                self.skip_line();
                value
            }
        };
        Ok(Some((name, value)))
    }

    fn quoted(&mut self, quote: char) -> Result<String, SettingsError> {
        let opened = self.line;
        let mut value = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' if quote == '"' => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, same @ ('"' | '\\' | '$'))) => value.push(same),
                    _ => {
                        return Err(self.fault("has an escape that is none; write `\\\\` for `\\`"))
                    }
                },
                letter if letter == quote => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    let after = self.rest.lines().next().unwrap_or_default().trim();
                    if !after.is_empty() && !after.starts_with('#') {
                        return Err(self.fault("goes on after the closing quote"));
                    }
                    self.skip_line();
                    return Ok(value);
                }
                letter => {
                    if letter == '\n' {
                        self.line += 1;
                    }
                    value.push(letter);
                }
            }
        }
        self.line = opened;
        Err(self.fault("opens a quote that is not closed"))
    }

    fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
    }

    fn fault(&self, what: &str) -> SettingsError {
        SettingsError::new(
            SettingsErrorKind::Syntax,
            "",
            format!("line {} of the `.env` file {what}", self.line),
        )
    }
}

/// Where `part`, the end of a line of `whole`'s first line, begins in it.
fn offset(whole: &str, part: &str) -> usize {
    let line = whole.lines().next().unwrap_or_default();
    line.len() - part.len()
}

fn unquoted(value: &str) -> String {
    let mut before = ' ';
    let end = value
        .char_indices()
        .find(|&(_, letter)| {
            let comment = letter == '#' && before.is_whitespace();
            before = letter;
            comment
        })
        .map_or(value.len(), |(at, _)| at);
    value.get(..end).unwrap_or_default().trim().to_owned()
}
