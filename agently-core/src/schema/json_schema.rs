use serde_json::{json, Map, Value};

use super::{Ensure, Field, Schema, Shape, ValueType};

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
                        .filter(|field| field.schema().ensure() != Ensure::None)
                        .map(Field::name)
                        .collect();
                    if !required.is_empty() {
                        schema.insert("required".to_owned(), required.into());
                    }
                }
            }
        }
        if self.ensure() == Ensure::NotNull {
            self.forbid_empty(&mut schema);
        }
        self.insert_description(&mut schema);
        Value::Object(schema)
    }

    /// The JSON Schema by which a provider can hold the model to this shape while it writes
    /// (`strict`), or `None` if the shape cannot be said so.
    ///
    /// There every field is required and further ones are forbidden, so a field without an
    /// [`ensure`](Self::ensure) may be null instead of missing. Open objects and lists, `any`,
    /// hints of the author's own and a root that is no object have no strict form.
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
                schema.insert("items".to_owned(), item.as_ref()?.strict(false)?);
                "array"
            }
            Shape::Object(fields) if fields.is_empty() => return None,
            Shape::Object(fields) => {
                let properties =
                    properties(fields, |field| field.strict(field.ensure() == Ensure::None));
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
        self.insert_description(&mut schema);
        Some(Value::Object(schema))
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

fn properties(fields: &[Field], write: impl Fn(&Schema) -> Option<Value>) -> Map<String, Value> {
    fields
        .iter()
        .filter_map(|field| Some((field.name().to_owned(), write(field.schema())?)))
        .collect()
}
