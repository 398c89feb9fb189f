use std::fmt::{self, Write as _};
use std::sync::Arc;

/// Whether a field must be there: the third part of a leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ensure {
    /// It may be missing: `false`, or left off.
    #[default]
    None,
    /// It must be there, and may be null or empty: `true`.
    Present,
    /// It must be there, and be neither null nor empty: `"not_null"`.
    NotNull,
}

/// A field that must be there, and how.
///
/// It prints as its wildcard path, as in `sections[*].body`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnsureRule {
    /// The way from the root to the field; empty for the whole answer.
    pub steps: Vec<EnsureStep>,
    /// What is asked of it; never [`Ensure::None`].
    pub ensure: Ensure,
    /// After how many steps the value may be missing, in which case nothing is asked, and whether
    /// it may be null as well.
    optional: Vec<(usize, bool)>,
}

/// One step of the way to a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EnsureStep {
    /// Into the field of this name.
    Key(Arc<str>),
    /// Into every item of a list.
    Each,
}

impl EnsureRule {
    pub(super) fn new(
        steps: Vec<EnsureStep>,
        optional: Vec<(usize, bool)>,
        ensure: Ensure,
    ) -> Self {
        Self {
            steps,
            ensure,
            optional,
        }
    }

    /// Whether the value that this many steps lead to may be missing.
    pub(crate) fn is_optional_at(&self, steps: usize) -> bool {
        self.optional.iter().any(|(at, _)| *at == steps)
    }

    /// Whether the value that this many steps lead to may be null.
    pub(crate) fn is_nullable_at(&self, steps: usize) -> bool {
        self.optional.contains(&(steps, true))
    }
}

impl fmt::Display for EnsureRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&wildcard_path(&self.steps))
    }
}

/// The printed form of a way, as in `sections[*].body`.
pub(crate) fn wildcard_path(steps: &[EnsureStep]) -> String {
    let mut text = String::new();
    for (position, step) in steps.iter().enumerate() {
        match step {
            EnsureStep::Each => text.push_str("[*]"),
            EnsureStep::Key(key) => {
                let dot = if position > 0 { "." } else { "" };
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{dot}{key}");
            }
        }
    }
    text
}
