//! The part of JSON Schema that contracts are written in.

use std::fmt;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::path::kind_of;

/// Keywords that say something about the value, and those that only describe.
const CHECKED: &[&str] = &[
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
];
const DESCRIBING: &[&str] = &["$schema", "title", "description", "examples", "default"];

/// A schema whose every keyword is understood.
#[derive(Clone, Debug)]
pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn new(schema: Value) -> Result<Self> {
        known(&schema, "")?;
        Ok(Self(schema))
    }

    /// Why `value` does not fit, if it does not.
    pub(crate) fn check(&self, value: &Value) -> std::result::Result<(), Misfit> {
        check(&self.0, value, "")
    }
}

/// A place where a value does not fit a schema, and how.
#[derive(Clone, Debug)]
pub(crate) struct Misfit {
    path: String,
    message: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "the value"
        } else {
            &self.path
        };
        write!(f, "{path} {}", self.message)
    }
}

impl std::error::Error for Misfit {}

/// Refuses what would silently not be checked.
fn known(schema: &Value, path: &str) -> Result<()> {
    let fault = |what: String| {
        Error::new(
            ErrorKind::Contract,
            format!("the contract's schema at `{path}/` {what}"),
        )
    };
    let fields = match schema {
        Value::Bool(_) => return Ok(()),
        Value::Object(fields) => fields,
        other => return Err(fault(format!("is {}, not an object", kind_of(other)))),
    };
    for (keyword, value) in fields {
        let word = keyword.as_str();
        let shape = match word {
            "type" => {
                value.is_string()
                    || value
                        .as_array()
                        .is_some_and(|l| l.iter().all(Value::is_string))
            }
            "enum" => value.is_array(),
            "required" => value
                .as_array()
                .is_some_and(|l| l.iter().all(Value::is_string)),
            "properties" => value.is_object(),
            "minItems" | "maxItems" | "minLength" | "maxLength" => value.is_u64(),
            "minimum" | "maximum" => value.is_number(),
            _ => true,
        };
        if !shape {
            return Err(fault(format!("has a `{keyword}` that cannot be read")));
        }
        if !CHECKED.contains(&word) && !DESCRIBING.contains(&word) {
            return Err(fault(format!(
                "has the keyword `{keyword}`, which is not understood here; understood are: {}",
                CHECKED.join(", ")
            )));
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get(keyword) {
            known(inner, &format!("{path}/{keyword}"))?;
        }
    }
    for (name, inner) in fields
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        known(inner, &format!("{path}/properties/{name}"))?;
    }
    Ok(())
}

fn check(schema: &Value, value: &Value, path: &str) -> std::result::Result<(), Misfit> {
    let misfit = |message: String| {
        Err(Misfit {
            path: path.to_owned(),
            message,
        })
    };
    let fields = match schema {
        Value::Bool(false) => return misfit("is not allowed".to_owned()),
        Value::Object(fields) => fields,
        _ => return Ok(()),
    };
    if let Some(wanted) = fields.get("type") {
        let is_one = match wanted {
            Value::Array(types) => types.iter().any(|wanted| is_type(value, wanted)),
            one => is_type(value, one),
        };
        if !is_one {
            return misfit(format!("is {}, not of type {wanted}", kind_of(value)));
        }
    }
    if let Some(allowed) = fields.get("enum").and_then(Value::as_array) {
        if !allowed.contains(value) {
            return misfit("is none of the values allowed".to_owned());
        }
    }
    if fields.get("const").is_some_and(|only| only != value) {
        return misfit("is not the one value allowed".to_owned());
    }
    let size = match value {
        Value::Array(items) => Some((items.len(), "minItems", "maxItems", "items")),
        Value::String(text) => Some((text.chars().count(), "minLength", "maxLength", "characters")),
        _ => None,
    };
    if let Some((size, least, most, what)) = size {
        let limit = |keyword| fields.get(keyword).and_then(Value::as_u64);
        if limit(least).is_some_and(|least| (size as u64) < least)
            || limit(most).is_some_and(|most| (size as u64) > most)
        {
            return misfit(format!("has {size} {what}"));
        }
    }
    if let Some(number) = value.as_f64() {
        let limit = |keyword| fields.get(keyword).and_then(Value::as_f64);
        if limit("minimum").is_some_and(|least| number < least)
            || limit("maximum").is_some_and(|most| number > most)
        {
            return misfit("is out of range".to_owned());
        }
    }
    match value {
        Value::Array(items) => {
            if let Some(inner) = fields.get("items") {
                for (position, item) in items.iter().enumerate() {
                    check(inner, item, &format!("{path}[{position}]"))?;
                }
            }
        }
        Value::Object(object) => {
            for name in fields
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                if let Some(name) = name.as_str().filter(|name| !object.contains_key(*name)) {
                    return misfit(format!("has no `{name}`"));
                }
            }
            let properties = fields.get("properties").and_then(Value::as_object);
            for (name, item) in object {
                let inner = properties
                    .and_then(|properties| properties.get(name))
                    .or_else(|| fields.get("additionalProperties"));
                if let Some(inner) = inner {
                    let dot = if path.is_empty() { "" } else { "." };
                    check(inner, item, &format!("{path}{dot}{name}"))?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn is_type(value: &Value, wanted: &Value) -> bool {
    match wanted.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        Some("integer") => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}
