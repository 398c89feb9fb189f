use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::{Ensure, Node, Shape};

/// Writes calls of `agently_core::schema::__private`.
pub(super) struct Expand {
    /// The path of `agently_core` where the macro is used.
    pub(super) root: TokenStream,
}

impl Expand {
    pub(super) fn node(&self, node: &Node) -> TokenStream {
        let root = &self.root;
        let shape = self.shape(&node.shape);
        if node.description.is_none() && node.ensure == Ensure::None {
            return shape;
        }
        let description = match &node.description {
            Some(text) => quote!(#root::schema::__private::Option::Some(#text)),
            None => quote!(#root::schema::__private::Option::None),
        };
        let ensure = match node.ensure {
            Ensure::None => quote!(None),
            Ensure::Present => quote!(Present),
            Ensure::NotNull => quote!(NotNull),
        };
        quote! {
            #root::schema::__private::with(
                #shape,
                #description,
                #root::schema::__private::Ensure::#ensure,
            )
        }
    }

    fn shape(&self, shape: &Shape) -> TokenStream {
        let root = &self.root;
        match shape {
            Shape::Object(fields) => {
                let names = fields.iter().map(|(name, _)| name);
                let shapes = fields.iter().map(|(_, node)| self.node(node));
                quote!(#root::schema::__private::object([#((#names, #shapes)),*]))
            }
            Shape::List(None) => {
                quote!(#root::schema::__private::list(
                    #root::schema::__private::Option::None
                ))
            }
            Shape::List(Some(item)) => {
                let item = self.node(item);
                quote!(#root::schema::__private::list(
                    #root::schema::__private::Option::Some(#item)
                ))
            }
            Shape::Leaf(variant) => {
                let variant = Ident::new(variant, Span::call_site());
                quote!(#root::schema::__private::leaf(
                    #root::schema::__private::ValueType::#variant
                ))
            }
            Shape::Custom(name) => {
                quote!(#root::schema::__private::leaf(
                    #root::schema::__private::custom(#name)
                ))
            }
        }
    }
}
