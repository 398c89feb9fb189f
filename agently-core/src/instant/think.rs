use std::borrow::Cow;

/// Splits a leading `<think>…</think>` or `<thinking>…</thinking>` off the text of an answer.
///
/// The tag may be in any case and follow blanks or a byte order mark, which stay text. Nothing is
/// held back but what may still become a tag. A block that is never closed is all reasoning.
///
/// ```
/// use agently_core::instant::ThinkSplitter;
///
/// let mut splitter = ThinkSplitter::new();
/// assert_eq!(splitter.push("<thi"), ("", "").into());
/// assert_eq!(splitter.push("nk>Short is"), ("Short is", "").into());
/// assert_eq!(splitter.push(" best.</think>Yes"), (" best.", "Yes").into());
/// assert_eq!(splitter.push(" <think>"), ("", " <think>").into());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ThinkSplitter {
    state: State,
    /// What may still become a tag: a few bytes.
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing but blanks so far.
    #[default]
    Start,
    /// In what may be the opening tag.
    Opening,
    /// In the block.
    Inside(Tag),
    /// Past the decision.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Think,
    Thinking,
}

impl Tag {
    const ALL: [Self; 2] = [Self::Think, Self::Thinking];

    fn opening(self) -> &'static str {
        match self {
            Self::Think => "<think>",
            Self::Thinking => "<thinking>",
        }
    }

    fn closing(self) -> &'static str {
        match self {
            Self::Think => "</think>",
            Self::Thinking => "</thinking>",
        }
    }
}

/// What one text delta brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Split<'a> {
    /// Text of the leading block.
    pub reasoning: Cow<'a, str>,
    /// Text of the answer.
    pub text: Cow<'a, str>,
}

impl<'a> From<(&'a str, &'a str)> for Split<'a> {
    fn from((reasoning, text): (&'a str, &'a str)) -> Self {
        Self {
            reasoning: reasoning.into(),
            text: text.into(),
        }
    }
}

impl ThinkSplitter {
    /// A splitter for one answer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the text stands inside the block.
    #[must_use]
    pub fn is_reasoning(&self) -> bool {
        matches!(self.state, State::Inside(_))
    }

    /// Takes the next text delta.
    #[inline]
    pub fn push<'a>(&mut self, delta: &'a str) -> Split<'a> {
        if self.state == State::Text {
            return Split::from(("", delta));
        }
        self.split(delta)
    }

    /// The text has ended: gives out what was held back.
    pub fn finish(&mut self) -> Split<'static> {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Inside(_) => Split {
                reasoning: held.into(),
                text: "".into(),
            },
            State::Start | State::Opening | State::Text => Split {
                reasoning: "".into(),
                text: held.into(),
            },
        }
    }

    fn split<'a>(&mut self, delta: &'a str) -> Split<'a> {
        let mut out = Split::default();
        let mut rest = delta;
        while !rest.is_empty() {
            rest = match self.state {
                State::Start => self.start(rest, &mut out.text),
                State::Opening => self.opening(rest, &mut out.text),
                State::Inside(tag) => self.inside(tag, rest, &mut out.reasoning),
                State::Text => {
                    append(&mut out.text, rest);
                    ""
                }
            };
        }
        out
    }

    fn start<'a>(&mut self, rest: &'a str, text: &mut Cow<'a, str>) -> &'a str {
        let tail = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{feff}']);
        append(text, rest.strip_suffix(tail).unwrap_or(rest));
        if !tail.is_empty() {
            self.state = if tail.starts_with('<') {
                State::Opening
            } else {
                State::Text
            };
        }
        tail
    }

    fn opening<'a>(&mut self, rest: &'a str, text: &mut Cow<'a, str>) -> &'a str {
        let mut chars = rest.chars();
        if let Some(next) = chars.next() {
            self.held.push(next);
            if let Some(tag) = Tag::ALL
                .into_iter()
                .find(|tag| self.held.eq_ignore_ascii_case(tag.opening()))
            {
                self.held.clear();
                self.state = State::Inside(tag);
            } else if !Tag::ALL.iter().any(|tag| begins(tag.opening(), &self.held)) {
                append_owned(text, &self.held);
                self.held.clear();
                self.state = State::Text;
            }
        }
        chars.as_str()
    }

    fn inside<'a>(&mut self, tag: Tag, rest: &'a str, reasoning: &mut Cow<'a, str>) -> &'a str {
        if self.held.is_empty() {
            let until = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
            let (plain, tail) = rest.split_at_checked(until).unwrap_or((rest, ""));
            append(reasoning, plain);
            let mut chars = tail.chars();
            self.held.extend(chars.next());
            return chars.as_str();
        }
        let mut chars = rest.chars();
        let Some(next) = chars.next() else {
            return "";
        };
        self.held.push(next);
        if self.held.eq_ignore_ascii_case(tag.closing()) {
            self.held.clear();
            self.state = State::Text;
        } else if !begins(tag.closing(), &self.held) {
            // A `<` here may be the first of the true tag.
            self.held.pop();
            append_owned(reasoning, &self.held);
            self.held.clear();
            return rest;
        }
        chars.as_str()
    }
}

fn begins(tag: &str, held: &str) -> bool {
    tag.get(..held.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(held))
}

fn append<'a>(to: &mut Cow<'a, str>, piece: &'a str) {
    if to.is_empty() {
        *to = Cow::Borrowed(piece);
    } else if !piece.is_empty() {
        to.to_mut().push_str(piece);
    }
}

fn append_owned(to: &mut Cow<'_, str>, piece: &str) {
    to.to_mut().push_str(piece);
}
