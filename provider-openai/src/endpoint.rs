//! From a base URL to the URL that requests go to.

use std::borrow::Cow;

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::secret::Secret;
use agently_http::Url;

const PATH: &str = "chat/completions";

/// Joins the path, whatever the base brings: slashes at its end, a query (which is kept, as Azure
/// needs it), or the whole path already.
pub(crate) fn chat_completions(base: &str) -> Result<Url, ProviderError> {
    if base.contains('#') {
        return Err(ProviderError::new(
            ProviderErrorKind::Config,
            "the base URL holds a fragment (`#`)",
        )
        .with_hint("take it out; a base URL looks like https://host/v1"));
    }
    let url = Url::parse(base)?;
    let path = url.path().trim_end_matches('/');
    if path.ends_with("/chat/completions") {
        // In full; a slash behind it would be another path for most servers.
        return Ok(if url.path().ends_with('/') {
            let (head, _) = base.split_once('?').unwrap_or((base, ""));
            Url::parse(head.trim().trim_end_matches('/'))?.with_query(url.query())?
        } else {
            url
        });
    }
    Ok(url.join(PATH)?)
}

/// The names and values in a query, as they are written.
pub(crate) fn query_fields(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .map(|field| field.split_once('=').unwrap_or(("", field)))
}

/// A value of a query as it is written and as it is meant: a server may quote either.
pub(crate) fn spellings(value: &str) -> impl Iterator<Item = Secret> {
    let decoded = match decoded(value) {
        Cow::Owned(decoded) => Some(Secret::new(decoded)),
        Cow::Borrowed(_) => None,
    };
    std::iter::once(Secret::new(value)).chain(decoded)
}

fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).filter(|digits| {
            let mut digits = digits.bytes();
            digits.all(|digit| digit.is_ascii_hexdigit())
        });
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = match byte {
            Some(_) => after.get(2..).unwrap_or_default(),
            None => after,
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}
