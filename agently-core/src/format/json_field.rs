use agently_api::data::{CompletionSource, Warning};

use crate::instant::{Ending, Fault, TokenVisitor, Tokenizer};

/// The JSON value of one field.
#[derive(Clone, Debug)]
pub(super) struct JsonField {
    tokenizer: Tokenizer,
    /// The byte of the answer at which the value starts.
    start: usize,
    taken: usize,
    behind: Behind,
}

/// What may follow the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    /// Nothing but blanks on its line: a number or word that goes on is none.
    Blanks,
    Anything,
    /// What must not have followed, at this byte of the answer.
    Fault(usize),
}

impl JsonField {
    /// A value that starts at this byte of the answer.
    pub(super) fn new(start: usize) -> Self {
        Self {
            tokenizer: Tokenizer::nested(),
            start,
            taken: 0,
            behind: Behind::Blanks,
        }
    }

    /// Reads on; gives how much of the piece belongs to the value, all of it while it is open.
    pub(super) fn push<V: TokenVisitor>(&mut self, text: &str, visitor: &mut V) -> usize {
        let before = self.taken;
        self.taken += text.len();
        if before == 0 && text.starts_with(['{', '[', '"', '\'']) {
            self.behind = Behind::Anything;
        }
        self.tokenizer.push(text, visitor);
        match self.tokenizer.end() {
            Some(end) => end.saturating_sub(before).min(text.len()),
            None => text.len(),
        }
    }

    /// Reads what follows the value; `at` is its place in the answer.
    pub(super) fn follow(&mut self, text: &str, at: usize) {
        if self.behind != Behind::Blanks {
            return;
        }
        let next = text
            .char_indices()
            .find(|(_, next)| !matches!(next, ' ' | '\t' | '\r'));
        self.behind = match next {
            None => Behind::Blanks,
            Some((_, '\n' | '#' | '/' | '`' | '~' | '<')) => Behind::Anything,
            Some((offset, _)) => Behind::Fault(at + offset),
        };
    }

    pub(super) fn is_done(&self) -> bool {
        self.tokenizer.end().is_some()
    }

    pub(super) fn in_quotes(&self) -> bool {
        self.tokenizer.in_quotes()
    }

    /// The field ends here, whether its value has or not.
    pub(super) fn stop<V: TokenVisitor>(&mut self, visitor: &mut V) {
        self.tokenizer.stop(visitor);
    }

    /// The answer ends here. True if the value was open.
    pub(super) fn finish<V: TokenVisitor>(&mut self, visitor: &mut V) -> bool {
        self.tokenizer.finish(visitor) == Ending::Open
    }

    /// Where in the answer, and why, the value cannot be read on.
    pub(super) fn fault(&self) -> Option<(usize, Fault)> {
        if let Behind::Fault(at) = self.behind {
            return Some((at, Fault::BadWord));
        }
        let (offset, fault) = self.tokenizer.fault()?;
        Some((self.start + offset, fault))
    }

    pub(super) fn warnings(&self) -> Vec<Warning> {
        self.tokenizer.warnings()
    }
}

/// The source of what the text itself ended.
pub(super) const SEEN: CompletionSource = CompletionSource::ObservedBoundary;
/// The source of what the end of the answer ended.
pub(super) const CUT: CompletionSource = CompletionSource::SyntheticRepair;
