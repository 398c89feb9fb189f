//! From TOML to data. Dates become texts, as JSON has none.

use serde_json::{Number, Value};
use toml::Value as Toml;

use super::{Notation, NotationError};

pub(super) fn read(text: &str) -> Result<Value, NotationError> {
    let table: toml::Table =
        toml::from_str(text).map_err(|error| NotationError::toml(text, &error))?;
    value(Toml::Table(table))
}

fn value(toml: Toml) -> Result<Value, NotationError> {
    Ok(match toml {
        Toml::String(text) => Value::String(text),
        Toml::Integer(number) => number.into(),
        Toml::Float(number) => Number::from_f64(number).map(Value::Number).ok_or_else(|| {
            NotationError::new(
                Notation::Toml,
                None,
                "infinity and not-a-number are not read",
            )
        })?,
        Toml::Boolean(truth) => truth.into(),
        Toml::Datetime(date) => Value::String(date.to_string()),
        Toml::Array(items) => items.into_iter().map(value).collect::<Result<_, _>>()?,
        Toml::Table(fields) => fields
            .into_iter()
            .map(|(key, field)| Ok((key, value(field)?)))
            .collect::<Result<_, _>>()?,
    })
}
