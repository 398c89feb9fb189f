//! Lines, as far as fences need them.

/// What the current line has been so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing but blanks.
    Start,
    /// The marks of what may be a fence.
    Marks { mark: char, count: usize },
    /// The label of a fence.
    Label {
        mark: char,
        count: usize,
        label: Label,
    },
    /// Anything else.
    Body,
}

/// What the label of a fence has been so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// Nothing but blanks.
    Empty,
    /// So many letters of `json`.
    Json(u8),
    /// `json` and blanks.
    JsonBlank,
    /// Anything else.
    Other,
}

/// A line that opens or closes a fenced block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    mark: char,
    count: usize,
    label: Label,
    /// Whether the block, if this opens one, is labelled `json` or unlabelled.
    pub(super) ours: bool,
}

impl Line {
    /// Takes the next character; gives a fence at the end of its line.
    pub(super) fn step(&mut self, next: char) -> Option<Fence> {
        if next == '\n' {
            return std::mem::replace(self, Self::Start).fence();
        }
        *self = match *self {
            Self::Start => match next {
                ' ' | '\t' | '\r' | '\u{feff}' => Self::Start,
                '`' | '~' => Self::Marks {
                    mark: next,
                    count: 1,
                },
                _ => Self::Body,
            },
            Self::Marks { mark, count } if next == mark => Self::Marks {
                mark,
                count: count + 1,
            },
            Self::Marks { count: 0..=2, .. } => Self::Body,
            Self::Marks { mark, count } => Self::labelled(mark, count, Label::Empty, next),
            Self::Label { mark, count, label } => Self::labelled(mark, count, label, next),
            Self::Body => Self::Body,
        };
        None
    }

    /// Whether this line is a fence with a label that is not ours.
    pub(super) fn is_foreign(self) -> bool {
        matches!(
            self,
            Self::Label {
                label: Label::Other,
                ..
            }
        )
    }

    fn labelled(mark: char, count: usize, label: Label, next: char) -> Self {
        if mark == '`' && next == '`' {
            // Code within a line.
            return Self::Body;
        }
        let label = label.step(next);
        Self::Label { mark, count, label }
    }

    fn fence(self) -> Option<Fence> {
        let (mark, count, label) = match self {
            Self::Marks { mark, count } if count >= 3 => (mark, count, Label::Empty),
            Self::Label { mark, count, label } => (mark, count, label),
            Self::Start | Self::Marks { .. } | Self::Body => return None,
        };
        Some(Fence {
            mark,
            count,
            label,
            ours: matches!(label, Label::Empty | Label::Json(4) | Label::JsonBlank),
        })
    }
}

impl Label {
    fn step(self, next: char) -> Self {
        let blank = matches!(next, ' ' | '\t' | '\r');
        let letter = |at: char| next.eq_ignore_ascii_case(&at);
        match self {
            Self::Empty if blank => Self::Empty,
            Self::Empty if letter('j') => Self::Json(1),
            Self::Json(1) if letter('s') => Self::Json(2),
            Self::Json(2) if letter('o') => Self::Json(3),
            Self::Json(3) if letter('n') => Self::Json(4),
            Self::Json(4) | Self::JsonBlank if blank => Self::JsonBlank,
            _ => Self::Other,
        }
    }
}

impl Fence {
    /// The block that is open after this line, given the one before it.
    pub(super) fn after(self, open: Option<Self>) -> Option<Self> {
        match open {
            None => Some(self),
            Some(open) if self.label == Label::Empty => {
                let closes = self.mark == open.mark && self.count >= open.count;
                (!closes).then_some(open)
            }
            // A block that was never closed does not hide the answer behind it.
            Some(_) if self.ours => Some(self),
            Some(open) => Some(open),
        }
    }
}
