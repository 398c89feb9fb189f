use std::collections::HashSet;

use proc_macro2::{Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{token, Error, Ident, LitBool, LitStr, Result, Token};

use super::names::{meant, named, LISTED};
use super::{Ensure, Node, Shape};

/// How deep a schema may be: as deep as an answer that is read.
const MAX_DEPTH: usize = 128;

const SHAPES: &str =
    "a type, as `str`; a leaf, as `(str, \"Title\", true)`; an object `{ … }`; or a list `[ … ]`";

/// Reads the macro's tokens and goes on after a fault, so that all are reported at once.
#[derive(Default)]
pub(super) struct Reader {
    faults: Option<Error>,
    depth: usize,
}

impl Reader {
    fn fault(&mut self, fault: Error) {
        match &mut self.faults {
            Some(faults) => faults.combine(fault),
            None => self.faults = Some(fault),
        }
    }

    /// The node, if nothing was wrong with it.
    pub(super) fn finish(self, node: Node) -> Result<Node> {
        match self.faults {
            Some(faults) => Err(faults),
            None => Ok(node),
        }
    }

    /// The whole input.
    pub(super) fn whole(&mut self, input: ParseStream<'_>) -> Result<Node> {
        if input.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "the schema is missing; write `output!({ \"title\": (str, \"Title\", true) })`",
            ));
        }
        let node = self.node(input);
        // What is left belongs to that fault, and would otherwise be reported again.
        if node.is_err() {
            skip_all(input);
        }
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            self.fault(at(
                input,
                "the schema ended before this; a schema is one shape, as `{ \"title\": str }`",
            ));
            skip_all(input);
        }
        node
    }

    fn node(&mut self, input: ParseStream<'_>) -> Result<Node> {
        if self.depth > MAX_DEPTH {
            return Err(at(
                input,
                format!("the schema is nested more than {MAX_DEPTH} levels deep; flatten it"),
            ));
        }
        self.depth += 1;
        let node = self.shallow_node(input);
        self.depth -= 1;
        node
    }

    fn shallow_node(&mut self, input: ParseStream<'_>) -> Result<Node> {
        if input.peek(token::Brace) {
            self.object(input)
        } else if input.peek(token::Bracket) {
            self.list(input)
        } else if input.peek(token::Paren) {
            self.tuple(input)
        } else if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            let described = text.value();
            if described.trim().is_empty() {
                return Err(Error::new_spanned(
                    text,
                    "an empty text says nothing; write a type, as `str`, or a description",
                ));
            }
            let mut node = Node::new(Shape::Leaf("Str"));
            node.description = Some(described);
            Ok(node)
        } else {
            type_name(input).map(Node::new)
        }
    }

    fn object(&mut self, input: ParseStream<'_>) -> Result<Node> {
        let content;
        syn::braced!(content in input);
        let mut fields = Vec::new();
        let mut names = HashSet::new();
        while !content.is_empty() {
            match self.field(&content, &mut names) {
                Ok(field) => fields.push(field),
                Err(fault) => {
                    self.fault(fault);
                    skip_to_comma(&content);
                }
            }
            self.comma(&content, "the next field");
        }
        Ok(Node::new(Shape::Object(fields)))
    }

    fn field(
        &mut self,
        input: ParseStream<'_>,
        names: &mut HashSet<String>,
    ) -> Result<(String, Node)> {
        let (name, span) = key(input)?;
        if name.is_empty() {
            self.fault(Error::new(span, "the name of a field cannot be empty"));
        } else if name.starts_with('$') {
            self.fault(Error::new(
                span,
                "names that start with `$` are reserved; choose another name",
            ));
        } else if !names.insert(name.clone()) {
            self.fault(Error::new(
                span,
                format!("the field `{name}` is declared twice; keep one of them"),
            ));
        }
        colon(input, &name)?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(at(
                input,
                format!("the shape of `{name}` is missing; write {SHAPES}"),
            ));
        }
        Ok((name, self.node(input)?))
    }

    fn list(&mut self, input: ParseStream<'_>) -> Result<Node> {
        let content;
        syn::bracketed!(content in input);
        if content.is_empty() {
            return Ok(Node::new(Shape::List(None)));
        }
        let item = self.node(&content)?;
        content.parse::<Option<Token![,]>>()?;
        if !content.is_empty() {
            self.fault(at(
                &content,
                "a list holds one shape, that of every item; \
                 a leaf is written with parentheses, as `(str, \"Title\", true)`",
            ));
            skip_all(&content);
        }
        Ok(Node::new(Shape::List(Some(Box::new(item)))))
    }

    /// `(type, "description", ensure)`
    fn tuple(&mut self, input: ParseStream<'_>) -> Result<Node> {
        let content;
        syn::parenthesized!(content in input);
        let content = &content;
        let node = self.tuple_parts(content);
        // What is left belongs to the fault, and would otherwise be reported again.
        if node.is_err() {
            skip_all(content);
        }
        node
    }

    fn tuple_parts(&mut self, input: ParseStream<'_>) -> Result<Node> {
        if input.is_empty() {
            return Err(at(
                input,
                "the type is missing; write `(str, \"Title\", true)`",
            ));
        }
        let mut node = if input.peek(LitStr) {
            Node::new(quoted_type(input)?)
        } else if input.peek(token::Paren) {
            return Err(at(
                input,
                "a leaf starts with its type, as `(str, \"Title\", true)`",
            ));
        } else {
            self.node(input)?
        };
        if !next_part(input)? {
            return Ok(node);
        }
        node.description = Some(description(input)?);
        if !next_part(input)? {
            return Ok(node);
        }
        node.ensure = ensure(input)?;
        if next_part(input)? {
            return Err(at(
                input,
                "a leaf has at most three parts: (type, \"description\", ensure)",
            ));
        }
        Ok(node)
    }

    fn comma(&mut self, input: ParseStream<'_>, before: &str) {
        if input.is_empty() {
            return;
        }
        if input.parse::<Token![,]>().is_err() {
            self.fault(at(input, format!("write `,` before {before}")));
            skip_to_comma(input);
            let _ = input.parse::<Token![,]>();
        }
    }
}

