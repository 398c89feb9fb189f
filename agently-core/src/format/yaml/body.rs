//! The lines of a document: lists and objects by their indentation.

use super::block::Block;
use super::flow::Flow;
use super::frames::Frames;
use super::plain::Plain;
use super::quoted::Quoted;
use super::{Next, BEGIN, END};
use crate::format::fence::Fence;
use crate::format::json_field::{CUT, SEEN};
use crate::instant::{Fault, TokenVisitor};

/// A document, character by character.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    frames: Frames,
    state: State,
    /// How many characters of the line have been read.
    column: usize,
    /// Where the node that is being read began on its line.
    node: usize,
    word: String,
    /// Numbers that JSON has not.
    pub(super) lost: usize,
}

#[derive(Clone, Debug, Default)]
enum State {
    /// In the indentation of a line.
    #[default]
    Indent,
    /// In a comment.
    Comment,
    /// Behind a dash that may begin an item.
    Dash,
    /// Behind `- `.
    Item,
    /// What may be a key.
    Word,
    /// The same in quotes.
    QuotedWord(Box<Quoted>),
    /// Behind it; true after a colon.
    BehindWord(bool),
    /// A line that may be the mark of the document's end.
    Mark,
    /// Behind `key:`.
    Value,
    Plain(Box<Plain>),
    Quoted(Box<Quoted>),
    BlockHeader,
    Block(Box<Block>),
    Flow(Box<Flow>),
    /// Behind a value that is whole.
    Rest,
    /// Behind the end of the document.
    End,
}

type Step = Result<Taken, Fault>;

/// Whether a character has been read, or is to be read in the new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Yes,
    Not,
}

impl Body {
    /// The document's end was in the text: leaves what is open.
    pub(super) fn leave_all<V: TokenVisitor>(&mut self, visitor: &mut V) {
        self.frames.leave_all(visitor);
    }

    pub(super) fn is_at_end(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Whether the next characters, up to a line break, are text that is sent as it is.
    pub(super) fn in_text(&self) -> bool {
        matches!(&self.state, State::Block(block) if block.in_line())
    }

    /// Takes characters of such a text.
    pub(super) fn text<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) {
        // The column only matters in the indentation.
        self.column += text.len();
        visitor.string_delta(text);
    }

    pub(super) fn push<V: TokenVisitor>(
        &mut self,
        next: char,
        visitor: &mut V,
    ) -> Result<(), Fault> {
        while self.step(next, visitor)? == Taken::Not {}
        self.column = if next == '\n' { 0 } else { self.column + 1 };
        Ok(())
    }

    fn step<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Step {
        let mut state = std::mem::take(&mut self.state);
        let next_state = match &mut state {
            State::Indent => return self.indent(next, visitor),
            State::Comment => {
                if next != '\n' {
                    self.state = State::Comment;
                }
                return Ok(Taken::Yes);
            }
            State::Dash => return self.dash(next, visitor),
            State::Item => {
                if matches!(next, ' ' | '\t') {
                    self.state = State::Item;
                    return Ok(Taken::Yes);
                }
                return Ok(Taken::Not);
            }
            State::Word => return self.word(next, visitor),
            State::QuotedWord(quoted) => {
                let word = &mut self.word;
                quoted
                    .push(next, &mut |piece| word.push_str(piece))
                    .then(|| State::BehindWord(false))
            }
            State::BehindWord(colon) => return self.behind_word(*colon, next, visitor),
            State::Mark => return self.mark(next),
            State::Value => return self.value(next, visitor),
            State::Plain(plain) => {
                let deeper = self.frames.is_deeper(self.column);
                let step = plain.push(next, deeper, visitor);
                if step == Next::Again {
                    self.lost += usize::from(plain.finish(SEEN, visitor));
                    // Only a line break or a comment can have come before.
                    let ended = if next == '#' {
                        State::Comment
                    } else {
                        State::Indent
                    };
                    step.then(|| ended)
                } else {
                    step.then(|| State::Indent)
                }
            }
            State::Quoted(quoted) => {
                let step = quoted.push(next, &mut |piece| visitor.string_delta(piece));
                if matches!(step, Next::Done | Next::Again) {
                    visitor.string_end(SEEN);
                }
                step.then(|| State::Rest)
            }
            State::BlockHeader => return self.block_header(next, visitor),
            State::Block(block) => {
                let step = block.push(next, self.column, visitor);
                if step == Next::Again {
                    block.finish(SEEN, visitor);
                }
                step.then(|| State::Indent)
            }
            State::Flow(flow) => {
                let step = flow.push(next, visitor);
                self.lost += flow.take_lost();
                step.then(|| State::Rest)
            }
            State::Rest => {
                self.state = match next {
                    '\n' => State::Indent,
                    ' ' | '\t' => State::Rest,
                    '#' => State::Comment,
                    _ => return Err(Fault::Yaml),
                };
                return Ok(Taken::Yes);
            }
            State::End => {
                self.state = State::End;
                return Ok(Taken::Yes);
            }
        };
        let (next_state, taken) = next_state?;
        self.state = next_state.unwrap_or(state);
        Ok(taken)
    }

