//! What may cross a flow's boundary.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::data::read;
use crate::error::{Error, ErrorKind, Result};

type Check = Arc<dyn Fn(&Value) -> std::result::Result<(), serde_json::Error> + Send + Sync>;

/// The types of a flow's input, stream items and result. A value that is none is an error where
/// it crosses the boundary.
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

    /// Each stream item is a `T`.
    #[must_use]
    pub fn stream_item<T: DeserializeOwned + 'static>(mut self) -> Self {
        self.item = Some(check::<T>());
        self
    }

    /// The value of its last stage, or the one that was set, is a `T`.
    #[must_use]
    pub fn result<T: DeserializeOwned + 'static>(mut self) -> Self {
        self.result = Some(check::<T>());
        self
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
    Arc::new(|value| read::<T>(value).map(drop))
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
