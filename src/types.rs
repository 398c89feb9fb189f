//! The types that cross between you and Agently, by what they are about.

/// What readers get: field events, values, meta.
pub mod data {
    pub use agently_api::data::*;
}

/// What models are asked and answer.
pub mod model {
    pub use agently_api::model::*;
}

/// What a runtime must do.
pub mod rt {
    pub use agently_api::rt::*;
}

/// Where streams can be sent.
pub mod sink {
    pub use agently_api::sink::*;
}

/// Errors of providers.
pub mod error {
    pub use agently_api::error::*;
}

pub use agently_api::secret::Secret;
