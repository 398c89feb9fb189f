//! `#[output(…)]` on a field.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use regex_lite::Regex;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{parenthesized, Error, Lit, LitInt, LitStr, Result, Token, Type};

const KNOWN: &str = "`min_len`, `max_len`, `pattern`, `one_of(…)`, `min`, `max`, `min_items`, \
                     `max_items`, `each(…)`, `not_empty`, `desc` and `as`";

/// What is said of a field's value.
#[derive(Default)]
pub(super) struct Limits {
    /// Calls of methods of `SchemaBuilder`, in the order in which they were written.
    calls: Vec<Call>,
    seen: Vec<String>,
    lengths: Bounds,
    numbers: Bounds,
    items: Bounds,
    pub(super) description: Option<String>,
    /// The type whose shape is told to the model.
    pub(super) shape: Option<Type>,
}

struct Call {
    of: Kind,
    code: TokenStream,
    /// What `each(…)` asks of the items.
    inside: Vec<Kind>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Number,
    List,
    Any,
}

impl Kind {
    /// The function that compiles only for types of this kind.
    fn check(self) -> TokenStream {
        match self {
            Self::Text => quote!(textual),
            Self::Number => quote!(numeric),
            Self::List => quote!(list_like),
            Self::Any => quote!(maybe_empty),
        }
    }
}

/// The smallest and the greatest, to notice when they are crossed.
#[derive(Default)]
struct Bounds {
    min: Option<f64>,
    max: Option<f64>,
}

impl Bounds {
    fn check(&self, span: Span) -> Result<()> {
        match (self.min, self.max) {
            (Some(min), Some(max)) if min > max => Err(Error::new(
                span,
                format!("nothing is left between the limits: {min} is more than {max}"),
            )),
            _ => Ok(()),
        }
    }
}

