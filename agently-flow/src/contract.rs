//! What may cross a flow's boundary.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::data::read;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Schema;

type Check = Arc<dyn Fn(&Value) -> std::result::Result<(), Misfit> + Send + Sync>;
type Misfit = Box<dyn std::error::Error + Send + Sync>;

/// What a flow's input, stream items and result must be, by Rust type or by JSON Schema. Anything
/// else is an error where it crosses the boundary.
///
/// Of JSON Schema, `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`,
/// `items` and the limits of length, size and range are understood; other keywords are refused,
/// so that nothing goes unchecked in silence.
///
/// ```
/// use agently_flow::{Contract, TriggerFlow};
///
/// let flow = TriggerFlow::new("sum");
/// flow.set_contract(Contract::new().input::<Vec<i64>>().result::<i64>());
/// ```
#[derive(Clone, Default)]
pub struct Contract {
    input: Option<Check>,
    item: Option<Check>,
    result: Option<Check>,
}

impl Contract {
    /// Everything is allowed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value it is started with is a `T`.
    #[must_use]
    pub fn input<T: DeserializeOwned + 'static>(mut self) -> Self {
        self.input = Some(check::<T>());
        self
    }

    /// The value it is started with fits this JSON Schema.
    ///
    /// # Errors
    ///
    /// Kind [`Contract`](ErrorKind::Contract) for a schema that is not understood.
    pub fn input_schema(mut self, json_schema: Value) -> Result<Self> {
        self.input = Some(schema(json_schema)?);
        Ok(self)
    }

    /// Each stream item is a `T`.
    #[must_use]
    pub fn stream_item<T: DeserializeOwned + 'static>(mut self) -> Self {
        self.item = Some(check::<T>());
        self
    }

    /// Each stream item fits this JSON Schema.
    ///
    /// # Errors
    ///
    /// Kind [`Contract`](ErrorKind::Contract) for a schema that is not understood.
    pub fn stream_item_schema(mut self, json_schema: Value) -> Result<Self> {
        self.item = Some(schema(json_schema)?);
        Ok(self)
    }

    /// The value of its last stage, or the one that was set, is a `T`.
    #[must_use]
    pub fn result<T: DeserializeOwned + 'static>(mut self) -> Self {
        self.result = Some(check::<T>());
        self
    }

    /// The value of its last stage, or the one that was set, fits this JSON Schema.
    ///
    /// # Errors
    ///
    /// Kind [`Contract`](ErrorKind::Contract) for a schema that is not understood.
    pub fn result_schema(mut self, json_schema: Value) -> Result<Self> {
        self.result = Some(schema(json_schema)?);
        Ok(self)
    }

    pub(crate) fn check_input(&self, value: &Value) -> Result<()> {
        apply(self.input.as_ref(), value, "the input")
    }

    pub(crate) fn check_item(&self, value: &Value) -> Result<()> {
        apply(self.item.as_ref(), value, "a stream item")
    }

    pub(crate) fn check_result(&self, value: &Value) -> Result<()> {
        apply(self.result.as_ref(), value, "the result")
    }
}

fn check<T: DeserializeOwned + 'static>() -> Check {
    Arc::new(|value| Ok(read::<T>(value).map(drop)?))
}

fn schema(schema: Value) -> Result<Check> {
    let schema = Schema::new(schema)?;
    Ok(Arc::new(move |value| Ok(schema.check(value)?)))
}

fn apply(check: Option<&Check>, value: &Value, what: &str) -> Result<()> {
    check.map_or(Ok(()), |check| check(value)).map_err(|error| {
        Error::with_source(
            ErrorKind::Contract,
            format!("{what} breaks the flow's contract"),
            error,
        )
    })
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract")
            .field("input", &self.input.is_some())
            .field("stream_item", &self.item.is_some())
            .field("result", &self.result.is_some())
            .finish()
    }
}
