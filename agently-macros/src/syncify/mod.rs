//! `#[syncify]`: from the async methods of a block to their blocking twins.

mod arguments;
mod attributes;
mod twin;

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::{Error, ImplItem, ItemImpl, Result};

use self::arguments::BlockArguments;
use self::twin::Twin;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    syncify(arguments, item.clone()).unwrap_or_else(|fault| {
        // The block stays, so that its methods are not reported missing as well.
        let fault = fault.into_compile_error();
        let item = without_markers(item.clone()).unwrap_or(item);
        quote!(#fault #item)
    })
}

fn syncify(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let arguments: BlockArguments = syn::parse2(arguments)?;
    let mut block: ItemImpl = syn::parse2(item).map_err(|fault| {
        Error::new(
            fault.span(),
            format!("`#[syncify]` is for `impl` blocks: {fault}"),
        )
    })?;
    if let Some((path, _)) = &block.trait_ {
        return Err(Error::new_spanned(
            path,
            "a trait's methods cannot get twins; put the async methods into an inherent `impl` block",
        ));
    }
    let mut items = Vec::with_capacity(block.items.len() * 2);
    let mut pairs = Vec::new();
    let mut faults: Option<Error> = None;
    for mut item in block.items {
        let twin = match &mut item {
            ImplItem::Fn(method) => Twin::of(method, &arguments),
            _ => Ok(None),
        };
        items.push(item);
        match twin {
            Ok(None) => {}
            Ok(Some(twin)) => {
                pairs.push(twin.pair());
                items.push(ImplItem::Verbatim(twin.into_token_stream()));
            }
            Err(fault) => match &mut faults {
                Some(faults) => faults.combine(fault),
                None => faults = Some(fault),
            },
        }
    }
    if let Some(faults) = faults {
        return Err(faults);
    }
    let table = &arguments.pairs;
    items.push(ImplItem::Verbatim(quote! {
        /// The blocking methods of this block, each with its async twin.
        #[doc(hidden)]
        pub const #table: &[(&str, &str)] = &[#(#pairs),*];
    }));
    block.items = items;
    Ok(block.into_token_stream())
}

/// The block as it was written, without the markers that only this macro knows.
fn without_markers(item: TokenStream) -> Result<TokenStream> {
    let mut block: ItemImpl = syn::parse2(item)?;
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item {
            method
                .attrs
                .retain(|attribute| !attributes::is_marker(attribute));
        }
    }
    Ok(block.into_token_stream())
}