impl Limits {
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Reads one entry. `inside` is set for the entries of `each(…)`.
    pub(super) fn read(&mut self, meta: &ParseNestedMeta<'_>, inside: bool) -> Result<()> {
        let span = meta.path.span();
        let name = match meta.path.get_ident() {
            Some(name) => name.to_string(),
            None => String::new(),
        };
        if self.seen.contains(&name) {
            return Err(Error::new(
                span,
                format!("`{name}` is given twice; keep one of them"),
            ));
        }
        let mut asked = Vec::new();
        let (of, code) = match name.as_str() {
            "min_len" => (Kind::Text, count(meta, &mut self.lengths.min, "min_len")?),
            "max_len" => (Kind::Text, count(meta, &mut self.lengths.max, "max_len")?),
            "min_items" => (Kind::List, count(meta, &mut self.items.min, "min_items")?),
            "max_items" => (Kind::List, count(meta, &mut self.items.max, "max_items")?),
            "min" => (Kind::Number, number(meta, &mut self.numbers.min, "min")?),
            "max" => (Kind::Number, number(meta, &mut self.numbers.max, "max")?),
            "pattern" => (Kind::Text, pattern(meta)?),
            "one_of" => (Kind::Text, one_of(meta)?),
            "not_empty" => (Kind::Any, quote!(.not_empty())),
            "each" if !inside => {
                let limits = each(meta)?;
                asked.extend(limits.calls.iter().map(|call| call.of));
                let calls = limits.calls();
                (Kind::List, quote!(.each(|__item| __item #calls)))
            }
            "desc" if !inside => {
                self.description = Some(meta.value()?.parse::<LitStr>()?.value());
                self.seen.push(name);
                return Ok(());
            }
            // `as` is a keyword, and may be one here.
            "as" if !inside => {
                self.shape = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                self.seen.push(name);
                return Ok(());
            }
            "desc" | "as" | "each" => {
                return Err(Error::new(
                    span,
                    format!("`{name}` belongs to the field, not into `each(…)`"),
                ))
            }
            _ => {
                return Err(Error::new(
                    span,
                    format!("`output` knows no such entry; it knows {KNOWN}"),
                ))
            }
        };
        for bounds in [&self.lengths, &self.numbers, &self.items] {
            bounds.check(span)?;
        }
        self.calls.push(Call {
            of,
            code,
            inside: asked,
        });
        self.seen.push(name);
        Ok(())
    }

    /// `.max_len(80).not_empty()`
    pub(super) fn calls(&self) -> TokenStream {
        self.calls.iter().map(|call| call.code.clone()).collect()
    }

    /// Statements that do not compile when a limit is none of this type's.
    pub(super) fn checks(&self, ty: &Type) -> TokenStream {
        // The type is what a message underlines, as it names the type.
        let span = ty.span();
        let items: TokenStream = quote_spanned!(span=> <#ty as __agently::ListLike>::Item);
        let mut seen = Vec::new();
        let mut checks = TokenStream::new();
        for call in &self.calls {
            let own = std::iter::once((call.of, false));
            for (kind, inside) in own.chain(call.inside.iter().map(|kind| (*kind, true))) {
                if seen.contains(&(kind, inside)) {
                    continue;
                }
                seen.push((kind, inside));
                let check = kind.check();
                checks.extend(if inside {
                    quote_spanned!(span=> __agently::#check::<#items>();)
                } else {
                    quote_spanned!(span=> __agently::#check::<#ty>();)
                });
            }
        }
        checks
    }
}

fn count(meta: &ParseNestedMeta<'_>, bound: &mut Option<f64>, name: &str) -> Result<TokenStream> {
    let value: LitInt = meta.value()?.parse().map_err(|fault: Error| {
        Error::new(fault.span(), format!("`{name}` is a whole number from 0"))
    })?;
    let count: usize = value.base10_parse()?;
    *bound = value.base10_parse().ok();
    let method = syn::Ident::new(name, meta.path.span());
    Ok(quote!(.#method(#count)))
}

fn number(meta: &ParseNestedMeta<'_>, bound: &mut Option<f64>, name: &str) -> Result<TokenStream> {
    let input = meta.value()?;
    let minus = input.parse::<Option<Token![-]>>()?;
    let (digits, literal) = match input.parse::<Lit>()? {
        Lit::Int(value) => {
            let digits: i64 = value.base10_parse()?;
            (digits.to_string(), quote!(#digits))
        }
        Lit::Float(value) => {
            let digits: f64 = value.base10_parse()?;
            (digits.to_string(), quote!(#digits))
        }
        other => {
            let fault = format!("`{name}` is a number, as `0` or `-1.5`");
            return Err(Error::new(other.span(), fault));
        }
    };
    let size: Option<f64> = digits.parse().ok();
    *bound = size.map(|size| if minus.is_some() { -size } else { size });
    let method = syn::Ident::new(name, meta.path.span());
    Ok(quote!(.#method(#minus #literal)))
}

fn pattern(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let pattern: LitStr = meta.value()?.parse()?;
    if let Err(error) = Regex::new(&pattern.value()) {
        return Err(Error::new(
            pattern.span(),
            format!("this is no regular expression: {error}"),
        ));
    }
    Ok(quote!(.pattern(#pattern)))
}

fn one_of(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let content;
    parenthesized!(content in meta.input);
    let choices = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
    if choices.is_empty() {
        return Err(Error::new(
            meta.path.span(),
            "nothing is left to choose from; write `one_of(\"low\", \"high\")`",
        ));
    }
    let choices = choices.iter();
    Ok(quote!(.one_of([#(#choices),*])))
}

fn each(meta: &ParseNestedMeta<'_>) -> Result<Limits> {
    let ahead = meta.input.fork();
    let content;
    parenthesized!(content in ahead);
    if content.is_empty() {
        return Err(Error::new(
            meta.path.span(),
            "`each(…)` says nothing; write what every item is like, as `each(max_len = 80)`",
        ));
    }
    let mut limits = Limits::default();
    meta.parse_nested_meta(|meta| limits.read(&meta, true))?;
    Ok(limits)
}
