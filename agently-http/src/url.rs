use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::Uri;

use crate::HttpError;

/// What to do with credentials in a URL.
const USERINFO: &str =
    "take user name and password out of the URL and set them as a header or an API key";

/// An absolute `http` or `https` URL.
///
/// It holds no user name and no password, and prints without its query, so that it can stand in
/// messages.
///
/// ```
/// use agently_http::Url;
///
/// let base = Url::parse("https://example.com/v1/?api-version=2")?;
/// let url = base.join("chat/completions")?;
/// assert_eq!(url.to_string(), "https://example.com/v1/chat/completions");
/// assert_eq!(url.query(), Some("api-version=2"));
/// assert_eq!(url.port(), 443);
/// # Ok::<(), agently_http::HttpError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    uri: Uri,
    https: bool,
    host: Box<str>,
    port: u16,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// Kind `Config` when the text is no absolute `http` or `https` URL, or holds a user name.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let text = text.trim();
        let uri: Uri = text.parse().map_err(|error| {
            refuse("the URL cannot be read", text)
                .with_hint("a URL looks like https://host:port/path; names outside ASCII need their xn-- form")
                .with_source(Box::<dyn std::error::Error + Send + Sync>::from(error))
        })?;
        Self::from_uri(uri, text)
    }

    fn from_uri(uri: Uri, text: &str) -> Result<Self, HttpError> {
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) | None => {
                return Err(refuse("the URL has no http or https scheme", text)
                    .with_hint("write it in full, as in https://host/v1"));
            }
        };
        let Some(authority) = uri.authority() else {
            return Err(refuse("the URL has no host", text));
        };
        if authority.as_str().contains('@') {
            return Err(
                HttpError::config("the URL holds a user name or password").with_hint(USERINFO)
            );
        }
        let host = authority.host();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if host.is_empty() {
            return Err(refuse("the URL has no host", text));
        }
        let host = host.to_ascii_lowercase().into_boxed_str();
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str().ends_with(':') || !has_port(authority) => {
                if https {
                    443
                } else {
                    80
                }
            }
            None => return Err(refuse("the URL's port is no number up to 65535", text)),
        };
        Ok(Self {
            uri,
            https,
            host,
            port,
        })
    }

    /// Appends path segments, keeping the base path and the query.
    ///
    /// One slash stands between them, whatever either side brings.
    ///
    /// # Errors
    ///
    /// Kind `Config` when `path` has characters that cannot stand in a path; `?` and `#` are
    /// among them.
    pub fn join(&self, path: &str) -> Result<Self, HttpError> {
        if path.contains(['?', '#']) {
            return Err(HttpError::config("a path to append cannot hold `?` or `#`"));
        }
        let base = self.uri.path().trim_end_matches('/');
        let path = path.trim_start_matches('/');
        self.with_path_and_query(&format!("{base}/{path}"), self.query())
    }

    /// Replaces the query; `None` takes it away.
    ///
    /// # Errors
    ///
    /// Kind `Config` when `query` has characters that cannot stand in a query.
    pub fn with_query(&self, query: Option<&str>) -> Result<Self, HttpError> {
        self.with_path_and_query(self.uri.path(), query)
    }

    fn with_path_and_query(&self, path: &str, query: Option<&str>) -> Result<Self, HttpError> {
        let text = match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let invalid = |error: http::Error| {
            HttpError::config("the URL's path or query holds characters that must be escaped")
                .with_hint("percent-encode names that go into a path")
                .with_source(error)
        };
        let path_and_query =
            PathAndQuery::from_str(&text).map_err(|error| invalid(error.into()))?;
        let mut parts = self.uri.clone().into_parts();
        parts.path_and_query = Some(path_and_query);
        let uri = Uri::from_parts(parts).map_err(|error| invalid(error.into()))?;
        Ok(Self {
            uri,
            ..self.clone()
        })
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.https {
            "https"
        } else {
            "http"
        }
    }

    /// The host in lower case, without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own if none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, `/` at least.
    #[must_use]
    pub fn path(&self) -> &str {
        match self.uri.path() {
            "" => "/",
            path => path,
        }
    }

    /// The query, without its `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// Whether the host is this machine: `localhost`, a name below it, or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether `other` has the same scheme, host and port.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.https == other.https && self.port == other.port && self.host == other.host
    }

    /// `host:port`, in brackets where it must be: for messages and `CONNECT`.
    pub(crate) fn host_port(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The value of the `Host` header.
    pub(crate) fn host_header(&self) -> String {
        let default = if self.https { 443 } else { 80 };
        if self.port != default {
            self.host_port()
        } else if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.to_string()
        }
    }

    /// The request target for the server itself: path and query.
    pub(crate) fn origin_form(&self) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.path_and_query = Some(
            self.uri
                .path_and_query()
                .cloned()
                .unwrap_or_else(|| PathAndQuery::from_static("/")),
        );
        Uri::from_parts(parts).unwrap_or_else(|_| Uri::from_static("/"))
    }

    /// The request target for a proxy: the whole URL.
    pub(crate) fn absolute_form(&self) -> Uri {
        self.uri.clone()
    }
}

fn has_port(authority: &Authority) -> bool {
    let text = authority.as_str();
    let after_brackets = text.rsplit(']').next().unwrap_or(text);
    after_brackets.contains(':')
}

fn refuse(what: &str, text: &str) -> HttpError {
    let refused = HttpError::config(format!("{what}: {:?}", redacted(text)));
    match text.contains('@') {
        true => refused.with_hint(USERINFO),
        false => refused,
    }
}

/// A text that may be anything, as a URL without user name, query and fragment, at most 200
/// characters long.
///
/// A password may hold any character before the last `@`, so nothing before that is shown.
pub(crate) fn redacted(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let is_path = scheme.is_none() && rest.starts_with('/') && !rest.starts_with("//");
    let rest = match rest.rsplit_once('@') {
        Some((_, host)) if !is_path => host,
        _ => rest,
    };
    let shown = rest.split(['?', '#']).next().unwrap_or_default();
    let is_scheme = |scheme: &&str| scheme.chars().all(|c| c.is_ascii_alphanumeric());
    let shown = match scheme.filter(is_scheme) {
        Some(scheme) => format!("{scheme}://{shown}"),
        None => shown.to_owned(),
    };
    shown.chars().take(200).collect()
}

pub(crate) fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(address) => {
                address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            }
        };
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost")
}

impl FromStr for Url {
    type Err = HttpError;

    fn from_str(text: &str) -> Result<Self, HttpError> {
        Self::parse(text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.uri.authority().map_or("", Authority::as_str);
        let scheme = self.uri.scheme().map_or("http", Scheme::as_str);
        write!(f, "{scheme}://{authority}{}", self.path())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}
