//! Finding the field of a schema that a path in words means.

use std::sync::Arc;

use crate::schema::{EnsureStep, Schema, Shape};

/// The exact steps of `path` (as in `items[*].name`) in `schema`, or what is wrong with it.
pub(crate) fn find(schema: &Schema, path: &str) -> Result<Vec<EnsureStep>, String> {
    let mut steps = Vec::new();
    let mut here = Some(schema);
    let mut rest = path;
    if rest.is_empty() {
        return Err("a rule for a field needs the field's path".to_owned());
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[*]") {
            here = match here.map(Schema::shape) {
                Some(Shape::List(item)) => item.as_ref(),
                None | Some(Shape::Leaf(_)) if here.is_none_or(Schema::is_open) => None,
                _ => return Err(format!("in `{path}`, `[*]` stands where there is no list")),
            };
            steps.push(EnsureStep::Each);
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let (key, after, below) = key(here, rest, path)?;
        steps.push(EnsureStep::Key(key));
        here = below;
        rest = after;
    }
    Ok(steps)
}

type Step<'a, 's> = (Arc<str>, &'a str, Option<&'s Schema>);

/// The key that `rest` begins with. The longest one wins, since a key may contain dots.
fn key<'a, 's>(
    here: Option<&'s Schema>,
    rest: &'a str,
    path: &str,
) -> Result<Step<'a, 's>, String> {
    let fields = here.map(Schema::fields).unwrap_or_default();
    let known = fields
        .iter()
        .filter_map(|field| {
            let after = rest.strip_prefix(field.name())?;
            (after.is_empty() || after.starts_with(['.', '['])).then_some((field, after))
        })
        .max_by_key(|(field, _)| field.name().len());
    if let Some((field, after)) = known {
        return Ok((field.name().into(), after, Some(field.schema())));
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if here.is_none_or(Schema::is_open) {
        return Ok((name.into(), after, None));
    }
    let names: Vec<_> = fields
        .iter()
        .map(|field| format!("`{}`", field.name()))
        .collect();
    Err(format!(
        "there is no field `{name}` for the rule on `{path}`; there are {}",
        names.join(", ")
    ))
}
