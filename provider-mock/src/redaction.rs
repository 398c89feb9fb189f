//! What is a secret by its name or its place, and what stands there instead.

/// What stands in the place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Whether the name of a field, a header or a query parameter says that its value is secret.
///
/// In doubt it is: a value too much is hidden on both sides of a comparison, one too few is
/// published.
pub(crate) fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 11] = [
        "secret",
        "credential",
        "passw",
        "passphrase",
        "apikey",
        "accesskey",
        "privatekey",
        "subscriptionkey",
        "authorization",
        "cookie",
        "bearer",
    ];
    let name = bare(name);
    // `max_tokens` is a number of them.
    name.ends_with("token") || PARTS.iter().any(|part| name.contains(part))
}

/// Whether all values below a field of this name are those of headers.
pub(crate) fn holds_headers(name: &str) -> bool {
    bare(name).ends_with("headers")
}

/// Letters and digits in lower case: `x-api-key` and `apiKey` are the same word.
fn bare(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A query without the values that are secret: signed links and keys stand in one.
pub(crate) fn query_without_secrets(query: &str) -> String {
    const EXACT: [&str; 4] = ["key", "sig", "signature", "auth"];
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) || EXACT.contains(&bare(name).as_str()) => {
                format!("{name}={REDACTED}")
            }
            _ => pair.to_owned(),
        })
        .collect();
    pairs.join("&")
}

/// A text whose URLs have lost user information, query and fragment.
pub(crate) fn text_without_secrets(text: &str) -> String {
    let ends_url = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>');
    text.split_inclusive(ends_url)
        .map(|piece| {
            let url = piece.trim_end_matches(ends_url);
            let after = piece.get(url.len()..).unwrap_or_default();
            url_without_secrets(url) + after
        })
        .collect()
}

/// A URL without user information, query and fragment; any other text as it is.
pub(crate) fn url_without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may hold any character before the last `@`, a `/` too.
    let (before, rest) = match rest.rsplit_once('@') {
        Some((_, rest)) if authority.contains(['@', ':']) => (format!("{REDACTED}@"), rest),
        _ => (String::new(), rest),
    };
    let (place, hidden) = match rest.find(['?', '#']) {
        Some(at) => (rest.get(..=at).unwrap_or_default(), REDACTED),
        None => (rest, ""),
    };
    format!("{scheme}://{before}{place}{hidden}")
}
