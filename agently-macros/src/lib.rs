//! The macros of Agently.
//!
//! - `output!` writes an output schema whose faults do not compile. It is used as
//!   `agently::output!` or `agently_core::output!`, which pass their crate along to
//!   [`__output!`](macro@__output).
//! - [`#[syncify]`](macro@syncify) writes the blocking twin of every `async_` method.

mod output;
mod syncify;

use proc_macro::TokenStream;

/// What `output!` is made of: `__output!((path::of::agently_core) { … })`. Not for direct use.
#[doc(hidden)]
#[proc_macro]
pub fn __output(input: TokenStream) -> TokenStream {
    output::expand(input.into()).into()
}

/// Writes a blocking twin beside every public `async_` method of an `impl` block.
///
/// ```text
/// #[syncify(blocker = Self::blocker, iter = Blocking)]
/// impl Report {
///     fn blocker(&self) -> Blocker { … }
///
///     /// Reads the text.
///     pub async fn async_get_text(&self) -> Result<String, Error> { … }
///
///     /// Lines as they come.
///     #[syncify(iter)]
///     pub fn get_async_generator<K: Kind>(&self, kind: K) -> Lines<K> { … }
/// }
/// ```
///
/// adds
///
/// ```text
///     pub fn get_text(&self) -> Result<String, Error> {
///         Self::blocker(self).run("async_get_text", Self::async_get_text(self))
///     }
///
///     pub fn get_generator<K: Kind>(&self, kind: K) -> Blocking<Lines<K>> {
///         Self::blocker(self).iter("get_async_generator", Self::get_async_generator::<K>(self, kind))
///     }
///
///     #[doc(hidden)]
///     pub const SYNC_PAIRS: &[(&str, &str)] = &[
///         ("get_text", "async_get_text"),
///         ("get_generator", "get_async_generator"),
///     ];
/// ```
///
/// # The blocker
///
/// `blocker` is a path to a `fn(&Self) -> B`. It is asked before `self` is used, so methods that
/// take `self` by value work as well. `B` is any type with
///
/// - `fn run<T>(&self, twin: &'static str, future: impl Future<Output = Result<T, E>>) -> Result<T, E>`,
///   which is told the async method's name and waits
///   or refuses (with an error made from `BlockingInAsync`), for whichever `E` the methods use;
/// - `fn iter<S: Stream>(&self, twin: &'static str, stream: S) -> Iter<S>`, if there are `iter` methods.
///
/// No trait is needed: the twins call the methods by name.
///
/// # Which methods
///
/// | method | twin |
/// |---|---|
/// | `pub async fn async_x(…) -> Result<…>` | `pub fn x(…) -> Result<…>` |
/// | `pub fn async_x(…) -> impl Future<Output = Result<…>> + …` | `pub fn x(…) -> Result<…>` |
/// | `#[syncify(iter)] pub fn get_async_x(…) -> S` | `pub fn get_x(…) -> Iter<S>` |
/// | `#[syncify(skip)]` | none |
/// | anything private, or neither async nor named so | none |
///
/// The twin's name is the method's without its `async_`. Generics, where clauses, `impl Trait`
/// arguments, borrowed results and every kind of `self` are kept; so are `#[cfg]`, `#[must_use]`,
/// `#[deprecated]`, `#[doc(hidden)]` and lint levels (an `expect` becomes an `allow`, since the
/// twin may not trip the lint). The twin's documentation is written from the method's first
/// paragraph.
///
/// A public async method without `async_` in its name, one without a `Result`, and one without
/// `self` do not compile: rename them, or mark them `#[syncify(skip)]`.
///
/// # Arguments
///
/// - `blocker = path`: required.
/// - `iter = Type`: the iterator type, `Type<S>` for a stream `S`; may be given on the method
///   instead, `#[syncify(iter = Type)]`.
/// - `pairs = NAME`: the name of the table of pairs, `SYNC_PAIRS` unless told. A type with several
///   syncified blocks needs a name for each.
#[proc_macro_attribute]
pub fn syncify(arguments: TokenStream, item: TokenStream) -> TokenStream {
    syncify::expand(arguments.into(), item.into()).into()
}
