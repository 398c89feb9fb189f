//! `output!`: from tokens to a tree, with every fault found on the way, and from the tree to code.

mod expand;
mod names;
mod parse;

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};

use self::expand::Expand;
use self::parse::Reader;

/// A shape with its description and whether it must be there.
struct Node {
    shape: Shape,
    description: Option<String>,
    ensure: Ensure,
}

enum Shape {
    Object(Vec<(String, Node)>),
    List(Option<Box<Node>>),
    /// A variant of `ValueType`.
    Leaf(&'static str),
    /// A type name in quotes that is none of ours.
    Custom(String),
}

#[derive(Clone, Copy, PartialEq)]
enum Ensure {
    None,
    Present,
    NotNull,
}

impl Node {
    fn new(shape: Shape) -> Self {
        Self {
            shape,
            description: None,
            ensure: Ensure::None,
        }
    }
}

/// All faults are reported at once, each at its place.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let parse = |input: ParseStream<'_>| {
        let root;
        syn::parenthesized!(root in input);
        let root: TokenStream = root.parse()?;
        let mut reader = Reader::default();
        let node = reader.whole(input);
        Ok((root, node.and_then(|node| reader.finish(node))))
    };
    match parse.parse2(input) {
        Ok((root, Ok(node))) => Expand { root }.node(&node),
        Ok((_, Err(faults))) | Err(faults) => faults.into_compile_error(),
    }
}
