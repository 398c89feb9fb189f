use serde::ser::{Serialize, Serializer};
use serde_json::{json, Map, Value};

use super::tree::Absence;
use super::{Ensure, Limits, Schema, Shape};

impl Schema {
    /// The schema's [spelling as a value](super#spelling-as-a-value), from which
    /// [`from_value`](Self::from_value) makes an equal schema.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let shape = match self.shape() {
            Shape::Leaf(value_type) if self.more().is_none() => {
                return self.leaf_value(value_type.name());
            }
            Shape::Leaf(value_type) => value_type.name().into(),
            Shape::Object(fields) => {
                let fields: Map<String, Value> = fields
                    .iter()
                    .map(|field| (field.name().to_owned(), field.schema().to_value()))
                    .collect();
                Value::Object(fields)
            }
            Shape::List(item) => item.iter().map(Self::to_value).collect(),
        };
        self.long_value(shape)
    }

    fn leaf_value(&self, name: &str) -> Value {
        match (self.description(), ensure_value(self.ensure())) {
            (None, None) => json!([name]),
            (Some(description), None) => json!([name, description]),
            (description, Some(ensure)) => json!([name, description.unwrap_or_default(), ensure]),
        }
    }

    fn long_value(&self, shape: Value) -> Value {
        let ensure = ensure_value(self.ensure());
        if self.description().is_none() && ensure.is_none() && self.more().is_none() {
            return shape;
        }
        let mut long = Map::new();
        long.insert("$type".to_owned(), shape);
        if let Some(description) = self.description() {
            long.insert("$desc".to_owned(), description.into());
        }
        if let Some(ensure) = ensure {
            long.insert("$ensure".to_owned(), ensure);
        }
        if let Some(limits) = self.limits() {
            write_limits(limits, &mut long);
        }
        match self.absence() {
            Absence::Unsaid => {}
            Absence::Missing => {
                long.insert("$optional".to_owned(), "not_null".into());
            }
            Absence::MissingOrNull => {
                long.insert("$optional".to_owned(), true.into());
            }
        }
        if let Some(values) = self.values() {
            long.insert("$values".to_owned(), values.to_value());
        }
        Value::Object(long)
    }
}

fn write_limits(limits: &Limits, long: &mut Map<String, Value>) {
    let choices: Vec<Value> = limits
        .one_of
        .iter()
        .map(|choice| match &choice.description {
            None => choice.value.as_str().into(),
            Some(description) => json!([choice.value, description]),
        })
        .collect();
    let entries = [
        ("$min_len", limits.min_len.map(Value::from)),
        ("$max_len", limits.max_len.map(Value::from)),
        ("$min_items", limits.min_items.map(Value::from)),
        ("$max_items", limits.max_items.map(Value::from)),
        ("$min", limits.min.clone().map(Value::Number)),
        ("$max", limits.max.clone().map(Value::Number)),
        ("$not_empty", limits.not_empty.then_some(Value::Bool(true))),
        (
            "$one_of",
            (!choices.is_empty()).then_some(Value::Array(choices)),
        ),
        (
            "$pattern",
            limits
                .pattern
                .as_ref()
                .map(|pattern| pattern.as_str().into()),
        ),
    ];
    for (key, value) in entries {
        if let Some(value) = value {
            long.insert(key.to_owned(), value);
        }
    }
}

fn ensure_value(ensure: Ensure) -> Option<Value> {
    match ensure {
        Ensure::None => None,
        Ensure::Present => Some(Value::Bool(true)),
        Ensure::NotNull => Some("not_null".into()),
    }
}

/// As [`Schema::to_value`].
impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}
