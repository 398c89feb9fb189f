use agently_api::data::CompletionSource;
use serde_json::Number;

use super::locate::Search;
use super::{Ending, FieldPath, RootShape, TokenVisitor};

/// Takes the events of the fields of an answer, without owning anything.
pub trait FieldVisitor {
    /// A field grew by `delta`, to `value`: a string now, or a number or boolean that is whole.
    fn delta(&mut self, path: &FieldPath, delta: &str, value: ValueRef<'_>);

    /// A field is finished.
    fn complete(&mut self, path: &FieldPath, value: ValueRef<'_>, source: CompletionSource);
}

/// A lent value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(&'a Number),
    /// The string so far.
    String(&'a str),
    /// A list, whose items have been seen already.
    List,
    /// An object, whose fields have been seen already.
    Object,
}

/// Reads the fields of one answer into a [`FieldVisitor`]: no event owns anything, and once the
/// buffers have grown nothing is allocated.
///
/// The events are those of [`FieldParser`](super::FieldParser), but a finished container comes
/// without its content.
///
/// ```
/// use agently_api::data::CompletionSource;
/// use agently_core::instant::{FieldPath, FieldScanner, FieldVisitor, RootShape, ValueRef};
///
/// struct Print(String);
///
/// impl FieldVisitor for Print {
///     fn delta(&mut self, path: &FieldPath, delta: &str, _: ValueRef<'_>) {
///         self.0 += &format!("{path} + {delta}\n");
///     }
///     fn complete(&mut self, path: &FieldPath, _: ValueRef<'_>, _: CompletionSource) {
///         self.0 += &format!("{path} done\n");
///     }
/// }
///
/// let mut print = Print(String::new());
/// let mut scanner = FieldScanner::new(&RootShape::object(["tags"]));
/// scanner.push(r#"Here it is: {"tags": ["sm"#, &mut print);
/// scanner.push(r#"all"]}"#, &mut print);
/// scanner.finish(&mut print);
/// assert_eq!(print.0, "tags[0] + sm\ntags[0] + all\ntags[0] done\ntags done\n");
/// ```
#[derive(Clone, Debug)]
pub struct FieldScanner {
    search: Search,
    fields: Fields,
}

impl FieldScanner {
    /// A scanner for one answer to a schema of this shape.
    #[must_use]
    pub fn new(shape: &RootShape) -> Self {
        Self {
            search: Search::new(shape),
            fields: Fields::default(),
        }
    }

    /// Takes the next delta of the answer's text.
    #[inline]
    pub fn push(&mut self, text: &str, visitor: &mut impl FieldVisitor) {
        let fields = &mut self.fields;
        self.search.push(text, &mut Lend { fields, visitor });
    }

    /// The answer has ended: ends the open fields. Offsets are those of the answer's text.
    pub fn finish(mut self, visitor: &mut impl FieldVisitor) -> Ending {
        let fields = &mut self.fields;
        self.search.finish(&mut Lend { fields, visitor }).ending
    }

    /// How many steps the search for the start of the document took: a measure of its cost that
    /// does not depend on the machine.
    #[must_use]
    pub fn search_steps(&self) -> u64 {
        self.search.steps()
    }
}

/// The path and the open string: buffers that are reused.
#[derive(Clone, Debug, Default)]
struct Fields {
    path: FieldPath,
    text: String,
}

/// Makes field events of tokens.
struct Lend<'a, V> {
    fields: &'a mut Fields,
    visitor: &'a mut V,
}

impl<V: FieldVisitor> Lend<'_, V> {
    fn end(&mut self, value: ValueRef<'_>, source: CompletionSource) {
        if self.fields.path.leave() {
            self.visitor.complete(&self.fields.path, value, source);
        }
    }
}

impl<V: FieldVisitor> TokenVisitor for Lend<'_, V> {
    fn object_start(&mut self) {
        self.fields.path.value();
        self.fields.path.enter(false);
    }

    fn object_end(&mut self, source: CompletionSource) {
        self.end(ValueRef::Object, source);
    }

    fn list_start(&mut self) {
        self.fields.path.value();
        self.fields.path.enter(true);
    }

    fn list_end(&mut self, source: CompletionSource) {
        self.end(ValueRef::List, source);
    }

    fn key(&mut self, key: &str) {
        self.fields.path.key(key);
    }

    fn string_start(&mut self) {
        self.fields.path.value();
        self.fields.text.clear();
    }

    #[inline]
    fn string_delta(&mut self, piece: &str) {
        let Fields { path, text } = &mut *self.fields;
        text.push_str(piece);
        self.visitor.delta(path, piece, ValueRef::String(text));
    }

    fn string_end(&mut self, source: CompletionSource) {
        let Fields { path, text } = &*self.fields;
        self.visitor.complete(path, ValueRef::String(text), source);
    }

    fn number(&mut self, text: &str, value: &Number, source: CompletionSource) {
        self.fields.path.value();
        let value = ValueRef::Number(value);
        self.visitor.delta(&self.fields.path, text, value);
        self.visitor.complete(&self.fields.path, value, source);
    }

    fn boolean(&mut self, value: bool) {
        self.fields.path.value();
        let text = if value { "true" } else { "false" };
        let value = ValueRef::Bool(value);
        self.visitor.delta(&self.fields.path, text, value);
        let source = CompletionSource::ObservedBoundary;
        self.visitor.complete(&self.fields.path, value, source);
    }

    fn null(&mut self, source: CompletionSource) {
        self.fields.path.value();
        self.visitor
            .complete(&self.fields.path, ValueRef::Null, source);
    }
}
