//! Limits in a schema that is read from a value.

use serde_json::{Map, Number, Value};

use super::tree::Absence;
use super::{Choice, EnsureStep, Limits, Pattern, SchemaError, SchemaErrorKind};

const NOT_EMPTY: &str = "$not_empty";

pub(super) const LIMIT_KEYS: [&str; 9] = [
    "$min_len",
    "$max_len",
    "$min_items",
    "$max_items",
    "$min",
    "$max",
    NOT_EMPTY,
    "$one_of",
    "$pattern",
];

/// The limits among the keys of a long form.
pub(super) fn read_limits(
    fields: &Map<String, Value>,
    steps: &[EnsureStep],
) -> Result<Limits, SchemaError> {
    let count = |key: &str| read(fields, key, steps, "a whole number from 0", as_count);
    let number = |key: &str| read(fields, key, steps, "a number", as_number);
    Ok(Limits {
        min_len: count("$min_len")?,
        max_len: count("$max_len")?,
        min_items: count("$min_items")?,
        max_items: count("$max_items")?,
        min: number("$min")?,
        max: number("$max")?,
        not_empty: read_flag(fields, NOT_EMPTY, steps)?,
        one_of: read(
            fields,
            "$one_of",
            steps,
            "a list of texts, or of [text, \"what it means\"]",
            as_choices,
        )?
        .unwrap_or_default(),
        pattern: match read(fields, "$pattern", steps, "a text", Value::as_str)? {
            None => None,
            Some(pattern) => Some(Pattern::new(pattern).map_err(|error| {
                let message = format!("{pattern:?} is no regular expression: {error}");
                SchemaError::new(SchemaErrorKind::Limit, steps, message)
            })?),
        },
    })
}

/// `true`, `false`, `"not_null"` or nothing.
pub(super) fn read_absence(
    fields: &Map<String, Value>,
    key: &str,
    steps: &[EnsureStep],
) -> Result<Absence, SchemaError> {
    let absence = read(
        fields,
        key,
        steps,
        "true, false or \"not_null\"",
        |value| match value {
            Value::Bool(true) => Some(Absence::MissingOrNull),
            Value::Bool(false) => Some(Absence::Unsaid),
            Value::String(text) if text == "not_null" => Some(Absence::Missing),
            _ => None,
        },
    )?;
    Ok(absence.unwrap_or_default())
}

/// `true`, `false` or nothing.
fn read_flag(
    fields: &Map<String, Value>,
    key: &str,
    steps: &[EnsureStep],
) -> Result<bool, SchemaError> {
    let flag = read(fields, key, steps, "true or false", Value::as_bool)?;
    Ok(flag.unwrap_or_default())
}

fn read<'a, T>(
    fields: &'a Map<String, Value>,
    key: &str,
    steps: &[EnsureStep],
    wanted: &str,
    convert: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<Option<T>, SchemaError> {
    let Some(value) = fields.get(key).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    convert(value).map(Some).ok_or_else(|| {
        let message = format!("{value} is no value of \"{key}\"; write {wanted}");
        SchemaError::new(SchemaErrorKind::Limit, steps, message)
    })
}

fn as_count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn as_number(value: &Value) -> Option<Number> {
    value.as_number().cloned()
}

fn as_choices(value: &Value) -> Option<Vec<Choice>> {
    value.as_array()?.iter().map(as_choice).collect()
}

fn as_choice(value: &Value) -> Option<Choice> {
    match value {
        Value::String(text) => Some(Choice::new(text)),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(text), Value::String(description)] => {
                Some(Choice::new(text).describe(description))
            }
            _ => None,
        },
        _ => None,
    }
}
