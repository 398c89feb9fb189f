use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::data::{read, to_json};
use crate::error::{Error, ErrorKind, Result};
use crate::path::StatePath;

/// Values that all executions of one flow share.
///
/// They live as long as the flow object, and are never in a snapshot.
#[derive(Clone, Debug)]
pub struct FlowValues(Arc<Mutex<Value>>);

impl Default for FlowValues {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Value::Object(Map::new()))))
    }
}

impl FlowValues {
    /// A copy of what is at `path`, or nothing.
    ///
    /// # Errors
    ///
    /// Kind [`StatePath`](ErrorKind::StatePath) or [`Type`](ErrorKind::Type).
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let path = StatePath::parse(path)?;
        let values = self.lock();
        path.get(&values).map(read).transpose().map_err(|error| {
            Error::with_source(
                ErrorKind::Type,
                format!(
                    "the flow data at `{path}` is no {}",
                    std::any::type_name::<T>()
                ),
                error,
            )
        })
    }

    /// Replaces what is at `path`.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn set(&self, path: &str, value: impl Serialize) -> Result<()> {
        let path = StatePath::parse(path)?;
        let value = to_json(value, || "for the flow data".to_owned())?;
        path.set(&mut self.lock(), value)
    }

    /// Changes what is at `path` without anybody in between; what is not there is null.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn update(&self, path: &str, change: impl FnOnce(Value) -> Value) -> Result<()> {
        let path = StatePath::parse(path)?;
        let mut values = self.lock();
        let value = path.get(&values).cloned().unwrap_or_default();
        path.set(&mut values, change(value))
    }

    fn lock(&self) -> MutexGuard<'_, Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
