use std::sync::Arc;
use std::time::{Duration, Instant};

use agently_api::rt::Runtime;
use http::{header, HeaderName, HeaderValue, Method, StatusCode};

use super::{explain, Client};
use crate::body::Live;
use crate::conn::{ExchangeFailure, Pieces, PoolKey, Watchdog, Wire};
use crate::proxy::Proxy;
use crate::request::check_header;
use crate::{Body, BodyFraming, HttpError, HttpErrorKind, Request, Response, Timeouts, Url};

/// What one call may bring beside its request.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// When the call must be over, by the runtime's clock; `None` for no such moment.
    pub deadline: Option<Instant>,
    /// Time limits instead of the client's.
    pub timeouts: Option<Timeouts>,
}

impl CallOptions {
    /// Sets the [`deadline`](Self::deadline).
    #[must_use]
    pub fn with_deadline(mut self, deadline: impl Into<Option<Instant>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets the [`timeouts`](Self::timeouts).
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }
}

impl Client {
    /// Sends a request and waits for the head of its response.
    ///
    /// Any status is a response, not an error. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// [`HttpError`] when no response came, or one in a coding that was not asked for; kind `Config`
    /// for a header that is not the caller's to set (see [`Request`]) and for a proxy of the
    /// environment that cannot be used.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection it was using.
    pub async fn send(&self, runtime: &Runtime, request: Request) -> Result<Response, HttpError> {
        self.send_with(runtime, request, CallOptions::default())
            .await
    }

    /// As [`send`](Self::send), with a deadline or time limits of its own.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_with(
        &self,
        runtime: &Runtime,
        request: Request,
        options: CallOptions,
    ) -> Result<Response, HttpError> {
        let timeouts = options.timeouts.unwrap_or(self.inner.timeouts);
        let now = runtime.now();
        let total = timeouts.total.and_then(|limit| now.checked_add(limit));
        let deadline = match (options.deadline, total) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for (name, value) in &request.headers {
            check_header(name, value)?;
        }
        let proxy = self.inner.proxies.for_url(&request.url)?;
        self.check_credentials(&request, proxy)?;
        let key = PoolKey {
            runtime: runtime.id(),
            https: request.url.is_https(),
            host: Arc::from(request.url.host()),
            port: request.url.port(),
        };

        let mut watchdog = Watchdog::new(runtime.clone(), deadline, timeouts.headers);
        let mut pooled = self.inner.pool.checkout(&key, now);
        let (wire, response) = loop {
            let mut wire = match pooled.take() {
                Some(wire) => wire,
                None => {
                    self.open(runtime, &request.url, proxy, &timeouts, deadline)
                        .await?
                }
            };
            let message = self.message(&request, proxy);
            let failed = match wire.exchange(message, &mut watchdog).await {
                Ok(response) => break (wire, response),
                Err(failed) => failed,
            };
            let error = match failed.cause {
                ExchangeFailure::Expired(expired) => explain::headers_expired(expired, &key),
                // The server had closed the connection while it was idle: nothing came back, so
                // the request is sent once more, on a connection of its own.
                ExchangeFailure::Wire(error)
                    if failed.received == 0 && wire.is_reused() && !error.is_parse() =>
                {
                    continue;
                }
                ExchangeFailure::Wire(error) => {
                    explain::exchange(error, failed.received, &key, &self.inner.limits)
                }
            };
            return Err(error.with_maybe_billed(failed.sent));
        };
        self.respond(&request.method, timeouts, wire, watchdog, key, response)
    }

    fn respond(
        &self,
        method: &Method,
        timeouts: Timeouts,
        wire: Wire,
        mut watchdog: Watchdog,
        key: PoolKey,
        response: http::Response<hyper::body::Incoming>,
    ) -> Result<Response, HttpError> {
        let (head, incoming) = response.into_parts();
        let framing = framing(method, &head);
        let refused = match coding(&head) {
            Some(coding) if framing != BodyFraming::Empty => {
                let error = explain::coded(&coding, &key);
                if head.status.is_success() {
                    return Err(error);
                }
                Some(error)
            }
            _ => None,
        };
        watchdog.heard();
        watchdog.set_silence(timeouts.first_byte.or(timeouts.idle));
        let live = Live {
            wire,
            incoming,
            watchdog,
            pool: Arc::clone(&self.inner.pool),
            key,
            max_bytes: self.inner.limits.body_bytes,
            idle: timeouts.idle,
            no_progress: timeouts.no_progress,
            billed: head.status.is_success(),
        };
        Ok(Response::new(head, Body::new(live, framing, refused)))
    }

    /// Refuses to send a credential in the clear to another machine.
    fn check_credentials(&self, request: &Request, proxy: Option<&Proxy>) -> Result<(), HttpError> {
        let url = &request.url;
        if url.is_https() || self.inner.insecure_credentials {
            return Ok(());
        }
        // Through a proxy, even a loopback address leaves this machine.
        let stays_here = match proxy {
            Some(proxy) => proxy.is_loopback() && url.is_loopback(),
            None => url.is_loopback(),
        };
        match request.credential() {
            Some(name) if !stays_here => Err(HttpError::config(format!(
                "the request to {} carries a credential (header `{name}`) over plain http",
                url.host_port()
            ))
            .with_hint(
                "use https, or allow it with `allow_insecure_http_with_credentials` on a network you trust",
            )),
            _ => Ok(()),
        }
    }

    /// The request in hyper's terms.
    fn message(&self, request: &Request, proxy: Option<&Proxy>) -> http::Request<Pieces> {
        let mut message = http::Request::new(Pieces(request.body.clone()));
        *message.method_mut() = request.method.clone();
        *message.headers_mut() = request.headers.clone();
        // Over a tunnel the server itself is spoken to.
        let proxy = proxy.filter(|_| !request.url.is_https());
        *message.uri_mut() = match proxy {
            Some(_) => request.url.absolute_form(),
            None => request.url.origin_form(),
        };
        let headers = message.headers_mut();
        if let Some(authorization) = proxy.and_then(|proxy| proxy.authorization()) {
            headers.insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        if let Ok(host) = HeaderValue::from_str(&request.url.host_header()) {
            headers.insert(header::HOST, host);
        }
        headers
            .entry(header::ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("identity"));
        headers
            .entry(header::USER_AGENT)
            .or_insert_with(|| self.inner.user_agent.clone());
        if request.body.is_empty() && matches!(request.method, Method::POST | Method::PUT) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        message
    }
}

