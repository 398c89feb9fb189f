use std::fmt;
use std::sync::Arc;

use super::limits::Limits;
use super::{Ensure, EnsureRule, EnsureStep, ValueType};

/// The shape of an answer: an object, a list or a leaf, with what each field is for and whether it
/// must be there.
///
/// A schema is a cheap clone and always well-formed: it is read with
/// [`from_value`](Self::from_value), written with [`output!`](crate::output), or built from
/// [`object`](Self::object).
#[derive(Clone, PartialEq)]
pub struct Schema(Arc<Node>);

#[derive(Clone, PartialEq)]
struct Node {
    shape: Shape,
    description: Option<Box<str>>,
    ensure: Ensure,
    /// What most schemas say nothing about.
    more: Option<Box<More>>,
}

/// What is said of a shape beside its description and whether it must be there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct More {
    pub(super) limits: Limits,
    pub(super) absence: Absence,
    pub(super) values: Option<Schema>,
}

/// Which ways not to give a value are good, the later the more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Absence {
    /// Nothing was said; what is required is said by [`Ensure`].
    #[default]
    Unsaid,
    /// It may be missing, but not null.
    Missing,
    /// It may be missing or null.
    MissingOrNull,
}

/// What a [`Schema`] is made of.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Shape {
    /// An object with these fields, in the order in which the model writes them. Without fields it
    /// is open: any object will do.
    Object(Vec<Field>),
    /// A list whose items all have this shape. Without one it is open: any items will do.
    List(Option<Schema>),
    /// A value without parts of its own.
    Leaf(ValueType),
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    name: Arc<str>,
    schema: Schema,
}

impl Field {
    pub(super) fn new(name: impl Into<Arc<str>>, schema: Schema) -> Self {
        Self {
            name: name.into(),
            schema,
        }
    }

    /// The key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape of its value.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

impl Schema {
    pub(super) fn new(shape: Shape) -> Self {
        Self(Arc::new(Node {
            shape,
            description: None,
            ensure: Ensure::None,
            more: None,
        }))
    }

    pub(super) fn with_more(self, more: More) -> Self {
        let mut node = Arc::unwrap_or_clone(self.0);
        // Keeping none for what says nothing makes equal schemas equal.
        node.more = (more != More::default()).then(|| Box::new(more));
        Self(Arc::new(node))
    }

    pub(super) fn more(&self) -> Option<&More> {
        self.0.more.as_deref()
    }

    pub(super) fn with(self, description: Option<Box<str>>, ensure: Ensure) -> Self {
        // A blank description says nothing; keeping none makes equal schemas equal.
        let description = description.filter(|text| !text.trim().is_empty());
        let mut node = Arc::unwrap_or_clone(self.0);
        node.description = description;
        node.ensure = ensure;
        Self(Arc::new(node))
    }

    /// What it is made of.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.0.shape
    }

    /// What it is for, in the author's words.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Whether it must be there.
    #[must_use]
    pub fn ensure(&self) -> Ensure {
        self.0.ensure
    }

    /// What its value must be like, beyond its type; `None` if anything goes.
    ///
    /// An answer that breaks a limit is refused, with the path of the field as the reason.
    #[must_use]
    pub fn limits(&self) -> Option<&Limits> {
        let limits = &self.more()?.limits;
        (!limits.is_empty()).then_some(limits)
    }

    /// Whether it may be missing, in which case nothing is asked of what lies below it either.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.absence() != Absence::Unsaid
    }

    /// Whether it may be null instead of missing.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.absence() == Absence::MissingOrNull
    }

    pub(super) fn absence(&self) -> Absence {
        self.more().map(|more| more.absence).unwrap_or_default()
    }

    /// What each value of an open object is like, whatever its key; `None` if that was not said.
    #[must_use]
    pub fn values(&self) -> Option<&Self> {
        self.more()?.values.as_ref()
    }

    /// Whether an answer without it is refused.
    pub(crate) fn is_required(&self) -> bool {
        self.ensure() != Ensure::None && !self.is_optional()
    }

    /// The fields of an object, in order; none for anything else.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        match self.shape() {
            Shape::Object(fields) => fields,
            _ => &[],
        }
    }

    /// The shape under this key of an object.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        self.fields()
            .iter()
            .find_map(|field| (field.name() == name).then_some(&field.schema))
    }

    /// The shape of a list's items.
    #[must_use]
    pub fn item(&self) -> Option<&Self> {
        match self.shape() {
            Shape::List(item) => item.as_ref(),
            _ => None,
        }
    }

    /// Whether this is an object without declared fields, or a list without a declared item.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.shape() {
            Shape::Object(fields) => fields.is_empty(),
            Shape::List(item) => item.is_none(),
            Shape::Leaf(_) => false,
        }
    }

    /// Whether there is a declared field anywhere in it.
    pub(crate) fn has_fields(&self) -> bool {
        !self.fields().is_empty()
            || self.item().is_some_and(Self::has_fields)
            || self.values().is_some_and(Self::has_fields)
    }

    /// What the whole answer is, for a sentence: "a JSON object", "a JSON list" or "a JSON value".
    #[must_use]
    pub fn describe_root(&self) -> &'static str {
        match self.shape() {
            Shape::Object(_) => "a JSON object",
            Shape::List(_) => "a JSON list",
            Shape::Leaf(_) => "a JSON value",
        }
    }

    /// Every field that must be there, in schema order, a container before its children.
    ///
    /// ```
    /// use agently_core::output;
    ///
    /// let schema = output!({ "title": (str, "Title", true), "items": [(str, "Point", "not_null")] });
    /// let paths: Vec<String> = schema.ensure_paths().iter().map(ToString::to_string).collect();
    /// assert_eq!(paths, ["title", "items[*]"]);
    /// ```
    #[must_use]
    pub fn ensure_paths(&self) -> Vec<EnsureRule> {
        let mut rules = Vec::new();
        self.collect_rules(&mut Vec::new(), &mut Vec::new(), &mut rules);
        rules
    }

    fn collect_rules(
        &self,
        steps: &mut Vec<EnsureStep>,
        optional: &mut Vec<(usize, bool)>,
        rules: &mut Vec<EnsureRule>,
    ) {
        if self.is_optional() {
            optional.push((steps.len(), self.is_nullable()));
        }
        if self.ensure() != Ensure::None {
            let rule = EnsureRule::new(steps.clone(), optional.clone(), self.ensure());
            rules.push(rule);
        }
        match self.shape() {
            Shape::Object(fields) => {
                for field in fields {
                    steps.push(EnsureStep::Key(field.name.clone()));
                    field.schema.collect_rules(steps, optional, rules);
                    steps.pop();
                }
            }
            Shape::List(Some(item)) => {
                steps.push(EnsureStep::Each);
                item.collect_rules(steps, optional, rules);
                steps.pop();
            }
            Shape::List(None) | Shape::Leaf(_) => {}
        }
        if self.is_optional() {
            optional.pop();
        }
    }
}

impl fmt::Debug for Schema {
    /// The portable spelling, which is what a person can read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.to_value())
    }
}
