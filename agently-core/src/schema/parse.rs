use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value};

use super::build::{check_depth, check_hint};
use super::parse_limits::{read_absence, read_limits, LIMIT_KEYS};
use super::value_type::{misspelt, named, Named};
use super::{Ensure, EnsureStep, Schema, SchemaBuilder, SchemaError, SchemaErrorKind, ValueType};
use crate::nearest::nearest;

/// The keys of the long form; those of the limits are read apart.
const TYPE: &str = "$type";
const DESCRIPTION: &str = "$desc";
const ENSURE: &str = "$ensure";
const OPTIONAL: &str = "$optional";
const VALUES: &str = "$values";

impl Schema {
    /// Reads a schema from its [spelling as a value](super#spelling-as-a-value).
    ///
    /// ```
    /// use agently_core::schema::Schema;
    /// use serde_json::json;
    ///
    /// let schema = Schema::from_value(&json!({ "tags": [["str", "One word", true]] }))?;
    /// assert_eq!(schema.ensure_paths()[0].to_string(), "tags[*]");
    ///
    /// let fault = Schema::from_value(&json!({ "tags": [["sting", "One word"]] })).unwrap_err();
    /// assert_eq!(fault.path(), "tags[*]");
    /// # Ok::<(), agently_core::schema::SchemaError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The value is no schema; the error says where, and what to write instead.
    pub fn from_value(value: &Value) -> Result<Self, SchemaError> {
        read(value, &mut Vec::new())?.build()
    }
}

fn read(value: &Value, steps: &mut Vec<EnsureStep>) -> Result<SchemaBuilder, SchemaError> {
    check_depth(steps)?;
    match value {
        Value::Null => Ok(Schema::leaf(ValueType::Any)),
        Value::String(text) if text.trim().is_empty() => Err(SchemaError::new(
            SchemaErrorKind::Form,
            steps,
            "an empty text says nothing; write a type, as \"str\", or a description",
        )),
        Value::String(text) => Ok(named(text).map_or_else(|| Schema::str(text), builder)),
        Value::Array(items) => match items.as_slice() {
            [Value::String(type_name), rest @ ..] => read_leaf(type_name, rest, steps),
            [] => Ok(Schema::open_list()),
            [item] => {
                steps.push(EnsureStep::Each);
                let item = read(item, steps)?;
                steps.pop();
                Ok(Schema::list(item))
            }
            items => Err(SchemaError::new(
                SchemaErrorKind::Form,
                steps,
                format!(
                    "a list holds one element, the shape of every item, and this one holds {}; \
                     a leaf starts with the name of its type",
                    items.len()
                ),
            )),
        },
        Value::Object(fields) => {
            if fields.keys().any(|key| key.starts_with('$')) {
                return read_long(fields, steps);
            }
            let mut object = Schema::object();
            for (name, value) in fields {
                steps.push(EnsureStep::Key(name.as_str().into()));
                object = object.field(name, read(value, steps)?);
                steps.pop();
            }
            Ok(object)
        }
        Value::Bool(_) => Err(example(steps, "a boolean", "bool")),
        Value::Number(number) if number.is_f64() => Err(example(steps, "a number", "float")),
        Value::Number(_) => Err(example(steps, "a number", "int")),
    }
}

fn example(steps: &[EnsureStep], found: &str, type_name: &str) -> SchemaError {
    SchemaError::new(
        SchemaErrorKind::Form,
        steps,
        format!("{found} is no schema; for a field of that type write \"{type_name}\""),
    )
}

fn builder(named: Named) -> SchemaBuilder {
    match named {
        Named::Leaf(value_type) => Schema::leaf(value_type),
        Named::OpenObject => Schema::object(),
        Named::OpenList => Schema::open_list(),
    }
}

/// `[type, description, ensure]`, its type already known to be a string.
fn read_leaf(
    type_name: &str,
    rest: &[Value],
    steps: &[EnsureStep],
) -> Result<SchemaBuilder, SchemaError> {
    let leaf = read_type(type_name, steps)?;
    let (description, ensure) = match rest {
        [] => (None, None),
        [description] => (Some(description), None),
        [description, ensure] => (Some(description), Some(ensure)),
        _ => {
            return Err(SchemaError::new(
                SchemaErrorKind::Form,
                steps,
                format!(
                    "a leaf has at most three parts, [type, description, ensure], and this one \
                     has {}; a list of several shapes cannot be said, use \"any\"",
                    rest.len() + 1
                ),
            ))
        }
    };
    annotate(leaf, description, ensure, steps)
}

