use agently_api::data::CompletionSource;
use serde_json::Number;

use crate::instant::TokenVisitor;

/// Hands tokens on, and joins what a string grows by within one push into one delta.
pub(super) struct Pen<'a, V> {
    visitor: &'a mut V,
    /// What the open string has grown by; empty between pushes.
    grown: &'a mut String,
}

impl<'a, V: TokenVisitor> Pen<'a, V> {
    pub(super) fn new(visitor: &'a mut V, grown: &'a mut String) -> Self {
        Self { visitor, grown }
    }

    /// The push is over: gives out what the open string has grown by.
    pub(super) fn flush(&mut self) {
        if !self.grown.is_empty() {
            self.visitor.string_delta(self.grown);
            self.grown.clear();
        }
    }
}

impl<V: TokenVisitor> TokenVisitor for Pen<'_, V> {
    fn object_start(&mut self) {
        self.visitor.object_start();
    }

    fn object_end(&mut self, source: CompletionSource) {
        self.visitor.object_end(source);
    }

    fn list_start(&mut self) {
        self.visitor.list_start();
    }

    fn list_end(&mut self, source: CompletionSource) {
        self.visitor.list_end(source);
    }

    fn key(&mut self, key: &str) {
        self.visitor.key(key);
    }

    fn string_start(&mut self) {
        self.visitor.string_start();
    }

    fn string_delta(&mut self, piece: &str) {
        self.grown.push_str(piece);
    }

    fn string_end(&mut self, source: CompletionSource) {
        self.flush();
        self.visitor.string_end(source);
    }

    fn number(&mut self, text: &str, value: &Number, source: CompletionSource) {
        self.visitor.number(text, value, source);
    }

    fn boolean(&mut self, value: bool) {
        self.visitor.boolean(value);
    }

    fn null(&mut self, source: CompletionSource) {
        self.visitor.null(source);
    }
}
