//! One field of a struct.

use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Ident, Type, Visibility};

use super::case::Case;
use super::docs::description;
use super::limits::Limits;
use super::serde::PartSerde;
use super::Faults;

pub(super) struct Field {
    /// `None` in a tuple struct.
    pub(super) name: Option<Ident>,
    pub(super) visibility: Visibility,
    /// The key in the answer.
    pub(super) key: String,
    /// The type whose shape is told to the model: usually that of the field.
    pub(super) ty: Type,
    pub(super) description: Option<String>,
    pub(super) limits: Limits,
    pub(super) flatten: bool,
    /// Whether serde has a value for it when it is missing.
    pub(super) omittable: bool,
}

impl Field {
    /// `None` for a field that is not read from the answer.
    pub(super) fn read(
        field: &syn::Field,
        rename_all: Option<Case>,
        default: bool,
        faults: &mut Faults,
    ) -> Option<Self> {
        let serde = PartSerde::read(&field.attrs, faults);
        let mut limits = limits(&field.attrs, faults);
        if serde.skip {
            if !limits.is_empty() {
                faults.add(Error::new(
                    field.span(),
                    "this field is skipped, so nothing can be said of it; remove `#[output(…)]`",
                ));
            }
            return None;
        }
        if let (Some(span), None) = (serde.with, &limits.shape) {
            faults.add(Error::new(
                span,
                "serde reads this field in a way of its own, so its shape is unknown; \
                 name a type of that shape, as `#[output(as = \"String\")]`",
            ));
        }
        if serde.flatten && !limits.is_empty() && limits.shape.is_none() {
            faults.add(Error::new(
                field.span(),
                "a flattened field is not in the answer itself; limit the fields of its type",
            ));
        }
        let key = match (serde.rename, &field.ident) {
            (Some(key), _) => key,
            (None, Some(name)) => {
                let name = name.unraw().to_string();
                rename_all.map_or_else(|| name.clone(), |case| case.of_field(&name))
            }
            (None, None) => String::new(),
        };
        let described = limits.description.take();
        Some(Self {
            name: field.ident.clone(),
            visibility: field.vis.clone(),
            key,
            ty: limits.shape.take().unwrap_or_else(|| field.ty.clone()),
            description: described.or_else(|| description(&field.attrs)),
            limits,
            flatten: serde.flatten,
            omittable: serde.default || default,
        })
    }
}

fn limits(attributes: &[Attribute], faults: &mut Faults) -> Limits {
    let mut limits = Limits::default();
    for attribute in attributes {
        if attribute.path().is_ident("output") {
            faults.keep(attribute.parse_nested_meta(|meta| limits.read(&meta, false)));
        }
    }
    limits
}
