//! From a base URL to the URL that requests go to.

use agently_api::error::{ProviderError, ProviderErrorKind};
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
