use std::fmt;

use bytes::Bytes;
use http::{header, HeaderMap, HeaderName, HeaderValue, Method};

use agently_api::secret::Secret;

use crate::{HttpError, Url};

/// A request: what goes out.
///
/// `Host`, `Content-Length`, `User-Agent` and `Accept-Encoding: identity` are added on the way
/// where they are missing. Its `Debug` output shows header names only, and of the body the length.
///
/// ```
/// use agently_http::{Request, Url};
/// use agently_api::secret::Secret;
///
/// let request = Request::post(Url::parse("https://example.com/v1/chat")?)
///     .with_header("content-type", "application/json")?
///     .with_bearer(&Secret::new("sk-123"))?
///     .with_body("{}");
/// assert!(!format!("{request:?}").contains("sk-123"));
/// # Ok::<(), agently_http::HttpError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, empty for none.
    pub body: Bytes,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// A `GET` request.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `POST` request.
    #[must_use]
    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a header, in place of one of the same name.
    ///
    /// # Errors
    ///
    /// Kind `Config` when the name or the value has characters that cannot stand in a header.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, HttpError> {
        let name = header_name(name)?;
        let value = header_value(&name, value)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets a header whose value is never printed.
    ///
    /// # Errors
    ///
    /// Kind `Config` when the name or the value has characters that cannot stand in a header.
    pub fn with_secret_header(mut self, name: &str, value: &Secret) -> Result<Self, HttpError> {
        let name = header_name(name)?;
        let mut value = header_value(&name, value.expose())?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets `Authorization: Bearer …`.
    ///
    /// # Errors
    ///
    /// Kind `Config` when the token has characters that cannot stand in a header.
    pub fn with_bearer(self, token: &Secret) -> Result<Self, HttpError> {
        let value = Secret::new(format!("Bearer {}", token.expose()));
        self.with_secret_header(header::AUTHORIZATION.as_str(), &value)
    }

    /// The name of a header that carries a credential, if there is one.
    pub(crate) fn credential(&self) -> Option<&HeaderName> {
        self.headers
            .iter()
            .find(|(name, value)| value.is_sensitive() || is_credential(name))
            .map(|(name, _)| name)
    }
}

fn header_name(name: &str) -> Result<HeaderName, HttpError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|error| {
        HttpError::config(format!("{name:?} cannot be the name of a header")).with_source(error)
    })
}

fn header_value(name: &HeaderName, value: &str) -> Result<HeaderValue, HttpError> {
    let refused = || {
        HttpError::config(format!(
            "the value of header `{name}` has characters that cannot stand in a header"
        ))
        .with_hint("look for a line break or a character outside ASCII, as from copy and paste")
    };
    if !value.is_ascii() {
        return Err(refused());
    }
    HeaderValue::from_str(value).map_err(|_| refused())
}

fn is_credential(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "authorization"
            | "proxy-authorization"
            | "cookie"
            | "api-key"
            | "x-api-key"
            | "x-goog-api-key"
            | "ocp-apim-subscription-key"
            | "x-auth-token"
    )
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
