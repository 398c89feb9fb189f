//! The client: settings, the way to a connection, and one exchange.

mod builder;
mod connect;
pub(crate) mod explain;
mod send;

pub use builder::ClientBuilder;
pub use send::CallOptions;

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::conn::Pool;
use crate::proxy::Proxies;
use crate::tls::Tls;
use crate::{Limits, Timeouts};

/// Sends requests, over a pool of connections that all its clones share.
///
/// It belongs to no runtime: each call names the one whose sockets and clock it uses, and
/// connections are pooled apart for each.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    timeouts: Timeouts,
    limits: Limits,
    proxies: Proxies,
    tls: Tls,
    pool: Arc<Pool>,
    user_agent: HeaderValue,
    insecure_credentials: bool,
}

impl Client {
    /// Starts with the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The time limits of calls that bring none of their own.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.inner.timeouts
    }

    /// The size limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.inner.limits
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("timeouts", &self.inner.timeouts)
            .field("limits", &self.inner.limits)
            .field("proxies", &self.inner.proxies)
            .field("pool", &self.inner.pool)
            .finish_non_exhaustive()
    }
}
