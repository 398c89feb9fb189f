use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

const INLINE: usize = 22;

/// A short piece of text, cheap to clone: up to 22 bytes are kept inline, longer ones shared.
///
/// It dereferences to `str`.
///
/// ```
/// use agently_api::data::DeltaText;
///
/// let delta = DeltaText::from("plan");
/// assert_eq!(&*delta, "plan");
/// assert_eq!(delta.to_uppercase(), "PLAN");
/// ```
#[derive(Clone)]
pub struct DeltaText(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE] },
    Shared(Arc<str>),
}

impl DeltaText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes
                .get(..usize::from(*len))
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                // Unreachable: the bytes were copied whole from a `str`.
                .unwrap_or_default(),
            Repr::Shared(text) => text,
        }
    }
}

impl From<&str> for DeltaText {
    fn from(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(slot), Ok(len)) => {
                slot.copy_from_slice(text.as_bytes());
                Self(Repr::Inline { len, bytes })
            }
            _ => Self(Repr::Shared(text.into())),
        }
    }
}

impl Deref for DeltaText {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for DeltaText {
    fn as_ref(&self) -> &str {
        self
    }
}

impl PartialEq for DeltaText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for DeltaText {}

impl PartialEq<str> for DeltaText {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for DeltaText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for DeltaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for DeltaText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
