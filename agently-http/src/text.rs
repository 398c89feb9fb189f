use std::borrow::Cow;

/// `bytes` as text: lent as they are, or repaired into `repaired` with one U+FFFD per bad sequence.
/// The flag says which.
pub(crate) fn lossy<'a>(bytes: &'a [u8], repaired: &'a mut String) -> (&'a str, bool) {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => (text, false),
        Cow::Owned(text) => {
            *repaired = text;
            (repaired, true)
        }
    }
}
