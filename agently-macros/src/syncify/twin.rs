use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned, ToTokens};
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, GenericArgument, GenericParam, ImplItemFn, Pat, Path, PathArguments,
    ReceiverKind, Result, ReturnType, Signature, Type, TypeParamBound, Visibility,
};

use super::arguments::{BlockArguments, Marker};
use super::attributes::{conditions, documentation, inherited};

/// The blocking twin of one method.
pub(super) struct Twin {
    method: Ident,
    name: Ident,
    conditions: Vec<Attribute>,
    tokens: TokenStream,
}

/// How a method is turned into a blocking one.
enum Way {
    /// Its future is waited for.
    Run(Type),
    /// Its stream is made an iterator of this type.
    Iter(Type, Path),
}

impl Twin {
    /// The twin of `method`, if it gets one. Takes the marker off the method.
    pub(super) fn of(method: &mut ImplItemFn, block: &BlockArguments) -> Result<Option<Self>> {
        let marker = Marker::take(&mut method.attrs)?;
        let signature = &method.sig;
        let public = !matches!(method.vis, Visibility::Inherited);
        let way = match marker {
            Some(Marker::Skip) => return Ok(None),
            Some(Marker::Iter(span, iter)) => {
                let Some(iter) = iter.or_else(|| block.iter.clone()) else {
                    return Err(Error::new(
                        span,
                        "which iterator? write `#[syncify(iter = Type)]`, here or on the block",
                    ));
                };
                Way::Iter(stream_type(signature)?, iter)
            }
            None if !public => return Ok(None),
            None if signature.asyncness.is_some() => Way::Run(awaited_type(signature)?),
            None => match future_output(&signature.output) {
                Some(output) => Way::Run(output),
                None if plain_name(&signature.ident).is_some() => {
                    return Err(Error::new(
                        signature.ident.span(),
                        "a method of this name is awaited: make it `async`, give it \
                         `-> impl Future<Output = …>`, or mark it `#[syncify(iter)]` or \
                         `#[syncify(skip)]`",
                    ))
                }
                None => return Ok(None),
            },
        };
        Self::write(method, block, way).map(Some)
    }

    fn write(method: &ImplItemFn, block: &BlockArguments, way: Way) -> Result<Self> {
        let async_name = &method.sig.ident;
        let name = twin_name(async_name)?;
        let mut signature = method.sig.clone();
        signature.asyncness = None;
        signature.ident = name.clone();
        let (receiver, arguments) = call_arguments(&mut signature)?;
        let turbofish = turbofish(&signature);
        // A call that fails to compile is shown at the blocker. The local name is ours alone: an
        // argument may be called the same.
        let blocker = &block.blocker;
        let local = Ident::new("blocker", Span::mixed_site());
        let verb = match &way {
            Way::Run(_) => Ident::new("run", blocker.span()),
            Way::Iter(..) => Ident::new("iter", blocker.span()),
        };
        let twin = async_name.to_string();
        let body = quote_spanned! {blocker.span()=>
            let #local = #blocker(#receiver);
            #local.#verb(#twin, Self::#async_name #turbofish(self #(, #arguments)*))
        };
        let docs = documentation(async_name, &method.attrs, matches!(way, Way::Run(_)));
        signature.output = match way {
            Way::Run(output) => syn::parse_quote!(-> #output),
            Way::Iter(stream, iter) => syn::parse_quote!(-> #iter<#stream>),
        };
        let inherited = inherited(&method.attrs);
        let visibility = &method.vis;
        Ok(Self {
            method: async_name.clone(),
            name,
            conditions: conditions(&method.attrs),
            tokens: quote! {
                #docs
                #(#inherited)*
                #visibility #signature {
                    #body
                }
            },
        })
    }

    /// The row of the table.
    pub(super) fn pair(&self) -> TokenStream {
        let conditions = &self.conditions;
        let (name, method) = (self.name.to_string(), self.method.to_string());
        quote!(#(#conditions)* (#name, #method))
    }
}

impl ToTokens for Twin {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens.clone());
    }
}

