//! The engine of one model request.

pub mod instant;
pub mod prompt;
pub mod schema;
