//! Ways to fields, with the types at both ends.

use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use std::sync::Arc;

use agently_api::data::{Path, Segment};

use super::Output;

/// A way from the whole answer, a [`Root`](Self::Root), to a field or to the items of a list, a
/// [`Target`](Self::Target).
///
/// It starts at [`Output::paths`] and goes on by the names of the fields, so that a field that does
/// not exist does not compile. `#[derive(Output)]` writes the implementations.
///
/// A field may be called as one of the methods here; the field then wins, and the method is called
/// as `FieldPath::wildcard(&path)`.
pub trait FieldPath: Clone + Send + Sync + 'static {
    /// What the whole answer is.
    type Root: Output;

    /// What is found there.
    type Target: Output;

    #[doc(hidden)]
    fn from_steps(steps: Steps) -> Self;

    #[doc(hidden)]
    fn steps(&self) -> &Steps;

    /// The way as text, with `[*]` for every item, as in `items[*].name`.
    #[must_use]
    fn wildcard(&self) -> String {
        self.steps().to_string()
    }

    /// Whether an item of the `Instant` stream with this path is about such a field.
    #[must_use]
    fn matches(&self, path: &Path) -> bool {
        self.steps().lead_to(path)
    }
}

/// The steps of a [`FieldPath`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(Arc<str>),
    Each,
    At(usize),
}

impl Steps {
    fn and(&self, step: Step) -> Self {
        let mut steps = self.clone();
        steps.0.push(step);
        steps
    }

    /// And into the field of this name.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.and(Step::Key(key.into()))
    }

    pub(super) fn lead_to(&self, path: &Path) -> bool {
        if path.depth() != self.0.len() {
            return false;
        }
        let mut rest = Some(path);
        self.0.iter().rev().all(|step| {
            let here = rest.take();
            rest = here.and_then(Path::parent);
            match (step, here.and_then(Path::last)) {
                (Step::Key(key), Some(Segment::Key(found))) => key == found,
                (Step::Each, Some(Segment::Index(_))) => true,
                (Step::At(index), Some(Segment::Index(found))) => index == found,
                _ => false,
            }
        })
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Each => text.push_str("[*]"),
                Step::At(index) => write!(text, "[{index}]")?,
                Step::Key(key) => {
                    let dot = if position > 0 { "." } else { "" };
                    write!(text, "{dot}{key}")?;
                }
            }
        }
        f.pad(&text)
    }
}

macro_rules! path_type {
    ($(#[$doc:meta])* $name:ident<R, T $(, $part:ident)?>) => {
        $(#[$doc])*
        pub struct $name<R, T $(, $part)?> {
            steps: Steps,
            ends: PhantomData<fn() -> (R, T $(, $part)?)>,
        }

        impl<R, T $(, $part)?> Clone for $name<R, T $(, $part)?> {
            fn clone(&self) -> Self {
                Self {
                    steps: self.steps.clone(),
                    ends: PhantomData,
                }
            }
        }

        impl<R, T $(, $part)?> fmt::Debug for $name<R, T $(, $part)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.steps.to_string())
            }
        }

        impl<R, T $(, $part)?> FieldPath for $name<R, T $(, $part)?>
        where
            R: Output,
            T: Output,
            $($part: Output,)?
        {
            type Root = R;
            type Target = T;

            fn from_steps(steps: Steps) -> Self {
                Self {
                    steps,
                    ends: PhantomData,
                }
            }

            fn steps(&self) -> &Steps {
                &self.steps
            }
        }
    };
}

path_type! {
    /// The way from an `R` to a `T` that has no parts of its own.
    ValuePath<R, T>
}

path_type! {
    /// The way from an `R` to a `T` that is a list of `I`.
    ListPath<R, T, I>
}

path_type! {
    /// The way from an `R` to a `T` that is a map whose values are `V`.
    MapPath<R, T, V>
}

impl<R: Output, T: Output, I: Output> ListPath<R, T, I> {
    /// And to every item.
    #[must_use]
    pub fn each(&self) -> I::Path<R, I> {
        FieldPath::from_steps(self.steps.and(Step::Each))
    }

    /// And to the item at this position, from 0.
    #[must_use]
    pub fn at(&self, index: usize) -> I::Path<R, I> {
        FieldPath::from_steps(self.steps.and(Step::At(index)))
    }
}

impl<R: Output, T: Output, V: Output> MapPath<R, T, V> {
    /// And to the value of this key.
    #[must_use]
    pub fn key(&self, key: &str) -> V::Path<R, V> {
        FieldPath::from_steps(self.steps.key(key))
    }
}
