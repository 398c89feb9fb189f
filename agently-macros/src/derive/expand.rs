//! The implementation of `Output`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{parse_quote, DeriveInput, GenericParam, Generics};

use super::container::{Container, Shape};
use super::field::Field;
use super::paths;
use super::variant::Variant;

pub(super) fn implementation(input: &DeriveInput, container: &Container) -> TokenStream {
    let name = &input.ident;
    let root: syn::Path = match &container.root {
        Some(root) => root.clone(),
        None => parse_quote!(::agently::engine),
    };
    let generics = bounded(&input.generics);
    let (implemented, arguments, bounds) = generics.split_for_impl();
    let (path, definition) = paths::paths(input, &generics, &container.shape);
    let described = describe(&container.shape);
    let spelt = name.to_string();
    let description = container
        .description
        .as_ref()
        .map(|description| quote!(.describe(#description)));
    quote! {
        #[doc(hidden)]
        #[allow(
            dead_code,
            missing_docs,
            non_snake_case,
            private_bounds,
            private_interfaces,
            unreachable_pub,
            unused_qualifications,
            clippy::all,
            clippy::nursery,
            clippy::pedantic,
            reason = "generated"
        )]
        const _: () = {
            use #root::typed::__private as __agently;

            #[automatically_derived]
            impl #implemented __agently::Output for #name #arguments #bounds {
                type Path<__Root: __agently::Output, __Target: __agently::Output> = #path;

                fn describe(__nesting: &mut __agently::Nesting) -> __agently::SchemaBuilder {
                    __nesting.enter::<Self>(#spelt, |__nesting| #described #description)
                }
            }

            #definition
        };
    }
}

/// The generics, each type in them an output type.
fn bounded(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for parameter in &mut generics.params {
        match parameter {
            GenericParam::Type(parameter) => {
                parameter.default = None;
                parameter.bounds.push(parse_quote!(__agently::Output));
            }
            GenericParam::Const(parameter) => parameter.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    generics
}

/// An expression: a `SchemaBuilder`.
fn describe(shape: &Shape) -> TokenStream {
    match shape {
        Shape::Like(ty) => described_type(ty),
        Shape::Same(field) => {
            let checks = field.limits.checks(&field.ty);
            let inner = described_type(&field.ty);
            let calls = field.limits.calls();
            let description = description(field);
            quote!({ #checks #inner #calls #description })
        }
        Shape::Object(fields) => {
            let checks = fields.iter().map(|field| field.limits.checks(&field.ty));
            let fields = fields.iter().map(described_field);
            quote!({ #(#checks)* __agently::Schema::object() #(#fields)* })
        }
        Shape::Choice(variants) => described_choice(variants),
    }
}

fn described_type(ty: &syn::Type) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as __agently::Output>::describe(__nesting))
}

fn described_field(field: &Field) -> TokenStream {
    let Field { key, limits, .. } = field;
    let inner = described_type(&field.ty);
    let omittable = field.omittable.then(|| quote!(.omittable()));
    if field.flatten {
        return quote!(.flatten(#inner #omittable));
    }
    let description = description(field);
    let limits = limits.calls();
    quote!(.field(#key, #inner #limits #description #omittable .required()))
}

fn description(field: &Field) -> Option<TokenStream> {
    let description = field.description.as_ref()?;
    Some(quote!(.describe(#description)))
}

fn described_choice(variants: &[Variant]) -> TokenStream {
    let choices = variants.iter().filter(|variant| !variant.other);
    if variants.iter().any(|variant| variant.other) {
        let mut names: Vec<String> = choices.map(|choice| format!("{:?}", choice.key)).collect();
        names.push("another string".to_owned());
        let hint = names.join(" | ");
        return quote!(__agently::Schema::leaf(__agently::ValueType::Custom(
            __agently::From::from(#hint)
        )));
    }
    let choices = choices.map(
        |Variant {
             key, description, ..
         }| match description {
            Some(description) => quote!(__agently::Choice::new(#key).describe(#description)),
            None => quote!(__agently::Choice::new(#key)),
        },
    );
    quote!(__agently::Schema::leaf(__agently::ValueType::Str).one_of([#(#choices),*]))
}
