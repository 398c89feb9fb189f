//! `#[derive(Output)]`: what a type says of itself, read from its fields, its docs and serde's
//! attributes, and written as an implementation of `agently_core::Output`.

mod case;
mod container;
mod docs;
mod expand;
mod field;
mod limits;
mod paths;
mod serde;
mod variant;

use proc_macro2::TokenStream;
use syn::{parse2, DeriveInput, Error};

use self::container::Container;

/// All faults are reported at once, each at its place.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut faults = Faults::default();
    let container = parse2::<DeriveInput>(input)
        .and_then(|input| Container::read(&input, &mut faults).map(|shape| (input, shape)));
    let container = match container {
        Ok(container) => Some(container),
        Err(fault) => {
            faults.add(fault);
            None
        }
    };
    match (faults.0, container) {
        (Some(faults), _) => faults.into_compile_error(),
        (None, Some((input, container))) => expand::implementation(&input, &container),
        (None, None) => TokenStream::new(),
    }
}

/// What is wrong, so far.
#[derive(Default)]
struct Faults(Option<Error>);

impl Faults {
    fn add(&mut self, fault: Error) {
        match &mut self.0 {
            Some(faults) => faults.combine(fault),
            None => self.0 = Some(fault),
        }
    }

    /// The value, or nothing and one fault more.
    fn keep<T>(&mut self, read: syn::Result<T>) -> Option<T> {
        read.map_err(|fault| self.add(fault)).ok()
    }
}
