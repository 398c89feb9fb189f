use std::ops::BitOr;
use std::sync::Arc;

/// What the output schema says about the outermost value: it decides where the document starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootShape {
    /// Nothing is known about the keys: an empty object schema, or no schema.
    #[default]
    Open,
    /// An object with these keys.
    Object {
        /// The keys of the outermost object.
        keys: Vec<Arc<str>>,
    },
    /// A list.
    List {
        /// What an item may be.
        item: ItemShape,
    },
}

impl RootShape {
    /// An object with these keys; without any, [`RootShape::Open`].
    pub fn object<K: Into<Arc<str>>>(keys: impl IntoIterator<Item = K>) -> Self {
        let keys: Vec<_> = keys.into_iter().map(Into::into).collect();
        if keys.is_empty() {
            Self::Open
        } else {
            Self::Object { keys }
        }
    }

    /// A list of such items.
    #[must_use]
    pub fn list(item: ItemShape) -> Self {
        Self::List { item }
    }
}

/// What the items of a list may be: a set of JSON kinds. `null` is always allowed.
///
/// ```
/// use agently_core::instant::ItemShape;
///
/// let item = ItemShape::STRING | ItemShape::NUMBER;
/// assert!(item.allows(ItemShape::STRING));
/// assert!(!item.allows(ItemShape::OBJECT));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemShape(u8);

impl ItemShape {
    /// Nothing but `null`.
    pub const NULL: Self = Self(0);
    /// Objects.
    pub const OBJECT: Self = Self(1);
    /// Lists.
    pub const LIST: Self = Self(2);
    /// Strings.
    pub const STRING: Self = Self(4);
    /// Numbers.
    pub const NUMBER: Self = Self(8);
    /// `true` and `false`.
    pub const BOOLEAN: Self = Self(16);
    /// Any value.
    pub const ANY: Self = Self(31);

    /// Whether every kind of `other` is in this set.
    #[must_use]
    pub const fn allows(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for ItemShape {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
