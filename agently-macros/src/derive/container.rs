//! The type itself.

use std::collections::HashSet;

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Error, Fields, LitStr, Path, Result, Type};

use super::docs::description;
use super::field::Field;
use super::serde::ContainerSerde;
use super::variant::Variant;
use super::Faults;

pub(super) struct Container {
    /// The path of `agently_core`, if it was given.
    pub(super) root: Option<Path>,
    pub(super) description: Option<String>,
    pub(super) shape: Shape,
}

pub(super) enum Shape {
    /// An object with these fields.
    Object(Vec<Field>),
    /// What its one field is.
    Same(Box<Field>),
    /// What another type is.
    Like(Box<Type>),
    /// One of these texts.
    Choice(Vec<Variant>),
}

impl Container {
    pub(super) fn read(input: &DeriveInput, faults: &mut Faults) -> Result<Self> {
        let serde = ContainerSerde::read(&input.attrs, faults);
        let own = OutputAttribute::read(&input.attrs, faults);
        if let Some(lifetime) = input.generics.lifetimes().next() {
            return Err(Error::new(
                lifetime.span(),
                "an output type owns its data, because the answer it was read from is gone by \
                 then; take `String` instead of `&str`",
            ));
        }
        if let Some(span) = serde.tagged.or(serde.remote) {
            return Err(Error::new(
                span,
                "this changes what serde reads in a way that has no place in a schema",
            ));
        }
        let shape = match (&input.data, serde.from) {
            (_, Some(ty)) => Shape::Like(Box::new(ty)),
            (Data::Union(_), None) => {
                return Err(Error::new(input.ident.span(), "a union is no output type"));
            }
            (Data::Enum(data), None) => {
                let variants: Vec<Variant> = data
                    .variants
                    .iter()
                    .filter_map(|variant| Variant::read(variant, serde.rename_all, faults))
                    .collect();
                if variants.is_empty() {
                    return Err(Error::new(
                        input.ident.span(),
                        "an enum without variants leaves nothing to answer",
                    ));
                }
                Shape::Choice(variants)
            }
            (Data::Struct(data), None) => {
                let span = input.ident.span();
                let fields: Vec<Field> = data
                    .fields
                    .iter()
                    .filter_map(|field| Field::read(field, serde.rename_all, serde.default, faults))
                    .collect();
                let whole = serde.transparent || !matches!(data.fields, Fields::Named(_));
                object_or_same(fields, whole, &data.fields, span, faults)?
            }
        };
        Ok(Self {
            root: own.root,
            description: own.description.or_else(|| description(&input.attrs)),
            shape,
        })
    }
}

fn object_or_same(
    mut fields: Vec<Field>,
    same: bool,
    written: &Fields,
    span: Span,
    faults: &mut Faults,
) -> Result<Shape> {
    if same {
        return match (fields.pop(), fields.is_empty()) {
            // A skipped field beside it makes it a list for serde.
            (Some(field), true) if written.len() == 1 || matches!(written, Fields::Named(_)) => {
                Ok(Shape::Same(Box::new(field)))
            }
            (None, _) => Err(Error::new(
                span,
                "a struct without fields leaves nothing to answer",
            )),
            _ => Err(Error::new(
                span,
                "the fields of an answer have names; give these some, as `struct Point { x: f64, y: f64 }`",
            )),
        };
    }
    if fields.is_empty() {
        return Err(Error::new(
            span,
            "a struct without fields leaves nothing to answer; for any object take \
             `serde_json::Map<String, serde_json::Value>`",
        ));
    }
    let mut keys = HashSet::new();
    for field in fields.iter().filter(|field| !field.flatten) {
        let span = field.name.as_ref().map_or(span, |name| name.span());
        if field.key.is_empty() {
            faults.add(Error::new(span, "the name of a field cannot be empty"));
        } else if field.key.starts_with('$') {
            faults.add(Error::new(
                span,
                "names that start with `$` are reserved; choose another name",
            ));
        } else if !keys.insert(&field.key) {
            let key = &field.key;
            faults.add(Error::new(
                span,
                format!("two fields are called `{key}` in the answer"),
            ));
        }
    }
    Ok(Shape::Object(fields))
}

/// `#[output(…)]` on the type.
#[derive(Default)]
struct OutputAttribute {
    root: Option<Path>,
    description: Option<String>,
}

impl OutputAttribute {
    fn read(attributes: &[Attribute], faults: &mut Faults) -> Self {
        let mut read = Self::default();
        for attribute in attributes {
            if !attribute.path().is_ident("output") {
                continue;
            }
            faults.keep(attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("crate") {
                    read.root = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                } else if meta.path.is_ident("desc") {
                    read.description = Some(meta.value()?.parse::<LitStr>()?.value());
                } else {
                    return Err(Error::new(
                        meta.path.span(),
                        "on a type, `output` knows `desc` and `crate`; limits belong to its fields",
                    ));
                }
                Ok(())
            }));
        }
        read
    }
}