    fn indent<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Step {
        match next {
            ' ' | '\n' => {
                self.state = State::Indent;
                Ok(Taken::Yes)
            }
            '#' => {
                self.state = State::Comment;
                Ok(Taken::Yes)
            }
            '\t' => Err(Fault::Yaml),
            _ => self.node(next, visitor),
        }
    }

    /// The first character of a node that may be a key or an item.
    fn node<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Step {
        self.node = self.column;
        self.frames.leave_deeper(self.node, visitor);
        self.word.clear();
        match next {
            '-' => {
                self.state = State::Dash;
                return Ok(Taken::Yes);
            }
            '<' | '`' | '~' | '.' if self.column == 0 => {
                self.word.push(next);
                self.state = State::Mark;
                return Ok(Taken::Yes);
            }
            '&' | '*' | '!' | '%' | '@' | '`' | ',' | ']' | '}' => return Err(Fault::Yaml),
            _ => {}
        }
        self.frames.settle(self.node, visitor)?;
        match next {
            '"' | '\'' => self.state = State::QuotedWord(Box::new(Quoted::new(next))),
            '[' | '{' | '|' | '>' => {
                if !self.frames.waits() {
                    return Err(Fault::Yaml);
                }
                self.state = State::Value;
                return Ok(Taken::Not);
            }
            _ => {
                self.word.push(next);
                self.state = State::Word;
            }
        }
        Ok(Taken::Yes)
    }

    fn dash<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Step {
        if !matches!(next, ' ' | '\t' | '\n') {
            self.word.push('-');
            if self.node == 0 && next == '-' {
                self.word.push('-');
                self.state = State::Mark;
                return Ok(Taken::Yes);
            }
            self.frames.settle(self.node, visitor)?;
            self.state = State::Word;
            return Ok(Taken::Not);
        }
        self.frames.item(self.node, visitor)?;
        self.state = if next == '\n' {
            State::Indent
        } else {
            State::Item
        };
        Ok(Taken::Yes)
    }

    fn word<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Step {
        let blank = matches!(next, ' ' | '\t' | '\n');
        if blank && self.word.ends_with(':') {
            self.word.pop();
            self.word.truncate(self.word.trim_end().len());
            self.key(visitor)?;
            return Ok(Taken::Not);
        }
        if blank && self.word == "?" {
            return Err(Fault::Yaml);
        }
        if next == '\n' || (next == '#' && self.word.ends_with([' ', '\t'])) {
            self.frames.take_place()?;
            let word = std::mem::take(&mut self.word);
            let mut plain = Plain::first_line(word.trim_end(), visitor);
            self.state = if next == '\n' {
                State::Plain(Box::new(plain))
            } else {
                self.lost += usize::from(plain.finish(SEEN, visitor));
                State::Comment
            };
            return Ok(Taken::Yes);
        }
        self.word.push(next);
        self.state = State::Word;
        Ok(Taken::Yes)
    }

    fn behind_word<V: TokenVisitor>(&mut self, colon: bool, next: char, visitor: &mut V) -> Step {
        match (next, colon) {
            (' ' | '\t' | '\n', true) => {
                self.key(visitor)?;
                return Ok(Taken::Not);
            }
            (' ' | '\t', false) => self.state = State::BehindWord(false),
            (':', false) => self.state = State::BehindWord(true),
            ('\n' | '#', false) => {
                self.frames.take_place()?;
                self.quoted_word(visitor);
                self.state = State::Rest;
                return Ok(Taken::Not);
            }
            _ => return Err(Fault::Yaml),
        }
        Ok(Taken::Yes)
    }

    fn quoted_word<V: TokenVisitor>(&mut self, visitor: &mut V) {
        visitor.string_start();
        if !self.word.is_empty() {
            visitor.string_delta(&self.word);
        }
        visitor.string_end(SEEN);
    }

    /// The word is a key.
    fn key<V: TokenVisitor>(&mut self, visitor: &mut V) -> Result<(), Fault> {
        self.frames.key(self.node, &self.word, visitor)?;
        self.word.clear();
        self.state = State::Value;
        Ok(())
    }