/// A fault at the next token, or at the closing bracket if there is none.
fn at(input: ParseStream<'_>, message: impl std::fmt::Display) -> Error {
    Error::new(input.span(), message)
}

fn key(input: ParseStream<'_>) -> Result<(String, Span)> {
    if input.peek(LitStr) {
        let key: LitStr = input.parse()?;
        return Ok((key.value(), key.span()));
    }
    if input.peek(Ident::peek_any) {
        let key = input.call(Ident::parse_any)?;
        return Ok((key.unraw().to_string(), key.span()));
    }
    Err(at(
        input,
        "a field starts with its name: a string, as `\"title\"`, or a plain name",
    ))
}

fn colon(input: ParseStream<'_>, name: &str) -> Result<()> {
    if input.peek(Token![:]) && !input.peek(Token![::]) {
        input.parse::<Token![:]>()?;
        return Ok(());
    }
    Err(at(
        input,
        format!("write `:` between `{name}` and its shape"),
    ))
}

/// Whether there is another part of a leaf.
fn next_part(input: ParseStream<'_>) -> Result<bool> {
    if input.is_empty() {
        return Ok(false);
    }
    if !input.peek(Token![,]) {
        return Err(at(input, "write `,` between the parts of a leaf"));
    }
    input.parse::<Token![,]>()?;
    Ok(!input.is_empty())
}

fn type_name(input: ParseStream<'_>) -> Result<Shape> {
    if input.peek(LitBool) {
        return Err(at(
            input,
            "a type is missing before this; \
             whether a field must be there comes third, as in `(str, \"Title\", true)`",
        ));
    }
    if !input.peek(Ident::peek_any) {
        return Err(at(input, format!("this is no shape; write {SHAPES}")));
    }
    let name = input.call(Ident::parse_any)?;
    let text = name.unraw().to_string();
    if input.peek(Token![<]) || input.peek(Token![::]) {
        let advice = match text.as_str() {
            "Vec" | "HashSet" | "BTreeSet" => "a list is written `[str]`",
            "Option" => "write the type alone; a field without `true` may be missing",
            "HashMap" | "BTreeMap" => "an object with any fields is written `{}`",
            _ => "a type is one name, as `str`",
        };
        return Err(Error::new(
            name.span(),
            format!("Rust types with parts cannot be used here; {advice}"),
        ));
    }
    named(&text).ok_or_else(|| {
        let advice = match meant(&text) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "types are {LISTED}; any other is a hint in quotes, \
                 as `(\"date\", \"When it is due\")`"
            ),
        };
        Error::new(name.span(), format!("there is no type `{text}`; {advice}"))
    })
}

/// The type of a leaf as a string: one of ours, or a hint.
fn quoted_type(input: ParseStream<'_>) -> Result<Shape> {
    let literal: LitStr = input.parse()?;
    let text = literal.value();
    let name = text.trim();
    if let Some(shape) = named(name) {
        return Ok(shape);
    }
    let message = if name.is_empty() {
        "the type is empty; write one, as `str`"
    } else if name.chars().any(char::is_control) {
        "a type is one line; put the explanation into the description"
    } else if !input.peek(Token![,]) || input.peek2(LitBool) {
        "the type is missing before this description; write `(str, \"…\")`"
    } else {
        return Ok(Shape::Custom(name.to_owned()));
    };
    Err(Error::new(literal.span(), message))
}

fn description(input: ParseStream<'_>) -> Result<String> {
    if input.peek(LitBool) {
        return Err(at(
            input,
            "the description is missing before this; write `(str, \"Title\", true)`, \
             or `\"\"` to do without one",
        ));
    }
    let literal: LitStr = input.parse().map_err(|_| {
        at(
            input,
            "the second part of a leaf is its description, a string in quotes",
        )
    })?;
    Ok(literal.value())
}

fn ensure(input: ParseStream<'_>) -> Result<Ensure> {
    const ADVICE: &str = "the third part of a leaf says whether it must be there: \
                          write `true`, `false` or `\"not_null\"`";
    if input.peek(LitBool) {
        let flag: LitBool = input.parse()?;
        return Ok(if flag.value {
            Ensure::Present
        } else {
            Ensure::None
        });
    }
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return match literal.value().as_str() {
            "not_null" => Ok(Ensure::NotNull),
            _ => Err(Error::new(literal.span(), ADVICE)),
        };
    }
    Err(at(input, ADVICE))
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

fn skip_all(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
