use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::{Client, Inner};
use crate::conn::Pool;
use crate::tls::{Tls, TlsSettings};
use crate::{HttpError, Limits, ProxyConfig, Timeouts};

/// Makes a [`Client`].
///
/// ```
/// use agently_http::{Client, ProxyConfig, Timeouts};
/// use std::time::Duration;
///
/// let client = Client::builder()
///     .timeouts(Timeouts::default().with_connect(Duration::from_secs(3)))
///     .proxy(ProxyConfig::none())
///     .build()?;
/// # let _ = client;
/// # Ok::<(), agently_http::HttpError>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    timeouts: Timeouts,
    limits: Limits,
    proxy: ProxyConfig,
    root_pems: Vec<Vec<u8>>,
    identity_pem: Option<(Vec<u8>, Vec<u8>)>,
    max_idle_per_host: usize,
    idle_timeout: Duration,
    user_agent: String,
    insecure_credentials: bool,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            proxy: ProxyConfig::from_env(),
            root_pems: Vec::new(),
            identity_pem: None,
            max_idle_per_host: 64,
            idle_timeout: Duration::from_secs(50),
            user_agent: concat!("agently-rs/", env!("CARGO_PKG_VERSION")).to_owned(),
            insecure_credentials: false,
        }
    }
}

impl ClientBuilder {
    /// Sets the time limits of calls that bring none of their own.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets the size limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the proxy. By default it comes from the environment, as it is when
    /// [`build`](Self::build) is called.
    pub fn proxy(mut self, proxy: ProxyConfig) -> Self {
        self.proxy = proxy;
        self
    }

    /// Trusts the certificate authorities in this PEM text beside those of the machine.
    pub fn add_root_certificate_pem(mut self, pem: &[u8]) -> Self {
        self.root_pems.push(pem.to_owned());
        self
    }

    /// Shows this certificate chain to servers that ask for one, proven by `key`; both in PEM.
    pub fn client_identity_pem(mut self, cert_chain: &[u8], key: &[u8]) -> Self {
        self.identity_pem = Some((cert_chain.to_owned(), key.to_owned()));
        self
    }

    /// How many idle connections to keep for each host. 64; 0 keeps none.
    pub fn max_idle_per_host(mut self, max: usize) -> Self {
        self.max_idle_per_host = max;
        self
    }

    /// How long a connection may be idle before it is closed. 50 s, just under the 60 s of usual
    /// load balancers. One sleeping task on each runtime in use sees to that.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// Sets the `User-Agent` of requests that bring none of their own.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Lets credentials go over plain `http` to hosts other than this machine. Off.
    pub fn allow_insecure_http_with_credentials(mut self, allow: bool) -> Self {
        self.insecure_credentials = allow;
        self
    }

    /// Makes the client. No socket is opened and no certificate store read yet.
    ///
    /// # Errors
    ///
    /// Kind `Config` when a certificate, a key, the user agent or the URL of
    /// [`ProxyConfig::url`] cannot be used. A proxy of the environment is an error only for the
    /// calls that would go through it.
    pub fn build(self) -> Result<Client, HttpError> {
        let settings = TlsSettings::read(
            &self.root_pems,
            self.identity_pem
                .as_ref()
                .map(|(chain, key)| (chain.as_slice(), key.as_slice())),
        )?;
        let user_agent = HeaderValue::from_str(&self.user_agent).map_err(|error| {
            HttpError::config("the user agent has characters that cannot stand in a header")
                .with_source(error)
        })?;
        Ok(Client {
            inner: Arc::new(Inner {
                timeouts: self.timeouts,
                limits: self.limits,
                proxies: self.proxy.resolve()?,
                tls: Tls::new(settings),
                pool: Arc::new(Pool::new(self.max_idle_per_host, self.idle_timeout)),
                user_agent,
                insecure_credentials: self.insecure_credentials,
            }),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}
