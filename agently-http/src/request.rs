use std::fmt;

use bytes::Bytes;
use http::{header, HeaderMap, HeaderName, HeaderValue, Method};

use agently_api::secret::Secret;

use crate::{HttpError, Url};

/// A request: what goes out.
///
/// `Host`, `Content-Length` and `Accept-Encoding: identity` are added on the way, `User-Agent` where
/// it is missing. Headers that belong to the connection and not to the request (those three,
/// `Connection`, `Transfer-Encoding`, `TE`, `Trailer`, `Upgrade`, `Expect`, `Keep-Alive`,
/// `Proxy-Connection`, `Proxy-Authorization`) are refused. Its `Debug` output shows header names only, and of the body the length.
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
    /// Kind `Config` when the name or the value has characters that cannot stand in a header, and
    /// for a header that belongs to the connection.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, HttpError> {
        let name = header_name(name)?;
        let value = header_value(&name, value)?;
        check_header(&name, &value)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets a header whose value is never printed.
    ///
    /// # Errors
    ///
    /// As [`with_header`](Self::with_header).
    pub fn with_secret_header(mut self, name: &str, value: &Secret) -> Result<Self, HttpError> {
        let name = header_name(name)?;
        let mut value = header_value(&name, value.expose())?;
        check_header(&name, &value)?;
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

/// Refuses what would change how the two sides talk: that is between the client and the server.
pub(crate) fn check_header(name: &HeaderName, value: &HeaderValue) -> Result<(), HttpError> {
    let hint = match name.as_str() {
        "accept-encoding" if value.as_bytes().eq_ignore_ascii_case(b"identity") => return Ok(()),
        "accept-encoding" => "responses are read as they are, never unpacked: leave it out",
        "host" => "it follows from the URL",
        "content-length" => "it follows from the body",
        "proxy-authorization" => "put user and password into the proxy's URL",
        "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer"
        | "transfer-encoding" | "upgrade" | "expect" => {
            "it belongs to the connection, which the client looks after: leave it out"
        }
        _ => return Ok(()),
    };
    Err(HttpError::config(format!("header `{name}` is not for a request to set")).with_hint(hint))
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
