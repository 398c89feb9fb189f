use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::readable::readable;
use super::PromptError;

/// What can be put into a slot: a text, or structured data.
///
/// A text is sent as it is. Data is written like YAML, which models read well: nested by
/// indentation, keys in their order, texts of several lines as blocks. What a reader could take for
/// something else (`"12"`, `"null"`) is quoted.
///
/// ```
/// use agently_core::prompt::PromptValue;
/// use serde_json::json;
///
/// let value = PromptValue::from(json!({ "name": "Ada", "tags": ["a", "b"], "note": "1\n2" }));
/// assert_eq!(value.to_string(), "name: Ada\ntags:\n  - a\n  - b\nnote: |-\n  1\n  2");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PromptValue(Inner);

#[derive(Clone, Debug, PartialEq)]
enum Inner {
    Text(String),
    Data(Value),
}

impl PromptValue {
    /// Any value with a JSON form.
    ///
    /// ```
    /// use agently_core::prompt::PromptValue;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Reader<'a> { name: &'a str, age: u8 }
    ///
    /// let value = PromptValue::from_serialize(&Reader { name: "Ada", age: 36 })?;
    /// assert_eq!(value.to_string(), "name: Ada\nage: 36");
    /// # Ok::<(), agently_core::prompt::PromptError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The value has no JSON form: a map's keys are no strings, or its own `Serialize` fails.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, PromptError> {
        match serde_json::to_value(value) {
            Ok(value) => Ok(value.into()),
            Err(error) => Err(PromptError::value(std::any::type_name::<T>(), error)),
        }
    }

    /// Whether there is nothing in it to send: null, or a blank text.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match &self.0 {
            Inner::Text(text) => text.trim().is_empty(),
            Inner::Data(value) => value.is_null(),
        }
    }

    fn into_value(self) -> Value {
        match self.0 {
            Inner::Text(text) => Value::String(text),
            Inner::Data(value) => value,
        }
    }

    /// As it is sent.
    pub(super) fn to_text(&self) -> Cow<'_, str> {
        match &self.0 {
            Inner::Text(text) => Cow::Borrowed(text),
            Inner::Data(value) => Cow::Owned(readable(value)),
        }
    }
}

/// As it is sent.
impl std::fmt::Display for PromptValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.to_text())
    }
}

impl From<Value> for PromptValue {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::String(text) => Inner::Text(text),
            value => Inner::Data(value),
        })
    }
}

impl From<&Value> for PromptValue {
    fn from(value: &Value) -> Self {
        value.clone().into()
    }
}

impl From<Map<String, Value>> for PromptValue {
    fn from(fields: Map<String, Value>) -> Self {
        Value::Object(fields).into()
    }
}

impl From<&str> for PromptValue {
    fn from(text: &str) -> Self {
        Self(Inner::Text(text.to_owned()))
    }
}

impl From<String> for PromptValue {
    fn from(text: String) -> Self {
        Self(Inner::Text(text))
    }
}

impl From<&String> for PromptValue {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Cow<'_, str>> for PromptValue {
    fn from(text: Cow<'_, str>) -> Self {
        text.into_owned().into()
    }
}

macro_rules! from_scalars {
    ($($scalar:ty),*) => {$(
        impl From<$scalar> for PromptValue {
            fn from(value: $scalar) -> Self {
                Value::from(value).into()
            }
        }
    )*};
}

from_scalars!(bool, i32, i64, u32, u64, usize, f32, f64);

/// A list of them.
impl<T: Into<Self>> From<Vec<T>> for PromptValue {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

/// A list of them.
impl<T: Into<Self>, const N: usize> From<[T; N]> for PromptValue {
    fn from(items: [T; N]) -> Self {
        items.into_iter().collect()
    }
}

/// A list of them.
impl<T: Clone + Into<Self>> From<&[T]> for PromptValue {
    fn from(items: &[T]) -> Self {
        items.iter().cloned().collect()
    }
}

/// A list of them.
impl<T: Into<Self>> FromIterator<T> for PromptValue {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let items = items.into_iter().map(|item| item.into().into_value());
        Value::Array(items.collect()).into()
    }
}
