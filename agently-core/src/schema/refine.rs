//! What a schema in the making can say beside its shape: limits, and what may be missing.

use serde_json::Value;

use super::build::Draft;
use super::tree::Absence;
use super::{Choice, Limits, Pattern, SchemaBuilder, SchemaErrorKind};

/// What a value must be like, beyond its type.
impl SchemaBuilder {
    /// Says that it may be missing or null; then nothing below it is asked for either.
    pub fn optional(mut self) -> Self {
        self.absence = Absence::MissingOrNull;
        self
    }

    /// Says that it may be missing, but not null; then nothing below it is asked for either.
    pub fn omittable(mut self) -> Self {
        self.absence = self.absence.max(Absence::Missing);
        self
    }

    /// Asks for at least this many characters of a text.
    pub fn min_len(mut self, characters: usize) -> Self {
        self.limits.min_len = Some(characters);
        self
    }

    /// Asks for at most this many characters of a text.
    pub fn max_len(mut self, characters: usize) -> Self {
        self.limits.max_len = Some(characters);
        self
    }

    /// Asks for at least this many items of a list.
    pub fn min_items(mut self, items: usize) -> Self {
        self.limits.min_items = Some(items);
        self
    }

    /// Asks for at most this many items of a list.
    pub fn max_items(mut self, items: usize) -> Self {
        self.limits.max_items = Some(items);
        self
    }

    /// The smallest number. One that JSON cannot write (NaN, infinity) says nothing.
    pub fn min(mut self, number: impl Into<Value>) -> Self {
        self.limits.min = number.into().as_number().cloned();
        self
    }

    /// The greatest number. One that JSON cannot write (NaN, infinity) says nothing.
    pub fn max(mut self, number: impl Into<Value>) -> Self {
        self.limits.max = number.into().as_number().cloned();
        self
    }

    /// Asks that there be something in it, if it is there at all: no blank text, no empty list.
    pub fn not_empty(mut self) -> Self {
        self.limits.not_empty = true;
        self
    }

    /// The only texts that are allowed.
    pub fn one_of<C: Into<Choice>>(mut self, choices: impl IntoIterator<Item = C>) -> Self {
        self.limits.one_of = choices.into_iter().map(Into::into).collect();
        self
    }

    /// A regular expression that must match somewhere in a text; see [`Pattern`].
    pub fn pattern(mut self, pattern: &str) -> Self {
        match Pattern::new(pattern) {
            Ok(pattern) => self.limits.pattern = Some(pattern),
            Err(error) => self.fail(
                SchemaErrorKind::Limit,
                format!("{pattern:?} is no regular expression: {error}"),
            ),
        }
        self
    }

    /// Says more of the items of a list.
    pub fn each(mut self, change: impl FnOnce(Self) -> Self) -> Self {
        match &mut self.draft {
            Draft::List(Some(item)) => {
                let same = std::mem::replace(&mut **item, Self::new(Draft::List(None)));
                **item = change(same);
            }
            _ => self.fail(
                SchemaErrorKind::Form,
                "it is no list with a declared item; start from `Schema::list(…)`".to_owned(),
            ),
        }
        self
    }

    /// What each value of an open object is like, whatever its key.
    pub fn values(mut self, schema: impl Into<Self>) -> Self {
        if !matches!(&self.draft, Draft::Object(fields) if fields.is_empty()) {
            self.fail(
                SchemaErrorKind::Form,
                "only an object without declared fields has values of one shape".to_owned(),
            );
        }
        self.values = Some(Box::new(schema.into()));
        self
    }

    /// Adds the fields of another object, as if they were declared here. An open one adds nothing.
    pub fn flatten(mut self, other: impl Into<Self>) -> Self {
        let other = other.into();
        let absence = other.absence;
        if let Some((kind, message)) = other.fault {
            self.fail(kind, message);
        }
        match (&mut self.draft, other.draft) {
            (Draft::Object(fields), Draft::Object(more)) => {
                fields.extend(
                    more.into_iter()
                        .map(|(name, field)| (name, field.absent(absence))),
                );
            }
            _ => self.fail(
                SchemaErrorKind::Form,
                "only the fields of an object can be flattened into an object".to_owned(),
            ),
        }
        self
    }

    pub(super) fn absent(mut self, absence: Absence) -> Self {
        self.absence = self.absence.max(absence);
        self
    }

    pub(crate) fn fail(&mut self, kind: SchemaErrorKind, message: String) {
        self.fault.get_or_insert((kind, message));
    }

    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }
}
