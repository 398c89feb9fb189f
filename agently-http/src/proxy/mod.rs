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
/// printed. A variable that cannot be used, as one of a `socks5://` proxy, is an error of the calls
/// that would go through it, and of no others.
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
                let proxy = Proxy::parse(url, "the proxy setting").map_err(Refusal::into_error)?;
                let proxy = Choice::Through(Arc::new(proxy));
                Ok(Proxies {
                    http: proxy.clone(),
                    https: proxy,
                    no_proxy: NoProxy::parse(no_proxy),
                    direct_loopback: false,
                })
            }
            Source::Lookup(lookup) => Ok(Proxies::from_lookup(&**lookup)),
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
    http: Choice,
    https: Choice,
    no_proxy: NoProxy,
    direct_loopback: bool,
}

/// The way for one scheme.
#[derive(Clone, Debug, Default)]
enum Choice {
    #[default]
    Direct,
    Through(Arc<Proxy>),
    /// There is one, and it cannot be used.
    Refused(Refusal),
}

impl Proxies {
    fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        // A CGI script finds a request's `Proxy` header in `HTTP_PROXY`: it is not the machine's.
        let http = if lookup("REQUEST_METHOD").is_some() {
            Choice::first(lookup, &["http_proxy", "all_proxy", "ALL_PROXY"])
        } else {
            Choice::first(
                lookup,
                &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
            )
        };
        let https = Choice::first(
            lookup,
            &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        );
        let no_proxy = ["no_proxy", "NO_PROXY"]
            .into_iter()
            .find_map(|name| set(lookup, name))
            .unwrap_or_default();
        Self {
            http,
            https,
            no_proxy: NoProxy::parse(&no_proxy),
            direct_loopback: true,
        }
    }

    /// The proxy on the way to `url`.
    pub(crate) fn for_url(&self, url: &Url) -> Result<Option<&Proxy>, HttpError> {
        let direct = (self.direct_loopback && url.is_loopback())
            || self.no_proxy.matches(url.host(), url.port());
        let choice = if url.is_https() {
            &self.https
        } else {
            &self.http
        };
        match choice {
            _ if direct => Ok(None),
            Choice::Direct => Ok(None),
            Choice::Through(proxy) => Ok(Some(proxy)),
            Choice::Refused(refusal) => Err(refusal.clone().into_error()),
        }
    }
}

impl Choice {
    /// The first of these variables that is set; one of a kind of proxy that we cannot speak to is
    /// passed over if there is another.
    fn first(lookup: &dyn Fn(&str) -> Option<String>, names: &[&str]) -> Self {
        let mut unsupported = None;
        for name in names {
            let Some(value) = set(lookup, name) else {
                continue;
            };
            match Proxy::parse(&value, &format!("the environment variable {name}")) {
                Ok(proxy) => return Self::Through(Arc::new(proxy)),
                Err(refusal) if refusal.unsupported => {
                    unsupported.get_or_insert(refusal);
                }
                Err(refusal) => return Self::Refused(unsupported.unwrap_or(refusal)),
            }
        }
        unsupported.map_or(Self::Direct, Self::Refused)
    }
}

/// The value of a variable that is set to something.
fn set(lookup: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    let value = lookup(name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// Why a setting holds no proxy, in words without its secrets.
#[derive(Clone, Debug)]
struct Refusal {
    message: String,
    /// It may be a proxy, but of a kind that we do not speak to.
    unsupported: bool,
}

impl Refusal {
    fn new(setting: &str, why: &str) -> Self {
        Self {
            message: format!("{setting} holds no usable proxy: {why}"),
            unsupported: false,
        }
    }

    fn into_error(self) -> HttpError {
        HttpError::config(self.message).with_hint(
            "a proxy looks like http://user:password@host:port; exclude hosts with NO_PROXY",
        )
    }
}

/// One proxy.
pub(crate) struct Proxy {
    url: Url,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    fn parse(text: &str, setting: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text),
        };
        // A password may hold any character before the last `@`, a `/` too.
        let (userinfo, rest) = match rest.rsplit_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        if scheme != "http" && scheme != "https" {
            let named = scheme.chars().all(|c| c.is_ascii_alphanumeric());
            let scheme = match named {
                true => scheme.chars().take(20).collect(),
                false => String::from("such"),
            };
            return Err(Refusal {
                unsupported: true,
                ..Refusal::new(
                    setting,
                    &format!("{scheme} proxies are not supported, only http and https"),
                )
            });
        }
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // The URL's own error could quote what it could not read.
        let url = Url::parse(&format!("{scheme}://{host}"))
            .map_err(|_| Refusal::new(setting, "its host or port cannot be read"))?;
        let authorization = userinfo
            .map(|userinfo| {
                let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
                let mut pair = percent_decode(user);
                pair.push(b':');
                pair.extend(percent_decode(password));
                let value = format!("Basic {}", BASE64_STANDARD.encode(pair));
                let mut value = HeaderValue::from_str(&value)
                    .map_err(|_| Refusal::new(setting, "its user name cannot be sent"))?;
                value.set_sensitive(true);
                Ok::<_, Refusal>(value)
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
