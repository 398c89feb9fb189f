//! Doc comments as descriptions.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The doc comment as a text for the model: lines that were only wrapped are joined, and what comes
/// with the first heading or code block is for readers of the code.
pub(super) fn description(attributes: &[Attribute]) -> Option<String> {
    let mut text = String::new();
    let mut fresh = true;
    for line in attributes
        .iter()
        .filter_map(doc_line)
        .collect::<Vec<_>>()
        .join("\n")
        .lines()
    {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("# ") {
            break;
        }
        if line.is_empty() {
            fresh = true;
            continue;
        }
        if !text.is_empty() {
            text.push(if fresh || is_list_item(line) {
                '\n'
            } else {
                ' '
            });
        }
        text.push_str(line);
        fresh = false;
    }
    (!text.is_empty()).then_some(text)
}

fn is_list_item(line: &str) -> bool {
    let line = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    ["- ", "* ", ". "].iter().any(|mark| line.starts_with(mark))
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    if !meta.path.is_ident("doc") {
        return None;
    }
    match &meta.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}
