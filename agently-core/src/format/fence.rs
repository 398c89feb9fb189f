//! Code fences of Markdown.

/// A line of this many bytes is no fence.
pub(super) const LONG: usize = 500;

/// The line that opens a fence: three or more backticks or tildes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    /// The fence that a whole line opens, and its label.
    pub(super) fn open(line: &str) -> Option<(Self, &str)> {
        let line = line.trim();
        let mark = line.chars().next().filter(|mark| is_mark(*mark))?;
        let label = line.trim_start_matches(mark);
        let length = line.len() - label.len();
        (length >= 3 && !label.contains(mark)).then_some((Self { mark, length }, label.trim()))
    }

    /// Whether a whole line closes this fence.
    pub(super) fn is_closed_by(self, line: &str) -> bool {
        Self::open(line).is_some_and(|(other, label)| {
            label.is_empty() && other.mark == self.mark && other.length >= self.length
        })
    }
}

/// Whether a line that begins so may become a fence.
pub(super) fn may_open(line: &str) -> bool {
    let line = line.trim_start();
    let Some(mark) = line.chars().next().filter(|mark| is_mark(*mark)) else {
        return line.is_empty();
    };
    let label = line.trim_start_matches(mark);
    label.is_empty() || (line.len() - label.len() >= 3 && !label.contains(mark))
}

fn is_mark(mark: char) -> bool {
    matches!(mark, '`' | '~')
}
