//! Which format an answer begins in.

use super::fence::Fence;
use super::header::{self, Verdict};
use super::layout::Layout;
use super::Format;

/// No beginning that is worth waiting for is longer.
const LONG: usize = 200;

/// Looks at the beginning of an answer: a format may show there, before anything else is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sniffer {
    /// What has been passed over: blank lines and fences.
    at: usize,
    /// A fence that says so.
    in_yaml: bool,
    in_fence: bool,
}

/// What a look at the beginning tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scent {
    /// It cannot be told yet.
    Open,
    /// The answer begins in this format.
    Found(Format),
    /// It begins in none that shows.
    Nothing,
}

impl Sniffer {
    /// Looks at the answer so far.
    pub(super) fn look(&mut self, text: &str, layout: &Layout) -> Scent {
        loop {
            let rest = text.get(self.at..).unwrap_or_default();
            let start = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']);
            self.at += rest.len() - start.len();
            let (line, whole) = match start.split_once('\n') {
                Some((line, _)) => (line, true),
                None => (start, false),
            };
            match self.line(line, whole, start, layout) {
                Step::Told(scent) => return scent,
                Step::Past => self.at += line.len() + 1,
            }
        }
    }

    fn line(&mut self, line: &str, whole: bool, start: &str, layout: &Layout) -> Step {
        let open = |may: bool| {
            Step::Told(if may && line.len() < LONG && !whole {
                Scent::Open
            } else {
                Scent::Nothing
            })
        };
        let found = |format| Step::Told(Scent::Found(format));
        match line.chars().next() {
            None => Step::Told(Scent::Open),
            Some('`' | '~') if !self.in_fence && !line.contains(['{', '[']) => {
                if !whole {
                    return open(true);
                }
                let Some((_, label)) = Fence::open(line) else {
                    return open(false);
                };
                self.in_fence = true;
                self.in_yaml = ["yaml", "yml"]
                    .iter()
                    .any(|name| label.eq_ignore_ascii_case(name));
                Step::Past
            }
            Some('{') if !self.in_yaml => found(Format::Json),
            Some('[') if !self.in_yaml => {
                match start
                    .get(1..)
                    .and_then(|rest| rest.trim_start().chars().next())
                {
                    None if start.len() < LONG && layout.format() != Format::Json => {
                        Step::Told(Scent::Open)
                    }
                    Some('{' | '[') => found(Format::Json),
                    _ => open(false),
                }
            }
            Some('#') => match header::judge(line.trim_end(), whole, layout) {
                Verdict::Header { .. } => found(Format::Hybrid),
                Verdict::Open => open(true),
                Verdict::No => open(false),
            },
            Some('<') => {
                let marks = [
                    ("<agently_output>", Format::XmlField),
                    ("<field name=", Format::XmlField),
                    (super::yaml::BEGIN, Format::YamlLiteral),
                ];
                if let Some((_, format)) = marks.iter().find(|(mark, _)| line.starts_with(mark)) {
                    return found(*format);
                }
                open(marks.iter().any(|(mark, _)| mark.starts_with(line)))
            }
            Some(_) if self.in_yaml => {
                if layout.format() == Format::YamlLiteral
                    || layout.fields().is_empty()
                    || super::yaml::begins(line, whole, layout)
                {
                    return found(Format::YamlLiteral);
                }
                let may = layout.fields().iter().any(|field| {
                    field.name.starts_with(line) || line.strip_prefix(&*field.name) == Some(":")
                });
                open(may)
            }
            Some(_) => open(false),
        }
    }
}

/// What one line tells.
enum Step {
    Told(Scent),
    /// The next one tells more.
    Past,
}
