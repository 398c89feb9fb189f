use serde_json::{json, Map, Value};

use super::tree::Absence;
use super::{Ensure, Field, Limits, Schema, Shape, ValueType};

impl Schema {
    /// A JSON Schema (2020-12) of the answers that are accepted.
    ///
    /// Properties keep their order. Required are the fields with an [`ensure`](Self::ensure);
    /// further properties are allowed, because extra keys in an answer are kept. A
    /// [`NotNull`](Ensure::NotNull) text, list or object must not be empty. A hint of the author's
    /// own ([`Custom`](ValueType::Custom)) becomes part of the description.
    ///
    /// ```
    /// use agently_core::output;
    /// use serde_json::json;
    ///
    /// let schema = output!({ "title": (str, "Title", true), "score": float });
    /// assert_eq!(
    ///     schema.to_json_schema(),
    ///     json!({
    ///         "type": "object",
    ///         "properties": {
    ///             "title": { "type": "string", "description": "Title" },
    ///             "score": { "type": "number" },
    ///         },
    ///         "required": ["title"],
    ///     })
    /// );
    /// ```
    #[must_use]
    pub fn to_json_schema(&self) -> Value {
        let mut schema = Map::new();
        match self.shape() {
            Shape::Leaf(value_type) => {
                if let Some(name) = value_type.json_type() {
                    schema.insert("type".to_owned(), name.into());
                }
            }
            Shape::List(item) => {
                schema.insert("type".to_owned(), "array".into());
                if let Some(item) = item {
                    schema.insert("items".to_owned(), item.to_json_schema());
                }
            }
            Shape::Object(fields) => {
                schema.insert("type".to_owned(), "object".into());
                if !fields.is_empty() {
                    let properties = properties(fields, |field| Some(field.to_json_schema()));
                    schema.insert("properties".to_owned(), properties.into());
                    let required: Vec<&str> = fields
                        .iter()
                        .filter(|field| field.schema().is_required())
                        .map(Field::name)
                        .collect();
                    if !required.is_empty() {
                        schema.insert("required".to_owned(), required.into());
                    }
                }
            }
        }
        if let Some(values) = self.values() {
            let values = values.to_json_schema();
            schema.insert("additionalProperties".to_owned(), values);
        }
        let limits = self.limits();
        if self.ensure() == Ensure::NotNull || limits.is_some_and(|limits| limits.not_empty) {
            self.forbid_empty(&mut schema);
        }
        if let Some(limits) = limits {
            insert_limits(limits, &mut schema);
        }
        if self.is_nullable() {
            allow_null(&mut schema);
        }
        self.insert_description(&mut schema);
        Value::Object(schema)
    }

    /// The JSON Schema by which a provider can hold the model to this shape while it writes
    /// (`strict`), or `None` if the shape cannot be said so.
    ///
    /// There every field is required and further ones are forbidden, so a field without an
    /// [`ensure`](Self::ensure) may be null instead of missing. Open objects and lists, `any`,
    /// hints of the author's own and a root that is no object have no strict form. Of the
    /// [limits](Self::limits) it says the choices; not every provider takes the others, and an
    /// answer is held to all of them anyway.
    #[must_use]
    pub fn to_strict_json_schema(&self) -> Option<Value> {
        match self.shape() {
            Shape::Object(_) => self.strict(false),
            _ => None,
        }
    }

    fn strict(&self, nullable: bool) -> Option<Value> {
        let mut schema = Map::new();
        let name = match self.shape() {
            Shape::Leaf(value_type) => value_type.json_type()?,
            Shape::List(item) => {
                schema.insert(
                    "items".to_owned(),
                    item.as_ref()
                        .map(|item| item.strict(item.is_nullable()))??,
                );
                "array"
            }
            Shape::Object(fields) if fields.is_empty() => return None,
            Shape::Object(fields) => {
                let properties =
                    properties(fields, |field| field.strict(field.is_null_when_unknown()));
                if properties.len() < fields.len() {
                    return None;
                }
                let names: Vec<&str> = fields.iter().map(Field::name).collect();
                schema.insert("properties".to_owned(), properties.into());
                schema.insert("required".to_owned(), names.into());
                schema.insert("additionalProperties".to_owned(), false.into());
                "object"
            }
        };
        let kind = if nullable && name != "null" {
            json!([name, "null"])
        } else {
            json!(name)
        };
        schema.shift_insert(0, "type".to_owned(), kind);
        if let Some(limits) = self.limits() {
            insert_choices(limits, &mut schema);
            if nullable {
                allow_null(&mut schema);
            }
        }
        self.insert_description(&mut schema);
        Some(Value::Object(schema))
    }

    /// Whether null stands for a field that is not there, where all fields must be.
    fn is_null_when_unknown(&self) -> bool {
        match self.absence() {
            Absence::MissingOrNull => true,
            Absence::Missing => false,
            Absence::Unsaid => self.ensure() == Ensure::None,
        }
    }

    fn forbid_empty(&self, schema: &mut Map<String, Value>) {
        let mut at_least_one = |key: &str| schema.insert(key.to_owned(), 1.into());
        match self.shape() {
            Shape::Leaf(ValueType::Str) => {
                at_least_one("minLength");
            }
            Shape::Leaf(ValueType::Any | ValueType::Custom(_)) => {
                schema.insert("not".to_owned(), json!({ "type": "null" }));
            }
            Shape::Leaf(_) => {}
            Shape::List(_) => {
                at_least_one("minItems");
            }
            Shape::Object(_) => {
                at_least_one("minProperties");
            }
        }
    }

    fn insert_description(&self, schema: &mut Map<String, Value>) {
        let hint = match self.shape() {
            Shape::Leaf(ValueType::Custom(name)) => Some(name),
            _ => None,
        };
        let text = match (self.description(), hint) {
            (Some(description), Some(hint)) => format!("{description} ({hint})"),
            (Some(description), None) => description.to_owned(),
            (None, Some(hint)) => hint.to_string(),
            (None, None) => return,
        };
        schema.insert("description".to_owned(), text.into());
    }
}

fn insert_limits(limits: &Limits, schema: &mut Map<String, Value>) {
    let lengths = [
        ("minLength", limits.min_len),
        ("maxLength", limits.max_len),
        ("minItems", limits.min_items),
        ("maxItems", limits.max_items),
    ];
    for (key, limit) in lengths {
        if let Some(limit) = limit {
            schema.insert(key.to_owned(), limit.into());
        }
    }
    for (key, limit) in [("minimum", &limits.min), ("maximum", &limits.max)] {
        if let Some(limit) = limit {
            schema.insert(key.to_owned(), Value::Number(limit.clone()));
        }
    }
    if let Some(pattern) = &limits.pattern {
        schema.insert("pattern".to_owned(), pattern.as_str().into());
    }
    insert_choices(limits, schema);
}

fn insert_choices(limits: &Limits, schema: &mut Map<String, Value>) {
    if !limits.one_of.is_empty() {
        let choices = limits.one_of.iter().map(|choice| &*choice.value);
        schema.insert("enum".to_owned(), choices.collect());
    }
}

/// Lets null through the type and the choices.
fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        if kind != "null" {
            *kind = json!([kind, "null"]);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("enum") {
        choices.push(Value::Null);
    }
}

fn properties(fields: &[Field], write: impl Fn(&Schema) -> Option<Value>) -> Map<String, Value> {
    fields
        .iter()
        .filter_map(|field| Some((field.name().to_owned(), write(field.schema())?)))
        .collect()
}
