use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Number, Value};

/// A growing text shared between the parser that appends to it and the views handed out.
#[derive(Default)]
struct TextBuffer(Mutex<Arc<String>>);

impl TextBuffer {
    fn lock(&self) -> MutexGuard<'_, Arc<String>> {
        // Appending a `str` cannot leave the text half-made, so poisoning means nothing here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text as it is. No lock is held while it is read.
    fn read(&self) -> Arc<String> {
        Arc::clone(&self.lock())
    }
}

/// A view of a text as it was when the view was taken, while the text itself may grow on.
///
/// Views of one text share one append-only buffer: taking one costs O(1), whatever its length.
#[derive(Clone)]
pub struct TextView {
    buffer: Arc<TextBuffer>,
    len: usize,
}

impl TextView {
    /// An empty text that can be [appended](Self::append) to.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buffer: Arc::default(),
            len: 0,
        }
    }

    /// Appends to the text; this view then shows the whole, earlier clones what they showed before.
    ///
    /// Of several clones only the one that shows the whole text may append: on any other, the text
    /// is copied first.
    pub fn append(&mut self, text: &str) {
        let mut buffer = self.buffer.lock();
        if buffer.len() == self.len {
            // Copies only if somebody is reading at this moment.
            Arc::make_mut(&mut buffer).push_str(text);
            self.len = buffer.len();
        } else {
            let mut copy = buffer.get(..self.len).unwrap_or_default().to_owned();
            drop(buffer);
            copy.push_str(text);
            *self = Self::from(copy);
        }
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lends the text to `read`.
    ///
    /// No lock is held meanwhile. If the text grows during it, the growing side copies it once.
    pub fn with_str<R>(&self, read: impl FnOnce(&str) -> R) -> R {
        read(self.buffer.read().get(..self.len).unwrap_or_default())
    }
}

impl Default for TextView {
    fn default() -> Self {
        Self::new()
    }
}

impl From<String> for TextView {
    fn from(text: String) -> Self {
        Self {
            len: text.len(),
            buffer: Arc::new(TextBuffer(Mutex::new(Arc::new(text)))),
        }
    }
}

impl fmt::Display for TextView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_str(|text| f.pad(text))
    }
}

impl fmt::Debug for TextView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_str(|text| fmt::Debug::fmt(text, f))
    }
}

/// A JSON value whose finished parts are shared: cloning it costs O(1), whatever its size.
///
/// Objects keep the order in which their keys came; a repeated key keeps its last value.
#[derive(Clone, Debug)]
pub enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(TextView),
    /// A list.
    Array(Arc<Vec<Self>>),
    /// An object, its keys unique.
    Object(Arc<Vec<(Arc<str>, Self)>>),
}

impl Node {
    /// An owned copy.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(number) => Value::Number(number.clone()),
            Self::String(text) => Value::String(text.with_str(str::to_owned)),
            Self::Array(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(key, value)| (key.to_string(), value.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// The value under `key`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields
                .iter()
                .find_map(|(name, value)| (&**name == key).then_some(value)),
            _ => None,
        }
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::String(text.clone().into()),
            Value::Array(items) => Self::Array(Arc::new(items.iter().map(Self::from).collect())),
            Value::Object(fields) => Self::Object(Arc::new(
                fields
                    .iter()
                    .map(|(key, value)| (Arc::from(key.as_str()), Self::from(value)))
                    .collect(),
            )),
        }
    }
}

/// The value of a field so far, or when finished: a view that costs nothing to hand out.
///
/// ```
/// use agently_api::data::{Node, TextView, ValueView};
///
/// let mut text = TextView::new();
/// text.append("Async");
/// let early = ValueView::new(Node::String(text.clone()));
/// text.append(" First");
/// assert_eq!(early.with_str(str::to_owned).as_deref(), Some("Async"));
/// assert_eq!(early.to_value(), serde_json::json!("Async"));
/// ```
#[derive(Clone, Debug)]
pub struct ValueView(Node);

impl ValueView {
    /// A view of `node`.
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self(node)
    }

    /// Lends the text to `read` if the value is a string, else `None`.
    pub fn with_str<R>(&self, read: impl FnOnce(&str) -> R) -> Option<R> {
        match &self.0 {
            Node::String(text) => Some(text.with_str(read)),
            _ => None,
        }
    }

    /// An owned copy.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.0.to_value()
    }

    /// The shared value itself.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.0
    }

    /// The value as a `T`.
    ///
    /// # Errors
    ///
    /// What serde says when the value is no `T`.
    pub fn to<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(self.to_value())
    }
}

impl PartialEq<Value> for ValueView {
    fn eq(&self, other: &Value) -> bool {
        self.to_value() == *other
    }
}
