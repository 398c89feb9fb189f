use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// Whether this is a marker for us on a method.
pub(super) fn is_marker(attribute: &Attribute) -> bool {
    let path = attribute.path();
    path.segments
        .last()
        .is_some_and(|segment| segment.ident == "syncify")
}

/// The attributes of the method that its twin has too.
pub(super) fn inherited(attributes: &[Attribute]) -> Vec<TokenStream> {
    attributes.iter().filter_map(inherit).collect()
}

fn inherit(attribute: &Attribute) -> Option<TokenStream> {
    let path = attribute.path();
    let same = ["cfg", "must_use", "deprecated", "allow", "warn", "deny"];
    if same.iter().any(|name| path.is_ident(name)) {
        return Some(quote!(#attribute));
    }
    match &attribute.meta {
        // The twin may not trip the lint, and an `expect` that is not met is a warning.
        Meta::List(list) if path.is_ident("expect") => {
            let lints = &list.tokens;
            Some(quote!(#[allow(#lints)]))
        }
        Meta::List(list) if path.is_ident("doc") && list.tokens.to_string() == "hidden" => {
            Some(quote!(#attribute))
        }
        _ => None,
    }
}

/// The conditions under which the method exists.
pub(super) fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    let conditions = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.cloned().collect()
}

/// The documentation of a twin.
pub(super) fn documentation(method: &Ident, attributes: &[Attribute], errors: bool) -> TokenStream {
    let mut lines = vec![format!("Blocking twin of [`Self::{method}`].")];
    let paragraph = first_paragraph(attributes);
    if !paragraph.is_empty() {
        lines.push(String::new());
        lines.extend(paragraph);
    }
    lines.push(String::new());
    if errors {
        lines.push("# Errors".to_owned());
        lines.push(String::new());
        lines.push(
            "Those of the twin, and one made from `BlockingInAsync` inside an async task, where \
             waiting could last for ever: await the twin there."
                .to_owned(),
        );
    } else {
        lines.push(
            "Inside an async task, where waiting could last for ever, the only item is an error \
             made from `BlockingInAsync`: use the twin there."
                .to_owned(),
        );
    }
    let lines = lines.iter().map(|line| {
        // As `///` would have it.
        let line = if line.is_empty() {
            String::new()
        } else {
            format!(" {}", line.trim_start())
        };
        syn::LitStr::new(&line, Span::call_site())
    });
    quote!(#(#[doc = #lines])*)
}

fn first_paragraph(attributes: &[Attribute]) -> Vec<String> {
    attributes
        .iter()
        .filter_map(doc_text)
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| !line.trim().is_empty())
        .collect()
}

fn doc_text(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &pair.value
    else {
        return None;
    };
    if !pair.path.is_ident("doc") {
        return None;
    }
    // An empty doc line has no lines of its own, but it does end a paragraph.
    let text = text.value();
    Some(if text.is_empty() {
        "\n".to_owned()
    } else {
        text
    })
}
