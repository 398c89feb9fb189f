//! The macros of Agently.
//!
//! - `output!` writes an output schema whose faults do not compile. It is used as
//!   `agently::output!` or `agently_core::output!`, which pass their crate along to
//!   [`__output!`](macro@__output).
//! - [`#[derive(Output)]`](macro@Output) makes a type one that answers can be asked for as.
//! - [`#[syncify]`](macro@syncify) writes the blocking twin of every `async_` method.

mod derive;
mod output;
mod syncify;

use proc_macro::TokenStream;

/// What `output!` is made of: `__output!((path::of::agently_core) { … })`. Not for direct use.
#[doc(hidden)]
#[proc_macro]
pub fn __output(input: TokenStream) -> TokenStream {
    output::expand(input.into()).into()
}

/// Makes a type an output type, beside serde's `Deserialize`: its schema is told to the model, and
/// the answer comes back as this type.
///
/// ```text
/// /// A ticket of the help desk.
/// #[derive(Deserialize, Output)]
/// struct Ticket {
///     /// What it is about, in one line
///     #[output(max_len = 80, not_empty)]
///     title: String,
///     /// Whom it is for, if that is known
///     assignee: Option<String>,
/// }
/// ```
///
/// A struct with named fields is an object; a struct around one unnamed field is what that field
/// is; an enum of plain variants is one of their names. Doc comments are told to the model, up to
/// the first heading or code block. Every field must be in the answer, except for `Option`s and
/// for those with `#[serde(default)]`.
///
/// # Limits
///
/// The model is told, and an answer that breaks one is asked for again.
///
/// | `#[output(…)]` | of | means |
/// |---|---|---|
/// | `min_len = 1`, `max_len = 80` | texts | how many characters |
/// | `pattern = "^[a-z]+$"` | texts | a regular expression that must match somewhere in it |
/// | `one_of("en", "de")` | texts | the texts that are allowed |
/// | `min = 0`, `max = 1.0` | numbers | the smallest and the greatest |
/// | `min_items = 1`, `max_items = 5` | lists | how many items |
/// | `each(max_len = 80)` | lists | what every item is like |
/// | `not_empty` | texts, lists, maps | there must be something in it |
/// | `desc = "…"` | all | instead of the doc comment |
/// | `as = "String"` | all | the shape of another type, as for `#[serde(with = "…")]` |
///
/// On the type itself, `#[output(desc = "…")]` stands instead of its doc comment, and
/// `#[output(crate = "…")]` says where `agently_core` is, if not at `::agently::engine`.
///
/// # serde
///
/// Of serde's attributes `rename`, `rename_all`, `default`, `skip`, `flatten`, `transparent`,
/// `from`, `try_from` and `other` are heeded. `tag`, `content`, `untagged` and `remote` do not
/// compile, nor do variants with data.
#[proc_macro_derive(Output, attributes(output, serde))]
pub fn derive_output(input: TokenStream) -> TokenStream {
    derive::expand(input.into()).into()
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
