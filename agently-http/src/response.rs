use std::fmt;

use http::{header, HeaderMap, HeaderName, StatusCode, Version};

use crate::url::redacted;
use crate::{Body, Url};

/// A response: its head is here, its body comes as it is read.
///
/// Redirects are never followed: see [`redirect_location`](Self::redirect_location).
pub struct Response {
    head: http::response::Parts,
    body: Body,
}

impl Response {
    pub(crate) fn new(head: http::response::Parts, body: Body) -> Self {
        Self { head, body }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The HTTP version that the server speaks.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// One header as text, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The media type in lower case, without parameters, as in `text/event-stream`.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.header(header::CONTENT_TYPE.as_str())?;
        let media_type = value.split(';').next().unwrap_or_default().trim();
        (!media_type.is_empty()).then(|| media_type.to_ascii_lowercase())
    }

    /// Where a redirect points, without user name and query; `None` for other responses.
    ///
    /// A redirect without a location gives an empty text.
    #[must_use]
    pub fn redirect_location(&self) -> Option<String> {
        if !matches!(self.head.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = self.header(header::LOCATION.as_str()).unwrap_or_default();
        Some(match Url::parse(location) {
            Ok(url) => url.to_string(),
            Err(_) => redacted(location),
        })
    }

    /// The body, to be read in place.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body alone.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The head and the body.
    #[must_use]
    pub fn into_parts(self) -> (http::response::Parts, Body) {
        (self.head, self.body)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.head.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Response")
            .field("status", &self.head.status)
            .field("headers", &names)
            .field("body", &self.body)
            .finish()
    }
}