fn framing(method: &Method, head: &http::response::Parts) -> BodyFraming {
    let bodiless = matches!(
        head.status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if bodiless || *method == Method::HEAD {
        return BodyFraming::Empty;
    }
    let mut transfer_codings = codings(head, &header::TRANSFER_ENCODING);
    if let Some(last) = transfer_codings.next_back() {
        return match last.eq_ignore_ascii_case("chunked") {
            true => BodyFraming::Chunked,
            false => BodyFraming::CloseDelimited,
        };
    }
    let length = head
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    match length {
        Some(0) => BodyFraming::Empty,
        Some(length) => BodyFraming::Length(length),
        None => BodyFraming::CloseDelimited,
    }
}

/// The codings in a header, in the order in which they were applied.
fn codings<'a>(
    head: &'a http::response::Parts,
    name: &HeaderName,
) -> impl DoubleEndedIterator<Item = &'a str> {
    head.headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("unreadable").split(','))
        .map(str::trim)
        .filter(|coding| !coding.is_empty())
}

/// The coding of the content or of its transfer that would have to be undone, if there is one.
fn coding(head: &http::response::Parts) -> Option<String> {
    let chunked = |coding: &str| coding.eq_ignore_ascii_case("chunked");
    codings(head, &header::CONTENT_ENCODING)
        .chain(codings(head, &header::TRANSFER_ENCODING).filter(|coding| !chunked(coding)))
        .find(|coding| !coding.eq_ignore_ascii_case("identity"))
        .map(|coding| {
            coding
                .chars()
                .take(40)
                .collect::<String>()
                .to_ascii_lowercase()
        })
}

impl Client {
    /// A new connection to where `url` points, within the connect time limit.
    async fn open(
        &self,
        runtime: &Runtime,
        url: &Url,
        proxy: Option<&Proxy>,
        timeouts: &Timeouts,
        deadline: Option<Instant>,
    ) -> Result<Wire, HttpError> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(runtime.now()));
        let by_deadline = left.is_some_and(|left| left <= timeouts.connect);
        let limit = left.unwrap_or(Duration::MAX).min(timeouts.connect);
        if limit.is_zero() {
            return Err(explain::deadline("before a connection was made"));
        }
        let stream = match runtime
            .timeout(limit, self.connect(runtime, url, proxy))
            .await
        {
            Ok(connected) => connected?,
            Err(_) if by_deadline => {
                return Err(explain::deadline("while the connection was being made"));
            }
            Err(elapsed) => return Err(explain::connect_timeout(url, elapsed.limit())),
        };
        Wire::open(stream, &self.inner.limits)
            .await
            .map_err(|error| {
                HttpError::new(HttpErrorKind::Connect, "the connection could not be set up")
                    .with_source(error)
            })
    }
}
