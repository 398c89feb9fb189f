use super::tree::{Absence, Field, More, Shape};
use super::{
    Ensure, EnsureStep, Limits, Schema, SchemaError, SchemaErrorKind, ValueType, MAX_DEPTH,
};

/// A schema in the making; see [`Schema::object`].
///
/// What is wrong with it is kept and reported by [`build`](Self::build), with its path.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SchemaBuilder {
    pub(super) draft: Draft,
    description: Option<String>,
    ensure: Ensure,
    pub(super) limits: Limits,
    pub(super) absence: Absence,
    pub(super) values: Option<Box<Self>>,
    pub(super) fault: Option<(SchemaErrorKind, String)>,
}

#[derive(Clone, Debug)]
pub(super) enum Draft {
    Object(Vec<(String, SchemaBuilder)>),
    List(Option<Box<SchemaBuilder>>),
    Leaf(ValueType),
}

/// Starting points for a schema in code.
impl Schema {
    /// An object; without any [`field`](SchemaBuilder::field) it is open.
    ///
    /// ```
    /// use agently_core::schema::Schema;
    ///
    /// let schema = Schema::object()
    ///     .field("title", Schema::str("Title").required())
    ///     .field("score", Schema::float("From 0 to 1"))
    ///     .build()?;
    /// assert_eq!(schema.ensure_paths().len(), 1);
    /// # Ok::<(), agently_core::schema::SchemaError>(())
    /// ```
    pub fn object() -> SchemaBuilder {
        SchemaBuilder::new(Draft::Object(Vec::new()))
    }

    /// A list of items of this shape.
    pub fn list(item: impl Into<SchemaBuilder>) -> SchemaBuilder {
        SchemaBuilder::new(Draft::List(Some(Box::new(item.into()))))
    }

    /// A list of anything.
    pub fn open_list() -> SchemaBuilder {
        SchemaBuilder::new(Draft::List(None))
    }

    /// A leaf of this type, without a description.
    pub fn leaf(value_type: ValueType) -> SchemaBuilder {
        SchemaBuilder::new(Draft::Leaf(value_type))
    }

    /// A text.
    pub fn str(description: impl Into<String>) -> SchemaBuilder {
        Self::leaf(ValueType::Str).describe(description)
    }

    /// A whole number.
    pub fn int(description: impl Into<String>) -> SchemaBuilder {
        Self::leaf(ValueType::Int).describe(description)
    }

    /// A number with a fraction.
    pub fn float(description: impl Into<String>) -> SchemaBuilder {
        Self::leaf(ValueType::Float).describe(description)
    }

    /// True or false.
    pub fn bool(description: impl Into<String>) -> SchemaBuilder {
        Self::leaf(ValueType::Bool).describe(description)
    }

    /// Any JSON value.
    pub fn any(description: impl Into<String>) -> SchemaBuilder {
        Self::leaf(ValueType::Any).describe(description)
    }
}

impl SchemaBuilder {
    pub(super) fn new(draft: Draft) -> Self {
        Self {
            draft,
            description: None,
            ensure: Ensure::None,
            limits: Limits::default(),
            absence: Absence::default(),
            values: None,
            fault: None,
        }
    }

    /// Adds a field to an object, after those it has.
    pub fn field(mut self, name: impl Into<String>, schema: impl Into<Self>) -> Self {
        let name = name.into();
        match &mut self.draft {
            Draft::Object(fields) => fields.push((name, schema.into())),
            Draft::List(_) | Draft::Leaf(_) => {
                self.fault.get_or_insert_with(|| {
                    let message = format!(
                        "the field `{name}` was added to what is no object; start from \
                         `Schema::object()`"
                    );
                    (SchemaErrorKind::Form, message)
                });
            }
        }
        self
    }

    /// Says what it is for, in words for the model.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Asks that it be there: [`Ensure::Present`].
    pub fn required(self) -> Self {
        self.ensure(Ensure::Present)
    }

    /// Asks that it be there and be neither null nor empty: [`Ensure::NotNull`].
    pub fn not_null(self) -> Self {
        self.ensure(Ensure::NotNull)
    }

    /// Sets whether it must be there.
    pub fn ensure(mut self, ensure: Ensure) -> Self {
        self.ensure = ensure;
        self
    }

    /// The schema.
    ///
    /// # Errors
    ///
    /// A field's name is empty, given twice or starts with `$`; a field was added to what is no
    /// object; a type hint is empty or broken over lines; limits contradict each other; the schema
    /// is deeper than 128 levels.
    pub fn build(self) -> Result<Schema, SchemaError> {
        self.finish(&mut Vec::new())
    }

