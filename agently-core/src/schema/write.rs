use serde::ser::{Serialize, Serializer};
use serde_json::{json, Map, Value};

use super::{Ensure, Schema, Shape};

impl Schema {
    /// The schema's [spelling as a value](super#spelling-as-a-value), from which
    /// [`from_value`](Self::from_value) makes an equal schema.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self.shape() {
            Shape::Leaf(value_type) => self.leaf_value(value_type.name()),
            Shape::Object(fields) => {
                let fields: Map<String, Value> = fields
                    .iter()
                    .map(|field| (field.name().to_owned(), field.schema().to_value()))
                    .collect();
                self.container_value(Value::Object(fields))
            }
            Shape::List(item) => {
                let items = item.iter().map(Self::to_value).collect();
                self.container_value(Value::Array(items))
            }
        }
    }

    fn leaf_value(&self, name: &str) -> Value {
        match (self.description(), ensure_value(self.ensure())) {
            (None, None) => json!([name]),
            (Some(description), None) => json!([name, description]),
            (description, Some(ensure)) => json!([name, description.unwrap_or_default(), ensure]),
        }
    }

    fn container_value(&self, shape: Value) -> Value {
        let ensure = ensure_value(self.ensure());
        if self.description().is_none() && ensure.is_none() {
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
        Value::Object(long)
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
