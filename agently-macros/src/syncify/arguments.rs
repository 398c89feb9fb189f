use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Ident, Path, Result, Token};

use super::attributes::is_marker;

/// What is said once, on the block.
pub(super) struct BlockArguments {
    /// A `fn(&Self) -> B`.
    pub(super) blocker: Path,
    /// The iterator type of methods that name none.
    pub(super) iter: Option<Path>,
    /// The name of the table.
    pub(super) pairs: Ident,
}

impl Parse for BlockArguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut blocker, mut iter, mut pairs) = (None, None, None);
        while !input.is_empty() {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            let repeated = match name.to_string().as_str() {
                "blocker" => blocker.replace(input.parse()?).is_some(),
                "iter" => iter.replace(input.parse()?).is_some(),
                "pairs" => pairs.replace(input.parse()?).is_some(),
                other => {
                    return Err(Error::new(
                        name.span(),
                        format!("there is no argument `{other}`; write `blocker = Self::blocker`, and if needed `iter = Type` and `pairs = NAME`"),
                    ))
                }
            };
            if repeated {
                return Err(Error::new(name.span(), "this argument is given twice"));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let Some(blocker) = blocker else {
            return Err(Error::new(
                Span::call_site(),
                "the blocker is missing; write `#[syncify(blocker = Self::blocker)]`, a path to a `fn(&Self) -> B`",
            ));
        };
        Ok(Self {
            blocker,
            iter,
            pairs: pairs.unwrap_or_else(|| Ident::new("SYNC_PAIRS", Span::call_site())),
        })
    }
}

/// What a marker on a method says.
pub(super) enum Marker {
    Skip,
    Iter(Span, Option<Path>),
}

impl Marker {
    /// Takes the marker off a method.
    pub(super) fn take(attributes: &mut Vec<Attribute>) -> Result<Option<Self>> {
        let mut found = None;
        let mut fault = None;
        attributes.retain(|attribute| {
            if !is_marker(attribute) {
                return true;
            }
            match attribute.parse_args_with(Self::parse) {
                Ok(_) if found.is_some() => {
                    fault = Some(Error::new_spanned(attribute, "a method has one marker"));
                }
                Ok(marker) => found = Some(marker),
                Err(error) => fault = Some(error),
            }
            false
        });
        fault.map_or(Ok(found), Err)
    }

    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let marker = match name.to_string().as_str() {
            "skip" => Self::Skip,
            "iter" if input.peek(Token![=]) => {
                input.parse::<Token![=]>()?;
                Self::Iter(name.span(), Some(input.parse()?))
            }
            "iter" => Self::Iter(name.span(), None),
            other => {
                return Err(Error::new(
                    name.span(),
                    format!("there is no marker `{other}`; write `skip`, `iter` or `iter = Type`"),
                ))
            }
        };
        if !input.is_empty() {
            return Err(input.error("a marker is one of `skip`, `iter` and `iter = Type`"));
        }
        Ok(marker)
    }
}
