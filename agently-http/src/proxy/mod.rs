//! Which proxy a request goes through.

mod no_proxy;
pub(crate) mod tunnel;

use std::env;
use std::fmt;
use std::sync::Arc;

use base64::prelude::{Engine, BASE64_STANDARD};
use http::HeaderValue;

use self::no_proxy::NoProxy;
use crate::{HttpError, Url};

type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where proxies come from.
///
/// The environment is read as usual: `HTTPS_PROXY` and `HTTP_PROXY` by the scheme of the request,
/// then `ALL_PROXY`; lower case goes before upper case; `NO_PROXY` excludes hosts. Proxies are
/// `http://` or `https://`, with `user:password@` where they want it; nothing of that is ever
/// printed.
///
/// ```
/// use agently_http::ProxyConfig;
///
/// let proxy = ProxyConfig::url("http://proxy.internal:3128").no_proxy("localhost,.internal");
/// # let _ = proxy;
/// ```
#[derive(Clone)]
pub struct ProxyConfig(Source);

#[derive(Clone)]
enum Source {
    None,
    Lookup(Lookup),
    Fixed { url: String, no_proxy: String },
}

impl ProxyConfig {
    /// No proxy, whatever the environment says.
    #[must_use]
    pub fn none() -> Self {
        Self(Source::None)
    }

    /// From the environment variables, when the client is built. The default.
    ///
    /// This machine itself (`localhost`, loopback addresses) is never reached through a proxy that
    /// was set in this way.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_lookup(|name| env::var(name).ok())
    }

    /// As [`from_env`](Self::from_env), with another source of variables.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Source::Lookup(Arc::new(lookup)))
    }

    /// This proxy for every request.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        Self(Source::Fixed {
            url: url.into(),
            no_proxy: String::new(),
        })
    }

    /// Excludes hosts from the proxy of [`url`](Self::url): a list like that of `NO_PROXY`.
    ///
    /// Its entries are separated by commas: host names, which cover the names below them;
    /// addresses; blocks as `10.0.0.0/8`; each with `:port` to mean that port only; `*` for all.
    #[must_use]
    pub fn no_proxy(mut self, rules: impl Into<String>) -> Self {
        if let Source::Fixed { no_proxy, .. } = &mut self.0 {
            *no_proxy = rules.into();
        }
        self
    }

    pub(crate) fn resolve(&self) -> Result<Proxies, HttpError> {
        match &self.0 {
            Source::None => Ok(Proxies::default()),
            Source::Fixed { url, no_proxy } => {
                let proxy = Arc::new(Proxy::parse(url, "the proxy setting")?);
                Ok(Proxies {
                    http: Some(Arc::clone(&proxy)),
                    https: Some(proxy),
                    no_proxy: NoProxy::parse(no_proxy),
                    direct_loopback: false,
                })
            }
            Source::Lookup(lookup) => Proxies::from_lookup(&**lookup),
        }
    }
}

impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Source::None => "ProxyConfig(none)",
            Source::Lookup(_) => "ProxyConfig(environment)",
            Source::Fixed { .. } => "ProxyConfig(url)",
        })
    }
}

/// The proxies of one client.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    http: Option<Arc<Proxy>>,
    https: Option<Arc<Proxy>>,
    no_proxy: NoProxy,
    direct_loopback: bool,
}

impl Proxies {
    fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, HttpError> {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = lookup(name)?;
                let value = value.trim();
                (!value.is_empty()).then(|| (*name, value.to_owned()))
            })
        };
        let parse = |found: Option<(&'static str, String)>| match found {
            Some((name, value)) => {
                Proxy::parse(&value, &format!("the environment variable {name}"))
                    .map(|proxy| Some(Arc::new(proxy)))
            }
            None => Ok(None),
        };
        // A CGI script finds a request's `Proxy` header in `HTTP_PROXY`: it is not the machine's.
        let http = if lookup("REQUEST_METHOD").is_some() {
            first(&["http_proxy", "all_proxy", "ALL_PROXY"])
        } else {
            first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
        };
        let https = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
        let no_proxy = first(&["no_proxy", "NO_PROXY"]).map_or_else(String::new, |(_, list)| list);
        Ok(Self {
            http: parse(http)?,
            https: parse(https)?,
            no_proxy: NoProxy::parse(&no_proxy),
            direct_loopback: true,
        })
    }

    /// The proxy on the way to `url`.
    pub(crate) fn for_url(&self, url: &Url) -> Option<&Proxy> {
        let proxy = if url.is_https() {
            self.https.as_deref()
        } else {
            self.http.as_deref()
        }?;
        let direct = (self.direct_loopback && url.is_loopback())
            || self.no_proxy.matches(url.host(), url.port());
        (!direct).then_some(proxy)
    }
}

/// One proxy.
pub(crate) struct Proxy {
    url: Url,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    fn parse(text: &str, setting: &str) -> Result<Self, HttpError> {
        let refused = |what: &str| {
            HttpError::config(format!("{setting} holds no usable proxy: {what}"))
                .with_hint("a proxy looks like http://user:password@host:port")
        };
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text),
        };
        if scheme != "http" && scheme != "https" {
            let scheme: String = scheme.chars().take(20).collect();
            return Err(refused(&format!(
                "{scheme:?} proxies are not supported, only http and https"
            )));
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, authority),
        };
        let url = Url::parse(&format!("{scheme}://{host}"))
            .map_err(|error| refused("its host or port cannot be read").with_source(error))?;
        let authorization = userinfo
            .map(|userinfo| {
                let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
                let mut pair = percent_decode(user);
                pair.push(b':');
                pair.extend(percent_decode(password));
                let mut value =
                    HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(pair)))
                        .map_err(|error| refused("its user name").with_source(error))?;
                value.set_sensitive(true);
                Ok::<_, HttpError>(value)
            })
            .transpose()?;
        Ok(Self { url, authorization })
    }

    pub(crate) fn host(&self) -> &str {
        self.url.host()
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.is_https()
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.url.is_loopback()
    }

    /// `host:port`, for messages.
    pub(crate) fn place(&self) -> String {
        self.url.host_port()
    }

    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.url)
    }
}

/// Undoes `%41`; what is no such escape stays as it is.
fn percent_decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let escape = after
                .split_at_checked(2)
                .and_then(|(digits, after)| Some((std::str::from_utf8(digits).ok()?, after)))
                .and_then(|(digits, after)| Some((u8::from_str_radix(digits, 16).ok()?, after)));
            if let Some((byte, after)) = escape {
                decoded.push(byte);
                rest = after;
                continue;
            }
        }
        decoded.push(byte);
    }
    decoded
}
