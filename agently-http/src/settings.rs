use std::time::Duration;

/// Time limits of a call, each on its own clock.
///
/// A call is one [`send`](crate::Client::send) and the body of its response. Whoever tries again
/// sends again, and each try has these limits for itself; what bounds all tries together is
/// [`CallOptions::deadline`](crate::CallOptions::deadline).
///
/// There is no hidden limit on the whole: a stream that keeps coming may run for hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Resolving, connecting, the proxy's answer and the TLS handshake together. 10 s.
    pub connect: Duration,
    /// From the last byte of the request that went out to the response headers. 120 s. An upload
    /// that moves may take as long as it needs.
    pub headers: Option<Duration>,
    /// From the headers to the first byte of the body; `None` for the same as
    /// [`idle`](Self::idle). None.
    pub first_byte: Option<Duration>,
    /// Silence within the body, while somebody waits for it. 120 s.
    pub idle: Option<Duration>,
    /// Bytes that are not progress, as keep-alive comments. 600 s. The time that a reader spends
    /// elsewhere (a second or more at a time) is not counted. Counted at all once
    /// [`Body::watch_progress`](crate::Body::watch_progress) was called.
    pub no_progress: Option<Duration>,
    /// The whole of one call, from `send` to the end of the body, the upload included: one try, not
    /// all tries together. None.
    pub total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            headers: Some(Duration::from_secs(120)),
            first_byte: None,
            idle: Some(Duration::from_secs(120)),
            no_progress: Some(Duration::from_secs(600)),
            total: None,
        }
    }
}

impl Timeouts {
    /// Limits for answers that come as one piece: the server is silent until all of it is written,
    /// so the headers may take 600 s.
    #[must_use]
    pub fn whole_answer() -> Self {
        Self {
            headers: Some(Duration::from_secs(600)),
            ..Self::default()
        }
    }

    /// Sets [`connect`](Self::connect).
    #[must_use]
    pub fn with_connect(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// Sets [`headers`](Self::headers).
    #[must_use]
    pub fn with_headers(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.headers = limit.into();
        self
    }

    /// Sets [`first_byte`](Self::first_byte).
    #[must_use]
    pub fn with_first_byte(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.first_byte = limit.into();
        self
    }

    /// Sets [`idle`](Self::idle).
    #[must_use]
    pub fn with_idle(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.idle = limit.into();
        self
    }

    /// Sets [`no_progress`](Self::no_progress).
    #[must_use]
    pub fn with_no_progress(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.no_progress = limit.into();
        self
    }

    /// Sets [`total`](Self::total).
    #[must_use]
    pub fn with_total(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.total = limit.into();
        self
    }
}

/// Size limits on what is read, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The response's status line and headers. 64 KiB; less than 8 KiB counts as 8 KiB.
    pub header_bytes: usize,
    /// One event or line of a stream: for the decoders. 16 MiB.
    pub event_bytes: usize,
    /// The whole response body. 256 MiB.
    pub body_bytes: u64,
    /// The body of an error response: for whoever reads one. 64 KiB.
    pub error_body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 64 * 1024,
            event_bytes: 16 * 1024 * 1024,
            body_bytes: 256 * 1024 * 1024,
            error_body_bytes: 64 * 1024,
        }
    }
}

impl Limits {
    /// Sets [`header_bytes`](Self::header_bytes).
    #[must_use]
    pub fn with_header_bytes(mut self, limit: usize) -> Self {
        self.header_bytes = limit;
        self
    }

    /// Sets [`event_bytes`](Self::event_bytes).
    #[must_use]
    pub fn with_event_bytes(mut self, limit: usize) -> Self {
        self.event_bytes = limit;
        self
    }

    /// Sets [`body_bytes`](Self::body_bytes).
    #[must_use]
    pub fn with_body_bytes(mut self, limit: u64) -> Self {
        self.body_bytes = limit;
        self
    }

    /// Sets [`error_body_bytes`](Self::error_body_bytes).
    #[must_use]
    pub fn with_error_body_bytes(mut self, limit: usize) -> Self {
        self.error_body_bytes = limit;
        self
    }
}