    fn finish(self, steps: &mut Vec<EnsureStep>) -> Result<Schema, SchemaError> {
        if let Some((kind, message)) = self.fault {
            return Err(SchemaError::new(kind, steps, message));
        }
        check_depth(steps)?;
        let shape = match self.draft {
            Draft::Object(drafts) => Shape::Object(finish_fields(drafts, steps)?),
            Draft::List(None) => Shape::List(None),
            Draft::List(Some(item)) => {
                steps.push(EnsureStep::Each);
                let item = item.finish(steps)?;
                steps.pop();
                Shape::List(Some(item))
            }
            Draft::Leaf(value_type) => {
                if let ValueType::Custom(name) = &value_type {
                    check_hint(name, steps)?;
                }
                Shape::Leaf(value_type)
            }
        };
        if let Some(contradiction) = self.limits.contradiction() {
            let kind = SchemaErrorKind::Limit;
            return Err(SchemaError::new(kind, steps, contradiction));
        }
        let values = match self.values {
            Some(values) => {
                steps.push(EnsureStep::Key("*".into()));
                let values = values.finish(steps)?;
                steps.pop();
                Some(values)
            }
            None => None,
        };
        let description = self.description.map(String::into_boxed_str);
        let more = More {
            limits: self.limits,
            absence: self.absence,
            values,
        };
        Ok(Schema::new(shape)
            .with(description, self.ensure)
            .with_more(more))
    }
}

fn finish_fields(
    drafts: Vec<(String, SchemaBuilder)>,
    steps: &mut Vec<EnsureStep>,
) -> Result<Vec<Field>, SchemaError> {
    let mut fields: Vec<Field> = Vec::with_capacity(drafts.len());
    let mut seen = std::collections::HashSet::with_capacity(drafts.len());
    for (name, draft) in drafts {
        check_name(&name, steps)?;
        if !seen.insert(name.clone()) {
            steps.push(EnsureStep::Key(name.into()));
            return Err(SchemaError::new(
                SchemaErrorKind::Name,
                steps,
                "this field is declared twice; keep one of them",
            ));
        }
        steps.push(EnsureStep::Key(name.as_str().into()));
        let schema = draft.finish(steps)?;
        steps.pop();
        fields.push(Field::new(name, schema));
    }
    Ok(fields)
}

/// Fails past the depth to which answers are read, so that no walk over a schema can overflow.
pub(super) fn check_depth(steps: &[EnsureStep]) -> Result<(), SchemaError> {
    if steps.len() > MAX_DEPTH {
        let message = format!("it is nested more than {MAX_DEPTH} levels deep; flatten it");
        // The full path would be as long as the fault is deep.
        let steps = steps.get(..3).unwrap_or_default();
        return Err(SchemaError::new(SchemaErrorKind::Depth, steps, message));
    }
    Ok(())
}

fn check_name(name: &str, steps: &[EnsureStep]) -> Result<(), SchemaError> {
    let message = if name.is_empty() {
        "a field here has an empty name; give it one".to_owned()
    } else if name.starts_with('$') {
        format!("the field name {name:?} starts with `$`, which is reserved; choose another name")
    } else {
        return Ok(());
    };
    Err(SchemaError::new(SchemaErrorKind::Name, steps, message))
}

pub(super) fn check_hint(name: &str, steps: &[EnsureStep]) -> Result<(), SchemaError> {
    let message = if name.trim().is_empty() {
        "the type is empty; write one, as \"str\""
    } else if name.chars().any(char::is_control) {
        "a type is one line; put the explanation into the description"
    } else {
        return Ok(());
    };
    Err(SchemaError::new(SchemaErrorKind::Type, steps, message))
}

impl From<&Schema> for SchemaBuilder {
    fn from(schema: &Schema) -> Self {
        let draft = match schema.shape() {
            Shape::Object(fields) => Draft::Object(
                fields
                    .iter()
                    .map(|field| (field.name().to_owned(), field.schema().into()))
                    .collect(),
            ),
            Shape::List(item) => Draft::List(item.as_ref().map(|item| Box::new(Self::from(item)))),
            Shape::Leaf(value_type) => Draft::Leaf(value_type.clone()),
        };
        Self {
            draft,
            description: schema.description().map(str::to_owned),
            ensure: schema.ensure(),
            limits: schema.limits().cloned().unwrap_or_default(),
            absence: schema.absence(),
            values: schema.values().map(|values| Box::new(values.into())),
            fault: None,
        }
    }
}

impl From<Schema> for SchemaBuilder {
    fn from(schema: Schema) -> Self {
        Self::from(&schema)
    }
}

impl From<ValueType> for SchemaBuilder {
    fn from(value_type: ValueType) -> Self {
        Schema::leaf(value_type)
    }
}

impl TryFrom<SchemaBuilder> for Schema {
    type Error = SchemaError;

    fn try_from(builder: SchemaBuilder) -> Result<Self, SchemaError> {
        builder.build()
    }
}
