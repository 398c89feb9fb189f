use crate::format::json_field::{CUT, SEEN};
use crate::instant::{Fault, TokenVisitor};

/// The deepest nesting that is read, counting the outermost object.
const DEPTH: usize = 128;

/// The lists and objects that are open, told apart by their indentation.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    open: Vec<Frame>,
    /// The outermost object has been left.
    is_over: bool,
}

/// An open list or object.
#[derive(Clone, Copy, Debug)]
struct Frame {
    indent: usize,
    object: bool,
    /// A key or a dash has no value yet.
    waits: bool,
}

impl Frames {
    /// Whether the document has not begun.
    pub(super) fn is_unstarted(&self) -> bool {
        self.open.is_empty() && !self.is_over
    }

    /// The column of the innermost.
    pub(super) fn indent(&self) -> usize {
        self.open.last().map_or(0, |frame| frame.indent)
    }

    /// Whether text in this column is deeper than the innermost.
    pub(super) fn is_deeper(&self, column: usize) -> bool {
        self.open.last().is_some_and(|frame| column > frame.indent)
    }

    /// How many more levels may be opened.
    pub(super) fn room(&self) -> usize {
        DEPTH.saturating_sub(self.open.len())
    }

    /// Whether a key or a dash has no value yet.
    pub(super) fn waits(&self) -> bool {
        self.open.last().is_some_and(|frame| frame.waits)
    }

    fn is_at(&self, column: usize, object: bool) -> bool {
        self.open
            .last()
            .is_some_and(|frame| frame.indent == column && frame.object == object)
    }

    /// Leaves what is deeper than a node in this column.
    pub(super) fn leave_deeper<V: TokenVisitor>(&mut self, column: usize, visitor: &mut V) {
        while self.open.last().is_some_and(|frame| frame.indent > column) {
            self.leave(visitor);
        }
    }

    fn leave<V: TokenVisitor>(&mut self, visitor: &mut V) {
        self.fill(visitor);
        if let Some(frame) = self.open.pop() {
            if frame.object {
                visitor.object_end(SEEN);
            } else {
                visitor.list_end(SEEN);
            }
            self.is_over = self.open.is_empty();
        }
    }

    /// The document's end was in the text: leaves what is open.
    pub(super) fn leave_all<V: TokenVisitor>(&mut self, visitor: &mut V) {
        while !self.open.is_empty() {
            self.leave(visitor);
        }
    }

    /// The answer ended: a key without a value is not there.
    pub(super) fn cut_all<V: TokenVisitor>(&mut self, visitor: &mut V) {
        while let Some(frame) = self.open.pop() {
            if frame.object {
                visitor.object_end(CUT);
            } else {
                visitor.list_end(CUT);
            }
        }
    }

    /// A key or a dash without a value means null.
    fn fill<V: TokenVisitor>(&mut self, visitor: &mut V) {
        if let Some(frame) = self.open.last_mut().filter(|frame| frame.waits) {
            frame.waits = false;
            visitor.null(SEEN);
        }
    }

    /// Makes place for a node in this column that is no item.
    pub(super) fn settle<V: TokenVisitor>(
        &mut self,
        column: usize,
        visitor: &mut V,
    ) -> Result<(), Fault> {
        if self.is_at(column, false) {
            // A list may stand in the column of its key.
            self.leave(visitor);
        }
        let fits = match self.open.last() {
            None => !self.is_over,
            Some(frame) if frame.indent == column => frame.object,
            Some(frame) => frame.waits && frame.indent < column,
        };
        if !fits {
            return Err(Fault::Yaml);
        }
        if self.is_at(column, true) {
            self.fill(visitor);
        }
        Ok(())
    }

    /// An item of a list in this column.
    pub(super) fn item<V: TokenVisitor>(
        &mut self,
        column: usize,
        visitor: &mut V,
    ) -> Result<(), Fault> {
        if self.is_at(column, false) {
            self.fill(visitor);
        } else {
            self.take_place()?;
            self.enter(column, false, visitor)?;
        }
        self.wait();
        Ok(())
    }

    /// A key of an object in this column.
    pub(super) fn key<V: TokenVisitor>(
        &mut self,
        column: usize,
        key: &str,
        visitor: &mut V,
    ) -> Result<(), Fault> {
        if !self.is_at(column, true) {
            if !self.open.is_empty() {
                self.take_place()?;
            }
            self.enter(column, true, visitor)?;
        }
        visitor.key(key);
        self.wait();
        Ok(())
    }

    fn wait(&mut self) {
        if let Some(frame) = self.open.last_mut() {
            frame.waits = true;
        }
    }

    /// A value comes for the key or dash that waits for one.
    pub(super) fn take_place(&mut self) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(frame) if frame.waits => {
                frame.waits = false;
                Ok(())
            }
            _ => Err(Fault::Yaml),
        }
    }

    fn enter<V: TokenVisitor>(
        &mut self,
        indent: usize,
        object: bool,
        visitor: &mut V,
    ) -> Result<(), Fault> {
        if self.open.len() == DEPTH {
            return Err(Fault::TooDeep);
        }
        self.open.push(Frame {
            indent,
            object,
            waits: false,
        });
        if object {
            visitor.object_start();
        } else {
            visitor.list_start();
        }
        Ok(())
    }
}
