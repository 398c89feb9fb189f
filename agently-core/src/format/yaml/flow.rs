//! Lists and objects in brackets: `[a, b]` and `{a: 1}`.

use super::plain::Plain;
use super::quoted::Quoted;
use super::Next;
use crate::format::json_field::{CUT, SEEN};
use crate::instant::TokenVisitor;

/// A value in brackets. Its scalars are given out when they are whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    /// The open brackets: true for an object.
    open: Vec<bool>,
    state: State,
    word: String,
    /// Whether the word is a key.
    is_key: bool,
    /// Numbers that JSON has not.
    lost: usize,
    limit: usize,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Value,
    /// A value or the end of the list; a key or the end of the object.
    Item,
    Word,
    Quoted(Box<Quoted>),
    /// Behind a key, or what may be one.
    Colon,
    /// Behind a value.
    After,
}

impl Flow {
    /// A value that may have so many levels.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub(super) fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
    }

    fn in_object(&self) -> bool {
        self.open.last() == Some(&true)
    }

    /// Reads on.
    pub(super) fn push<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Next {
        match &mut self.state {
            State::Quoted(quoted) => {
                let word = &mut self.word;
                match quoted.push(next, &mut |piece| word.push_str(piece)) {
                    Next::Taken if next == '\n' => Next::Broken,
                    Next::Taken => Next::Taken,
                    Next::Broken => Next::Broken,
                    Next::Done => {
                        self.quoted_end(visitor);
                        Next::Taken
                    }
                    Next::Again => {
                        self.quoted_end(visitor);
                        self.push(next, visitor)
                    }
                }
            }
            State::Word => self.word(next, visitor),
            State::Value | State::Item => self.begin(next, visitor),
            State::Colon => match next {
                ' ' | '\t' => Next::Taken,
                ':' => {
                    self.state = State::Value;
                    Next::Taken
                }
                _ => Next::Broken,
            },
            State::After => match next {
                ' ' | '\t' | '\n' => Next::Taken,
                ',' => {
                    self.state = State::Item;
                    Next::Taken
                }
                ']' | '}' => self.close(next, visitor),
                _ => Next::Broken,
            },
        }
    }

    /// The beginning of a value or a key.
    fn begin<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Next {
        let is_key = self.in_object() && matches!(self.state, State::Item);
        match next {
            ' ' | '\t' | '\n' => {}
            '[' | '{' if !is_key => {
                if self.open.len() >= self.limit {
                    return Next::Broken;
                }
                self.open.push(next == '{');
                if next == '{' {
                    visitor.object_start();
                } else {
                    visitor.list_start();
                }
                self.state = State::Item;
            }
            ']' | '}' if matches!(self.state, State::Item) => return self.close(next, visitor),
            '"' | '\'' => {
                self.is_key = is_key;
                self.state = State::Quoted(Box::new(Quoted::new(next)));
            }
            ',' | ']' | '}' | '[' | '{' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' | '#'
            | ':' | '?' => return Next::Broken,
            _ => {
                self.is_key = is_key;
                self.word.push(next);
                self.state = State::Word;
            }
        }
        Next::Taken
    }

    fn quoted_end<V: TokenVisitor>(&mut self, visitor: &mut V) {
        let text = std::mem::take(&mut self.word);
        if self.is_key {
            visitor.key(&text);
            self.state = State::Colon;
        } else {
            visitor.string_start();
            if !text.is_empty() {
                visitor.string_delta(&text);
            }
            visitor.string_end(SEEN);
            self.state = State::After;
        }
    }

    fn word<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Next {
        let colon = self.word.ends_with(':');
        match next {
            ' ' | '\t' if colon => {
                let mut text = std::mem::take(&mut self.word);
                if !self.is_key {
                    return Next::Broken;
                }
                text.pop();
                visitor.key(text.trim_end());
                self.state = State::Value;
            }
            ',' | ']' | '}' => {
                let text = std::mem::take(&mut self.word);
                let text = text.trim_end();
                if self.is_key || colon || text == "-" {
                    return Next::Broken;
                }
                let lost = Plain::first_line(text, visitor).finish(SEEN, visitor);
                self.lost += usize::from(lost);
                self.state = State::After;
                return self.push(next, visitor);
            }
            '\n' | '[' | '{' => return Next::Broken,
            '#' if self.word.ends_with([' ', '\t']) => return Next::Broken,
            _ => self.word.push(next),
        }
        Next::Taken
    }

    fn close<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Next {
        if self.open.pop() != Some(next == '}') {
            return Next::Broken;
        }
        if next == '}' {
            visitor.object_end(SEEN);
        } else {
            visitor.list_end(SEEN);
        }
        self.state = State::After;
        if self.open.is_empty() {
            Next::Done
        } else {
            Next::Taken
        }
    }

    /// The answer ends here.
    pub(super) fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) {
        while let Some(object) = self.open.pop() {
            if object {
                visitor.object_end(CUT);
            } else {
                visitor.list_end(CUT);
            }
        }
    }
}
