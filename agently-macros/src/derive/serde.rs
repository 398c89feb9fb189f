//! What serde's attributes say of names and of what may be missing. Those that do not matter here
//! are read over.

use proc_macro2::{Span, TokenStream};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{parenthesized, Attribute, Expr, LitStr, Result, Token, Type};

use super::case::Case;
use super::Faults;

/// On a type.
#[derive(Default)]
pub(super) struct ContainerSerde {
    pub(super) rename_all: Option<Case>,
    pub(super) default: bool,
    /// `from` or `try_from`: the type whose shape it has.
    pub(super) from: Option<Type>,
    pub(super) transparent: bool,
    /// `tag`, `content` or `untagged`.
    pub(super) tagged: Option<Span>,
    /// `remote`: the type that is described is another one.
    pub(super) remote: Option<Span>,
}

/// On a field or a variant.
#[derive(Default)]
pub(super) struct PartSerde {
    pub(super) rename: Option<String>,
    pub(super) skip: bool,
    pub(super) default: bool,
    pub(super) flatten: bool,
    /// `with` or `deserialize_with`: serde reads the field in a way of its own.
    pub(super) with: Option<Span>,
    /// `other`: any further name is this variant.
    pub(super) other: bool,
}

impl ContainerSerde {
    pub(super) fn read(attributes: &[Attribute], faults: &mut Faults) -> Self {
        let mut read = Self::default();
        each(attributes, faults, |meta| {
            let name = name(&meta);
            match name.as_str() {
                "rename_all" => {
                    if let Some(case) = renamed(&meta)? {
                        read.rename_all = Some(Case::read(&case)?);
                    }
                    Ok(())
                }
                "default" => {
                    read.default = true;
                    skip_value(&meta)
                }
                "from" | "try_from" => {
                    read.from = Some(text(&meta)?.parse()?);
                    Ok(())
                }
                "transparent" => {
                    read.transparent = true;
                    Ok(())
                }
                "tag" | "content" | "untagged" => {
                    read.tagged = Some(meta.path.span());
                    skip_value(&meta)
                }
                "remote" => {
                    read.remote = Some(meta.path.span());
                    skip_value(&meta)
                }
                _ => skip_value(&meta),
            }
        });
        read
    }
}

impl PartSerde {
    pub(super) fn read(attributes: &[Attribute], faults: &mut Faults) -> Self {
        let mut read = Self::default();
        each(attributes, faults, |meta| {
            let name = name(&meta);
            match name.as_str() {
                "rename" => {
                    if let Some(name) = renamed(&meta)? {
                        read.rename = Some(name.value());
                    }
                    return Ok(());
                }
                "skip" | "skip_deserializing" => read.skip = true,
                "default" => read.default = true,
                "flatten" => read.flatten = true,
                "with" | "deserialize_with" => read.with = Some(meta.path.span()),
                "other" => read.other = true,
                _ => {}
            }
            skip_value(&meta)
        });
        read
    }
}

fn each(
    attributes: &[Attribute],
    faults: &mut Faults,
    mut read: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) {
    for attribute in attributes {
        if attribute.path().is_ident("serde") {
            faults.keep(attribute.parse_nested_meta(&mut read));
        }
    }
}

fn name(meta: &ParseNestedMeta<'_>) -> String {
    meta.path
        .get_ident()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    meta.value()?.parse()
}

/// `= "name"` or `(deserialize = "name", …)`, of which serialising is nothing to us.
fn renamed(meta: &ParseNestedMeta<'_>) -> Result<Option<LitStr>> {
    if meta.input.peek(Token![=]) {
        return text(meta).map(Some);
    }
    let mut renamed = None;
    meta.parse_nested_meta(|meta| {
        let name = text(&meta)?;
        if meta.path.is_ident("deserialize") {
            renamed = Some(name);
        }
        Ok(())
    })?;
    Ok(renamed)
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        parenthesized!(content in meta.input);
        content.parse::<TokenStream>()?;
    }
    Ok(())
}
