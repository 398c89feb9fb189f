//! The third slot of a field: "must be there".

use std::fmt;

use agently_api::data::{Node, Path, Segment};

use crate::schema::{Ensure, EnsureRule, EnsureStep, Schema};

/// A required field that is not as required.
#[derive(Debug)]
pub(super) struct Unmet {
    path: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Missing,
    Empty,
    NoList,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Missing => "is missing",
            What::Empty => "must not be empty",
            What::NoList => "must be a list",
        };
        write!(f, "`{}` {what}", self.path)
    }
}

/// Every required field of `schema` that `data` does not have as required, in schema order.
pub(super) fn unmet(schema: &Schema, data: &Node) -> Vec<Unmet> {
    unmet_at(schema, data, &Path::root())
}

/// [`unmet`] for a part of the answer, which is at `path`.
pub(super) fn unmet_at(schema: &Schema, data: &Node, path: &Path) -> Vec<Unmet> {
    let mut faults = Vec::new();
    for rule in schema.ensure_paths() {
        check(&rule, 0, data, path, &mut faults);
    }
    faults
}

/// Follows the rule from its step `at`, which starts at `data`.
fn check(rule: &EnsureRule, at: usize, data: &Node, path: &Path, faults: &mut Vec<Unmet>) {
    if rule.is_nullable_at(at) && matches!(data, Node::Null) {
        return;
    }
    match rule.steps.get(at) {
        None => {
            if rule.ensure == Ensure::NotNull && is_empty(data) {
                faults.push(Unmet {
                    path: path.to_string(),
                    what: What::Empty,
                });
            }
        }
        Some(EnsureStep::Key(key)) => {
            let path = path.child(Segment::Key(key.clone()));
            match data.get(key) {
                Some(value) => check(rule, at + 1, value, &path, faults),
                None if rule.is_optional_at(at + 1) => {}
                None => faults.push(Unmet {
                    path: path.to_string(),
                    what: What::Missing,
                }),
            }
        }
        Some(EnsureStep::Each) => match data {
            Node::Array(items) if items.is_empty() && rule.ensure == Ensure::NotNull => {
                faults.push(Unmet {
                    path: path.to_string(),
                    what: What::Empty,
                });
            }
            Node::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    check(rule, at + 1, item, &path.index(index), faults);
                }
            }
            _ => faults.push(Unmet {
                path: path.to_string(),
                what: What::NoList,
            }),
        },
    }
}

/// Null, blank text, and a list or object without anything in it. `false` and `0` are something.
pub(super) fn is_empty(data: &Node) -> bool {
    match data {
        Node::Null => true,
        Node::Bool(_) | Node::Number(_) => false,
        Node::String(text) => text.with_str(|text| text.trim().is_empty()),
        Node::Array(items) => items.is_empty(),
        Node::Object(fields) => fields.is_empty(),
    }
}