    /// A line that ends the document, begins it, or is something else after all.
    fn mark(&mut self, next: char) -> Step {
        if next != '\n' {
            self.word.push(next);
            self.state = if self.word == END {
                State::End
            } else {
                State::Mark
            };
            return Ok(Taken::Yes);
        }
        let line = self.word.trim_end();
        let begins = matches!(line, "---" | BEGIN) && self.frames.is_unstarted();
        self.state = if begins {
            State::Indent
        } else if is_end(line) {
            State::End
        } else {
            return Err(Fault::Yaml);
        };
        self.word.clear();
        Ok(Taken::Yes)
    }

    /// Behind `key:`, or where a value must follow.
    fn value<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Step {
        match next {
            ' ' | '\t' => {
                self.state = State::Value;
                return Ok(Taken::Yes);
            }
            '\n' => return Ok(Taken::Yes),
            '#' => {
                self.state = State::Comment;
                return Ok(Taken::Yes);
            }
            '&' | '*' | '!' | '%' | '@' | '`' | ',' | ']' | '}' => return Err(Fault::Yaml),
            _ => {}
        }
        self.frames.take_place()?;
        self.state = match next {
            '"' | '\'' => {
                visitor.string_start();
                State::Quoted(Box::new(Quoted::new(next)))
            }
            '|' | '>' => {
                self.word.clear();
                self.word.push(next);
                State::BlockHeader
            }
            '[' | '{' => {
                let mut flow = Flow::new(self.frames.room());
                flow.push(next, visitor);
                State::Flow(Box::new(flow))
            }
            _ => {
                self.state = State::Plain(Box::default());
                return Ok(Taken::Not);
            }
        };
        Ok(Taken::Yes)
    }

    fn block_header<V: TokenVisitor>(&mut self, next: char, visitor: &mut V) -> Step {
        if next != '\n' {
            self.word.push(next);
            self.state = State::BlockHeader;
            return Ok(Taken::Yes);
        }
        let parent = self.frames.indent();
        let block = Block::new(self.word.trim_end(), parent).ok_or(Fault::Yaml)?;
        self.word.clear();
        visitor.string_start();
        self.state = State::Block(Box::new(block));
        Ok(Taken::Yes)
    }

    /// The answer ends here. True if something was cut off.
    pub(super) fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) -> bool {
        let mut cut = false;
        match std::mem::take(&mut self.state) {
            State::Mark if is_end(self.word.trim_end()) => self.state = State::End,
            State::End => self.state = State::End,
            State::Word if !self.word.ends_with(':') && self.frames.take_place().is_ok() => {
                let mut plain = Plain::first_line(self.word.trim_end(), visitor);
                self.lost += usize::from(plain.finish(CUT, visitor));
            }
            State::BehindWord(false) if self.frames.take_place().is_ok() => {
                self.quoted_word(visitor);
            }
            State::QuotedWord(mut quoted) => {
                cut = !quoted.is_whole();
                let word = &mut self.word;
                quoted.flush(&mut |piece| word.push_str(piece));
                if self.frames.take_place().is_ok() {
                    self.quoted_word(visitor);
                }
            }
            State::Mark | State::Word | State::BehindWord(_) | State::BlockHeader => cut = true,
            State::Plain(mut plain) => self.lost += usize::from(plain.finish(CUT, visitor)),
            State::Quoted(mut quoted) => {
                cut = !quoted.is_whole();
                quoted.flush(&mut |piece| visitor.string_delta(piece));
                visitor.string_end(if cut { CUT } else { SEEN });
            }
            State::Block(mut block) => block.finish(CUT, visitor),
            State::Flow(mut flow) => {
                cut = true;
                flow.finish(visitor);
            }
            State::Indent
            | State::Comment
            | State::Dash
            | State::Item
            | State::Value
            | State::Rest => {}
        }
        if self.is_at_end() {
            self.frames.leave_all(visitor);
        } else {
            self.frames.cut_all(visitor);
        }
        cut
    }
}

/// Whether a line ends the document.
fn is_end(line: &str) -> bool {
    line == END || line == "..." || line == "---" || Fence::open(line).is_some()
}

impl Next {
    /// What follows it: `Ok` with the new state, if it changes.
    fn then(self, state: impl FnOnce() -> State) -> Result<(Option<State>, Taken), Fault> {
        match self {
            Self::Taken => Ok((None, Taken::Yes)),
            Self::Done => Ok((Some(state()), Taken::Yes)),
            Self::Again => Ok((Some(state()), Taken::Not)),
            Self::Broken => Err(Fault::Yaml),
        }
    }
}
