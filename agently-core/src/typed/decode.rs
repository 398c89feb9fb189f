//! Reading an answer as the type it was asked for as.

use std::any::TypeId;
use std::fmt;

use agently_api::data::Node;
use serde::de::DeserializeOwned;

use super::Output;

/// The type that an answer was asked for as.
#[derive(Clone, Copy)]
pub(crate) struct Typed {
    id: TypeId,
    name: &'static str,
    check: fn(&Node) -> Result<(), Misfit>,
}

/// Why a value is not of a type, in serde's words.
#[derive(Clone, Debug)]
pub(crate) struct Misfit {
    /// Where in the value, as in `items[0].name`; empty for the whole.
    pub(crate) path: String,
    pub(crate) message: String,
}

impl Typed {
    pub(crate) fn of<T: Output>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: std::any::type_name::<T>(),
            check: |data| decode::<T>(data).map(drop),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn is<T: Output>(&self) -> bool {
        self.id == TypeId::of::<T>()
    }

    /// Whether the data is of the type.
    pub(crate) fn check(&self, data: &Node) -> Result<(), Misfit> {
        (self.check)(data)
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.name).finish()
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "`{}`: {}", self.path, self.message)
    }
}

pub(super) fn decode<T: DeserializeOwned>(data: &Node) -> Result<T, Misfit> {
    serde_path_to_error::deserialize(data.to_value()).map_err(|error| {
        let path = error.path().to_string();
        Misfit {
            // How the crate writes the root.
            path: if path == "." { String::new() } else { path },
            message: error.inner().to_string(),
        }
    })
}
