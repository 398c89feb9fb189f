//! The third slot of a field: "must be there".

use std::fmt;

use agently_api::data::{Node, Path, Segment};

use crate::schema::{Ensure, EnsureStep, Schema};

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
    let mut faults = Vec::new();
    for rule in schema.ensure_paths() {
        check(&rule.steps, rule.ensure, data, &Path::root(), &mut faults);
    }
    faults
}

fn check(steps: &[EnsureStep], ensure: Ensure, data: &Node, path: &Path, faults: &mut Vec<Unmet>) {
    match steps.split_first() {
        None => {
            if ensure == Ensure::NotNull && is_empty(data) {
                faults.push(Unmet {
                    path: path.to_string(),
                    what: What::Empty,
                });
            }
        }
        Some((EnsureStep::Key(key), rest)) => {
            let path = path.child(Segment::Key(key.clone()));
            match data.get(key) {
                Some(value) => check(rest, ensure, value, &path, faults),
                None => faults.push(Unmet {
                    path: path.to_string(),
                    what: What::Missing,
                }),
            }
        }
        Some((EnsureStep::Each, rest)) => match data {
            Node::Array(items) if items.is_empty() && ensure == Ensure::NotNull => {
                faults.push(Unmet {
                    path: path.to_string(),
                    what: What::Empty,
                });
            }
            Node::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    check(rest, ensure, item, &path.index(index), faults);
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
