//! The ways to the fields of a type.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{parse_quote, DeriveInput, GenericParam, Generics, Ident};

use super::container::Shape;
use super::field::Field;

/// The type of the ways to this type, between `__Root` and `__Target`, and its definition if it is
/// one of its own.
pub(super) fn paths(
    input: &DeriveInput,
    generics: &Generics,
    shape: &Shape,
) -> (TokenStream, TokenStream) {
    match shape {
        Shape::Like(ty) => (way(ty, &quote!(__Target)), TokenStream::new()),
        Shape::Same(field) => (way(&field.ty, &quote!(__Target)), TokenStream::new()),
        Shape::Choice(_) => (
            quote!(__agently::ValuePath<__Root, __Target>),
            TokenStream::new(),
        ),
        Shape::Object(fields) => object_paths(input, generics, fields),
    }
}

/// The type of the ways to a `ty` that is in a `target`.
fn way(ty: &syn::Type, target: &TokenStream) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as __agently::Output>::Path<__Root, #target>)
}

fn object_paths(
    input: &DeriveInput,
    generics: &Generics,
    fields: &[Field],
) -> (TokenStream, TokenStream) {
    let name = format_ident!("__{}Path", input.ident);
    let visibility = &input.vis;
    let declared = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let name = &parameter.ident;
            quote!(#name)
        }
        other => quote!(#other),
    });
    let declared = quote!(<__Root, __Target #(, #declared)*>);
    let arguments = generics.params.iter().map(argument);
    let arguments = quote!(<__Root, __Target #(, #arguments)*>);
    let types: Vec<&Ident> = generics
        .type_params()
        .map(|parameter| &parameter.ident)
        .collect();
    let ends = quote!(__agently::PhantomData<fn() -> (__Root, __Target #(, #types)*)>);

    let mut bounded = generics.clone();
    bounded
        .params
        .insert(0, parse_quote!(__Root: __agently::Output));
    bounded
        .params
        .insert(1, parse_quote!(__Target: __agently::Output));
    let (implemented, _, bounds) = bounded.split_for_impl();
    let spelt = format!("{}Path", input.ident);
    let (_, own, _) = input.generics.split_for_impl();
    let itself = &input.ident;
    let itself = quote!(#itself #own);
    let methods = fields.iter().filter_map(|field| method(field, &itself));
    let definition = quote! {
        #visibility struct #name #declared {
            steps: __agently::Steps,
            ends: #ends,
        }

        #[automatically_derived]
        impl #declared __agently::Clone for #name #arguments {
            fn clone(&self) -> Self {
                Self {
                    steps: __agently::Clone::clone(&self.steps),
                    ends: __agently::PhantomData,
                }
            }
        }

        #[automatically_derived]
        impl #declared __agently::Debug for #name #arguments {
            fn fmt(&self, __f: &mut __agently::Formatter<'_>) -> __agently::Result {
                __f.write_fmt(::core::format_args!("{}({})", #spelt, self.steps))
            }
        }

        #[automatically_derived]
        impl #implemented __agently::FieldPath for #name #arguments #bounds {
            type Root = __Root;
            type Target = __Target;

            fn from_steps(steps: __agently::Steps) -> Self {
                Self { steps, ends: __agently::PhantomData }
            }

            fn steps(&self) -> &__agently::Steps {
                &self.steps
            }
        }

        #[automatically_derived]
        impl #implemented #name #arguments #bounds {
            #(#methods)*
        }
    };
    (quote!(#name #arguments), definition)
}

fn argument(parameter: &GenericParam) -> &Ident {
    match parameter {
        GenericParam::Type(parameter) => &parameter.ident,
        GenericParam::Const(parameter) => &parameter.ident,
        GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
    }
}

/// The type, with `Self` by its name: inside the path's methods it would mean the path.
fn by_name(tokens: TokenStream, itself: &TokenStream) -> TokenStream {
    let named = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => itself.clone(),
        TokenTree::Group(group) => {
            let inner = by_name(group.stream(), itself);
            let mut named = Group::new(group.delimiter(), inner);
            named.set_span(group.span());
            TokenTree::Group(named).into()
        }
        token => token.into(),
    });
    named.collect()
}

fn method(field: &Field, itself: &TokenStream) -> Option<TokenStream> {
    let Field {
        name,
        visibility,
        key,
        ty,
        ..
    } = field;
    let name = name.as_ref()?;
    let named = by_name(quote!(#ty), itself);
    let way = quote_spanned! {ty.span()=>
        <#named as __agently::Output>::Path<__Root, #named>
    };
    // A flattened field's own fields stand where it would.
    let steps = if field.flatten {
        quote!(__agently::Clone::clone(&self.steps))
    } else {
        quote!(self.steps.key(#key))
    };
    let doc = format!("The way to `{key}`.");
    Some(quote! {
        #[doc = #doc]
        #[must_use]
        #visibility fn #name(&self) -> #way {
            __agently::FieldPath::from_steps(#steps)
        }
    })
}
