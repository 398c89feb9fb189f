use super::{SessionError, SessionErrorKind};

const MAX: usize = 128;

/// The id, if it is one: it may go into file names and databases.
pub(super) fn checked(id: String) -> Result<String, SessionError> {
    let fits = !id.is_empty()
        && id.len() <= MAX
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-'));
    if fits {
        return Ok(id);
    }
    Err(SessionError::new(
        SessionErrorKind::Id,
        format!(
            "a session's id must have 1 to {MAX} letters, digits and any of `.`, `_`, `:` and `-`"
        ),
    ))
}