fn read_type(name: &str, steps: &[EnsureStep]) -> Result<SchemaBuilder, SchemaError> {
    if let Some(named) = named(name) {
        return Ok(builder(named));
    }
    if let Some(meant) = misspelt(name) {
        return Err(SchemaError::new(
            SchemaErrorKind::Type,
            steps,
            format!("there is no type {name:?}; did you mean \"{meant}\"?"),
        ));
    }
    check_hint(name, steps)?;
    Ok(Schema::leaf(ValueType::Custom(name.trim().into())))
}

fn annotate(
    builder: SchemaBuilder,
    description: Option<&Value>,
    ensure: Option<&Value>,
    steps: &[EnsureStep],
) -> Result<SchemaBuilder, SchemaError> {
    let builder = match description {
        None | Some(Value::Null) => builder,
        Some(Value::String(text)) => builder.describe(text),
        Some(Value::Bool(_)) => {
            return Err(SchemaError::new(
                SchemaErrorKind::Description,
                steps,
                "the description is missing before the third part; write [type, \"\", true] \
                 to do without one",
            ))
        }
        Some(_) => {
            return Err(SchemaError::new(
                SchemaErrorKind::Description,
                steps,
                "the description, second in a leaf, must be a text",
            ))
        }
    };
    Ok(match ensure {
        None | Some(Value::Null) => builder,
        Some(ensure) => builder.ensure(read_ensure(ensure, steps)?),
    })
}

fn read_ensure(value: &Value, steps: &[EnsureStep]) -> Result<Ensure, SchemaError> {
    match value {
        Value::Bool(true) => return Ok(Ensure::Present),
        Value::Bool(false) => return Ok(Ensure::None),
        Value::String(text) if text == "not_null" => return Ok(Ensure::NotNull),
        _ => {}
    }
    let meant = value.as_str().and_then(|text| {
        let text = text.to_ascii_lowercase();
        nearest(&text, ["not_null", "true", "false"], 2)
    });
    let advice = match meant {
        Some("not_null") => "did you mean \"not_null\"?".to_owned(),
        Some(word) => format!("write {word} without quotes"),
        None => "write true, false or \"not_null\"".to_owned(),
    };
    Err(SchemaError::new(
        SchemaErrorKind::Ensure,
        steps,
        format!("{value} does not say whether the field must be there; {advice}"),
    ))
}

/// `{"$type", "$desc", "$ensure"}`.
fn read_long(
    fields: &Map<String, Value>,
    steps: &mut Vec<EnsureStep>,
) -> Result<SchemaBuilder, SchemaError> {
    const KEYS: [&str; 5] = [TYPE, DESCRIPTION, ENSURE, OPTIONAL, VALUES];
    let known = || KEYS.into_iter().chain(LIMIT_KEYS);
    if let Some(stranger) = fields
        .keys()
        .find(|key| !known().any(|known| known == *key))
    {
        let message = if stranger.starts_with('$') {
            match nearest(&stranger.to_ascii_lowercase(), known(), 2) {
                Some(meant) => format!("there is no {stranger:?}; did you mean \"{meant}\"?"),
                None => format!(
                    "there is no {stranger:?}; names that start with `$` are reserved, and only \
                     \"$type\", \"$desc\", \"$ensure\" and those of limits are known"
                ),
            }
        } else {
            format!(
                "the field {stranger:?} stands beside names with `$`; put the fields into \
                 \"$type\": {{…}}"
            )
        };
        return Err(SchemaError::new(SchemaErrorKind::Name, steps, message));
    }
    let shape = match fields.get(TYPE) {
        // As with a description alone: a text.
        None => Schema::leaf(ValueType::Str),
        // Unlike elsewhere, a string here is a type and nothing else.
        Some(Value::String(name)) => read_type(name, steps)?,
        Some(shape @ (Value::Object(_) | Value::Array(_))) => read(shape, steps)?,
        Some(_) => {
            return Err(SchemaError::new(
                SchemaErrorKind::Type,
                steps,
                "\"$type\" must be the name of a type, an object or a list",
            ))
        }
    };
    let mut builder = annotate(shape, fields.get(DESCRIPTION), fields.get(ENSURE), steps)?;
    builder.set_limits(read_limits(fields, steps)?);
    builder = builder.absent(read_absence(fields, OPTIONAL, steps)?);
    if let Some(values) = fields.get(VALUES) {
        steps.push(EnsureStep::Key("*".into()));
        let values = read(values, steps)?;
        steps.pop();
        builder = builder.values(values);
    }
    Ok(builder)
}

impl TryFrom<&Value> for Schema {
    type Error = SchemaError;

    fn try_from(value: &Value) -> Result<Self, SchemaError> {
        Self::from_value(value)
    }
}

impl TryFrom<Value> for Schema {
    type Error = SchemaError;

    fn try_from(value: Value) -> Result<Self, SchemaError> {
        Self::from_value(&value)
    }
}

/// From the spelling of [`Schema::from_value`], in whatever format: JSON, YAML, TOML.
impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(D::Error::custom)
    }
}
