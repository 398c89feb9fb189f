//! The limits of fields: lengths, ranges, choices.

use agently_api::data::{Node, Path, Segment};

use super::ensure::unmet_at;
use crate::schema::{Schema, Shape};

/// Every limit that `data` breaks, in schema order, with the path of the field.
pub(super) fn broken_limits(schema: &Schema, data: &Node) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, data, &Path::root(), &mut faults);
    faults
}

/// What this one value breaks, its parts aside.
pub(super) fn broken_by(schema: &Schema, data: &Node, path: &Path) -> Option<String> {
    let fault = schema.limits()?.broken_by(data)?;
    Some(match path.is_root() {
        true => format!("the answer {fault}"),
        false => format!("`{path}` {fault}"),
    })
}

fn check(schema: &Schema, data: &Node, path: &Path, faults: &mut Vec<String>) {
    faults.extend(broken_by(schema, data, path));
    match (schema.shape(), data) {
        (Shape::Object(fields), Node::Object(_)) if !fields.is_empty() => {
            for field in fields {
                if let Some(value) = data.get(field.name()) {
                    check(field.schema(), value, &path.key(field.name()), faults);
                }
            }
        }
        (Shape::Object(_), Node::Object(values)) => {
            let Some(schema) = schema.values() else {
                return;
            };
            for (key, value) in values.iter() {
                let path = path.child(Segment::Key(key.clone()));
                // The rules of the whole answer name their keys, and these are not known there.
                let unmet = unmet_at(schema, value, &path);
                faults.extend(unmet.iter().map(ToString::to_string));
                check(schema, value, &path, faults);
            }
        }
        (Shape::List(Some(item)), Node::Array(items)) => {
            for (index, value) in items.iter().enumerate() {
                check(item, value, &path.index(index), faults);
            }
        }
        _ => {}
    }
}
