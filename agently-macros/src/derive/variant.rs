//! One variant of an enum: a text that may be chosen.

use syn::ext::IdentExt as _;
use syn::{Error, Fields};

use super::case::Case;
use super::docs::description;
use super::serde::PartSerde;
use super::Faults;

pub(super) struct Variant {
    pub(super) key: String,
    pub(super) description: Option<String>,
    /// Whether it stands for every further text.
    pub(super) other: bool,
}

impl Variant {
    /// `None` for a variant that is not read from the answer.
    pub(super) fn read(
        variant: &syn::Variant,
        rename_all: Option<Case>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let serde = PartSerde::read(&variant.attrs, faults);
        if serde.skip {
            return None;
        }
        if !matches!(variant.fields, Fields::Unit) {
            faults.add(Error::new_spanned(
                variant,
                "a variant with data has no place in a schema; take a struct with a field for the \
                 kind and an `Option` for what only some kinds have",
            ));
        }
        if let Some(output) = variant
            .attrs
            .iter()
            .find(|attribute| attribute.path().is_ident("output"))
        {
            faults.add(Error::new_spanned(
                output,
                "a variant is described by its doc comment and named by `#[serde(rename)]`",
            ));
        }
        let name = variant.ident.unraw().to_string();
        let key = serde.rename.unwrap_or_else(|| {
            rename_all.map_or_else(|| name.clone(), |case| case.of_variant(&name))
        });
        Some(Self {
            key,
            description: description(&variant.attrs),
            other: serde.other,
        })
    }
}
