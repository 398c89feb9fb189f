//! The schema, laid out for readings that walk through it side by side.

use std::collections::HashMap;

use crate::schema::{Schema, Shape, ValueType};

/// A place in the schema.
pub(super) type SpecId = usize;

/// The place about which nothing is known.
pub(super) const ANY: SpecId = 0;

/// What the schema says of one place.
#[derive(Debug)]
enum Spec {
    Any,
    Object(HashMap<Box<str>, Known>),
    List(SpecId),
    Leaf(ValueType),
}

/// A declared key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The bit that stands for it, if it has one.
    pub(super) bit: u128,
    /// What its value is.
    pub(super) value: SpecId,
}

/// A kind of value without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Null,
    Bool,
    Number,
    Text,
}

#[derive(Debug)]
pub(super) struct Plan {
    specs: Vec<Spec>,
    root: SpecId,
    wrapped: SpecId,
}

impl Plan {
    pub(super) fn new(schema: &Schema) -> Self {
        let mut plan = Self {
            specs: vec![Spec::Any],
            root: ANY,
            wrapped: ANY,
        };
        plan.root = plan.add(schema);
        plan.wrapped = plan.put(Spec::List(plan.root));
        plan
    }

    fn put(&mut self, spec: Spec) -> SpecId {
        self.specs.push(spec);
        self.specs.len() - 1
    }

    /// Schemas are at most 128 levels deep.
    fn add(&mut self, schema: &Schema) -> SpecId {
        match schema.shape() {
            Shape::Object(fields) if !fields.is_empty() => {
                let mut keys = HashMap::with_capacity(fields.len());
                for (index, field) in fields.iter().enumerate() {
                    let value = self.add(field.schema());
                    let bit = u32::try_from(index)
                        .ok()
                        .and_then(|index| 1_u128.checked_shl(index))
                        .unwrap_or_default();
                    keys.insert(field.name().into(), Known { bit, value });
                }
                self.put(Spec::Object(keys))
            }
            Shape::List(Some(item)) => {
                let item = self.add(item);
                self.put(Spec::List(item))
            }
            Shape::Leaf(leaf) => self.put(Spec::Leaf(leaf.clone())),
            Shape::Object(_) => self.put(Spec::Object(HashMap::new())),
            Shape::List(None) => self.put(Spec::List(ANY)),
        }
    }

    fn spec(&self, id: SpecId) -> &Spec {
        self.specs.get(id).unwrap_or(&Spec::Any)
    }

    /// What the outermost container is; a list may be the model's own wrapping.
    pub(super) fn root(&self, object: bool) -> SpecId {
        match self.spec(self.root) {
            Spec::Object(_) if !object => self.wrapped,
            _ => self.root,
        }
    }

    /// Whether the document is a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.spec(self.root), Spec::List(_))
    }

    /// The place in the schema of a container that stands at `id`; `None` if the schema has no
    /// such container there.
    pub(super) fn container(&self, id: SpecId, object: bool) -> Option<SpecId> {
        match self.spec(id) {
            Spec::Any => Some(ANY),
            Spec::Object(_) => object.then_some(id),
            Spec::List(_) => (!object).then_some(id),
            Spec::Leaf(ValueType::Any | ValueType::Custom(_)) => Some(ANY),
            Spec::Leaf(_) => None,
        }
    }

    /// Whether such a value may stand there. `null` may stand anywhere.
    pub(super) fn fits(&self, id: SpecId, value: Scalar) -> bool {
        match self.spec(id) {
            Spec::Any => true,
            Spec::Object(_) | Spec::List(_) => value == Scalar::Null,
            Spec::Leaf(leaf) => match leaf {
                ValueType::Any | ValueType::Custom(_) => true,
                _ if value == Scalar::Null => true,
                ValueType::Str => value == Scalar::Text,
                ValueType::Int | ValueType::Float | ValueType::Number => value == Scalar::Number,
                ValueType::Bool => value == Scalar::Bool,
                ValueType::Null => false,
            },
        }
    }

    /// What the items of the list at `id` are.
    pub(super) fn item(&self, id: SpecId) -> SpecId {
        match self.spec(id) {
            Spec::List(item) => *item,
            _ => ANY,
        }
    }

    /// Whether the object at `id` may have any keys.
    pub(super) fn is_open(&self, id: SpecId) -> bool {
        match self.spec(id) {
            Spec::Object(keys) => keys.is_empty(),
            _ => true,
        }
    }

    /// The declared key of the object at `id`.
    pub(super) fn key(&self, id: SpecId, key: &str) -> Option<Known> {
        match self.spec(id) {
            Spec::Object(keys) => keys.get(key).copied(),
            _ => None,
        }
    }

    /// How many declared keys of the object at `id` are not among the `seen` ones.
    pub(super) fn missing(&self, id: SpecId, seen: u128) -> u32 {
        match self.spec(id) {
            Spec::Object(keys) => {
                let declared = u32::try_from(keys.len())
                    .unwrap_or(u32::MAX)
                    .min(u128::BITS);
                declared.saturating_sub(seen.count_ones())
            }
            _ => 0,
        }
    }

    /// The outermost declared key, for finding where a document starts.
    pub(super) fn starts_with(&self, key: &str) -> bool {
        self.is_open(self.root) || self.key(self.root, key).is_some()
    }
}
