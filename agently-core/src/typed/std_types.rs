//! The output types of the standard library and of `serde_json`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use serde_json::{Map, Value};

use super::{ListPath, MapPath, Nesting, Output, ValuePath};
use crate::schema::{Schema, SchemaBuilder, ValueType};

/// What has characters. For `#[derive(Output)]`.
#[diagnostic::on_unimplemented(
    message = "`min_len`, `max_len`, `pattern` and `one_of` limit texts, and `{Self}` is none",
    note = "for a list write `min_items` and `max_items`, for a number `min` and `max`; \
            the texts in a list are limited with `each(…)`"
)]
pub trait Textual {}

/// What has a size. For `#[derive(Output)]`.
#[diagnostic::on_unimplemented(
    message = "`min` and `max` limit numbers, and `{Self}` is none",
    note = "for a text write `min_len` and `max_len`, for a list `min_items` and `max_items`"
)]
pub trait Numeric {}

/// What has items. For `#[derive(Output)]`.
#[diagnostic::on_unimplemented(
    message = "`min_items`, `max_items` and `each` limit lists, and `{Self}` is none",
    note = "for a text write `min_len` and `max_len`, for a number `min` and `max`"
)]
pub trait ListLike {
    /// What it is a list of.
    type Item;
}

/// What can have nothing in it. For `#[derive(Output)]`.
#[diagnostic::on_unimplemented(
    message = "`not_empty` is for texts, lists and maps, and `{Self}` is none of them"
)]
pub trait MaybeEmpty {}

macro_rules! leaves {
    ($($leaf:ident: $($kind:ty),*;)*) => {$($(
        impl Output for $kind {
            type Path<R: Output, T: Output> = ValuePath<R, T>;

            fn describe(_: &mut Nesting) -> SchemaBuilder {
                Schema::leaf(ValueType::$leaf)
            }
        }
    )*)*};
}

leaves! {
    Str: String, Box<str>;
    Int: i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize;
    Float: f32, f64;
    Bool: bool;
    Any: Value;
}

impl Output for char {
    type Path<R: Output, T: Output> = ValuePath<R, T>;

    fn describe(_: &mut Nesting) -> SchemaBuilder {
        Schema::leaf(ValueType::Str).min_len(1).max_len(1)
    }
}

impl<V: Output> Output for Option<V> {
    type Path<R: Output, T: Output> = V::Path<R, T>;

    fn describe(nesting: &mut Nesting) -> SchemaBuilder {
        V::describe(nesting).optional()
    }
}

impl<V: Output> Output for Box<V> {
    type Path<R: Output, T: Output> = V::Path<R, T>;

    fn describe(nesting: &mut Nesting) -> SchemaBuilder {
        V::describe(nesting)
    }
}

macro_rules! lists {
    ($($list:ident<I $(: $first:ident $(+ $more:ident)*)? $(, $hasher:ident)?>),* $(,)?) => {$(
        impl<I: Output $(+ $first $(+ $more)*)? $(, $hasher: BuildHasher + Default + 'static)?> Output
            for $list<I $(, $hasher)?>
        {
            type Path<R: Output, T: Output> = ListPath<R, T, I>;

            fn describe(nesting: &mut Nesting) -> SchemaBuilder {
                Schema::list(I::describe(nesting))
            }
        }

        impl<I $(, $hasher)?> ListLike for $list<I $(, $hasher)?> {
            type Item = I;
        }

        impl<I $(, $hasher)?> MaybeEmpty for $list<I $(, $hasher)?> {}
    )*};
}

lists! {
    Vec<I>,
    VecDeque<I>,
    BTreeSet<I: Ord>,
    HashSet<I: Eq + Hash, S>,
}

macro_rules! maps {
    ($($map:ident<String, V $(, $hasher:ident)?>),* $(,)?) => {$(
        impl<V: Output $(, $hasher: BuildHasher + Default + 'static)?> Output
            for $map<String, V $(, $hasher)?>
        {
            type Path<R: Output, T: Output> = MapPath<R, T, V>;

            fn describe(nesting: &mut Nesting) -> SchemaBuilder {
                Schema::object().values(V::describe(nesting))
            }
        }

        impl<V $(, $hasher)?> MaybeEmpty for $map<String, V $(, $hasher)?> {}
    )*};
}

maps! {
    BTreeMap<String, V>,
    HashMap<String, V, S>,
}

impl Output for Map<String, Value> {
    type Path<R: Output, T: Output> = MapPath<R, T, Value>;

    fn describe(_: &mut Nesting) -> SchemaBuilder {
        Schema::object()
    }
}

macro_rules! kinds {
    ($($kind:ident: $($name:ty),*;)*) => {$(
        $(impl $kind for $name {})*
        impl<T: $kind> $kind for Option<T> {}
        impl<T: $kind> $kind for Box<T> {}
    )*};
}

kinds! {
    Textual: String, Box<str>, char;
    Numeric: i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64;
    MaybeEmpty: String, Box<str>, Map<String, Value>, Value;
}

impl<T: ListLike> ListLike for Option<T> {
    type Item = T::Item;
}

impl<T: ListLike> ListLike for Box<T> {
    type Item = T::Item;
}