/// The name without its `async_`: `async_start` is `start`, `get_async_generator` `get_generator`.
fn plain_name(name: &Ident) -> Option<String> {
    let name = name.to_string();
    match name.strip_prefix("async_") {
        Some(rest) => Some(rest.to_owned()),
        None => {
            let (before, after) = name.split_once("_async_")?;
            Some(format!("{before}_{after}"))
        }
    }
}

/// The twin's name, placed at the method's, so that a click on the one leads to the other.
fn twin_name(method: &Ident) -> Result<Ident> {
    let fault = |message: String| {
        let message = format!("{message}, or mark it `#[syncify(skip)]`");
        Error::new(method.span(), message)
    };
    let Some(plain) = plain_name(method) else {
        return Err(fault(format!(
            "the plain name blocks and the `async_` name awaits: call this `async_{method}`"
        )));
    };
    if syn::parse_str::<Ident>(&plain).is_err() {
        return Err(fault(format!(
            "the twin cannot be called `{plain}`: choose another name"
        )));
    }
    Ok(Ident::new(&plain, method.span()))
}

/// What an `async fn` gives when it is awaited.
fn awaited_type(signature: &Signature) -> Result<Type> {
    match &signature.output {
        ReturnType::Type(_, output) => Ok((**output).clone()),
        ReturnType::Default => Err(Error::new(
            signature.ident.span(),
            "a blocking call can be refused, so this must return a `Result`; \
             or mark it `#[syncify(skip)]`",
        )),
    }
}

fn stream_type(signature: &Signature) -> Result<Type> {
    if signature.asyncness.is_some() {
        return Err(Error::new(
            signature.ident.span(),
            "an `iter` method returns its stream at once; take the `async` away",
        ));
    }
    match &signature.output {
        ReturnType::Type(_, stream) => Ok((**stream).clone()),
        ReturnType::Default => Err(Error::new(
            signature.ident.span(),
            "an `iter` method returns a stream, and this returns nothing",
        )),
    }
}

/// The `T` of `-> impl Future<Output = T> + …`.
fn future_output(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, output) = output else {
        return None;
    };
    let Type::ImplTrait(output) = &**output else {
        return None;
    };
    output.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let future = bound.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &future.arguments else {
            return None;
        };
        if future.ident != "Future" {
            return None;
        }
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assigned) if assigned.ident == "Output" => {
                Some(assigned.ty.clone())
            }
            _ => None,
        })
    })
}

/// How the twin passes on what it was given: the receiver for the blocker, and the arguments. Gives
/// every argument of the twin a name.
fn call_arguments(signature: &mut Signature) -> Result<(TokenStream, Vec<TokenStream>)> {
    let missing = Error::new(
        signature.ident.span(),
        "without `self` there is nothing to block with; mark this `#[syncify(skip)]`",
    );
    let mut receiver = None;
    let mut arguments = Vec::new();
    for (position, argument) in signature.inputs.iter_mut().enumerate() {
        match argument {
            FnArg::Receiver(own) => {
                receiver = Some(match own.kind {
                    ReceiverKind::Reference(..) => quote!(self),
                    _ => quote!(&self),
                });
                // The `mut` of `mut self` is the method's business.
                own.mutability = None;
            }
            FnArg::Typed(typed) => {
                let name = match &*typed.pat {
                    Pat::Ident(pattern) if pattern.subpat.is_none() => pattern.ident.clone(),
                    _ => format_ident!("argument_{}", position, span = Span::mixed_site()),
                };
                *typed.pat = syn::parse_quote!(#name);
                let conditions = conditions(&typed.attrs);
                arguments.push(quote!(#(#conditions)* #name));
            }
        }
    }
    receiver
        .map(|receiver| (receiver, arguments))
        .ok_or(missing)
}

/// The method's own type and const parameters: some cannot be inferred from the arguments.
fn turbofish(signature: &Signature) -> TokenStream {
    let parameters: Vec<&Ident> = signature
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    if parameters.is_empty() {
        return TokenStream::new();
    }
    quote!(::<#(#parameters),*>)
}
