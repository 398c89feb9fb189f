//! Failures in a person's words: what happened, where, what to do.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::conn::{Expired, PoolKey};
use crate::proxy::Proxy;
use crate::{HttpError, HttpErrorKind, Limits, Url};

/// `host:port`.
fn place(key: &PoolKey) -> String {
    if key.host.contains(':') {
        format!("[{}]:{}", key.host, key.port)
    } else {
        format!("{}:{}", key.host, key.port)
    }
}

pub(super) fn connect(error: io::Error, place: &str) -> HttpError {
    let (what, hint) = reason(&error);
    HttpError::new(
        HttpErrorKind::Connect,
        format!("could not connect to {place}: {what}"),
    )
    .with_hint(hint)
    .with_source(error)
}

pub(super) fn proxy_connect(error: io::Error, proxy: &Proxy) -> HttpError {
    let (what, _) = reason(&error);
    HttpError::new(
        HttpErrorKind::Proxy,
        format!("could not connect to the proxy {}: {what}", proxy.place()),
    )
    .with_hint("check the proxy setting (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY), or exclude the host with NO_PROXY")
    .with_source(error)
}

/// What an I/O error means for somebody who wanted a connection, and what to do about it.
fn reason(error: &io::Error) -> (&'static str, &'static str) {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            "connection refused",
            "nothing listens there: check the base URL and that the server is running",
        ),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => (
            "no route to it",
            "check the network, a VPN, or whether a proxy is needed",
        ),
        io::ErrorKind::TimedOut => (
            "no answer",
            "check the host and port in the base URL, and any firewall between",
        ),
        io::ErrorKind::PermissionDenied => (
            "not permitted",
            "a firewall or sandbox on this machine forbids it",
        ),
        _ if is_lookup_failure(error) => (
            "the host name could not be resolved",
            "check the spelling of the host in the base URL, and the network",
        ),
        _ => (
            "the connection failed",
            "check the base URL and the network",
        ),
    }
}

/// The standard library has no kind for a failed name lookup: its words are all there is.
fn is_lookup_failure(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || {
        let text = error.to_string();
        text.contains("lookup") || text.contains("resolve") || text.contains("No such host")
    }
}

pub(super) fn connect_timeout(url: &Url, limit: Duration) -> HttpError {
    HttpError::new(
        HttpErrorKind::Connect,
        format!("no connection to {} within {limit:?}", url.host_port()),
    )
    .with_hint("check the host and port in the base URL, any firewall between, or raise the connect time limit")
}

pub(super) fn deadline(when: &str) -> HttpError {
    HttpError::new(
        HttpErrorKind::Deadline,
        format!("the call's deadline was reached {when}"),
    )
}

pub(super) fn headers_expired(expired: Expired, key: &PoolKey) -> HttpError {
    match expired {
        Expired::Deadline => deadline("while waiting for the response headers"),
        Expired::Silence(limit) | Expired::NoProgress(limit) => HttpError::new(
            HttpErrorKind::HeadersTimeout,
            format!("{} sent no response headers within {limit:?}", place(key)),
        )
        .with_hint("the server may be overloaded or still loading the model; raise the headers time limit if it needs longer"),
    }
}

pub(crate) fn body_expired(expired: Expired, key: &PoolKey) -> HttpError {
    let kind = expired.kind_in_body();
    let place = place(key);
    match expired {
        Expired::Deadline => deadline("while the response body was being read"),
        Expired::Silence(limit) => HttpError::new(
            kind,
            format!("{place} fell silent for {limit:?} in the middle of its response"),
        ),
        Expired::NoProgress(limit) => HttpError::new(
            kind,
            format!("{place} sent nothing but keep-alives for {limit:?}"),
        )
        .with_hint("the server may be queueing the request; raise the no-progress time limit to wait longer"),
    }
}

pub(crate) fn body_too_large(limit: u64) -> HttpError {
    HttpError::new(
        HttpErrorKind::Limit,
        format!("the response body is larger than {limit} bytes"),
    )
    .with_hint("raise `Limits::body_bytes` if such bodies are expected")
}

pub(super) fn coded(coding: &str, key: &PoolKey) -> HttpError {
    HttpError::new(
        HttpErrorKind::ContentType,
        format!(
            "{} sent a response coded as {coding:?} although it was asked for `identity`",
            place(key)
        ),
    )
    .with_hint("switch compression off for this path in the server or in the proxy before it")
}

/// No response head came.
pub(super) fn exchange(
    error: hyper::Error,
    received: u64,
    key: &PoolKey,
    limits: &Limits,
) -> HttpError {
    let place = place(key);
    if error.is_parse() {
        if is_too_large(&error) {
            return HttpError::new(
                HttpErrorKind::Limit,
                format!(
                    "the response headers of {place} are larger than {} bytes or too many",
                    limits.header_bytes
                ),
            )
            .with_hint("raise `Limits::header_bytes` if such headers are expected")
            .with_source(error);
        }
        let hint = if key.https {
            "check that the base URL points at an HTTP/1.1 server"
        } else {
            "check that the base URL points at an HTTP/1.1 server, and whether https:// is meant"
        };
        return HttpError::new(
            HttpErrorKind::Protocol,
            format!("what {place} answered is not HTTP"),
        )
        .with_hint(hint)
        .with_source(error);
    }
    if let Some(tls) = crate::tls::cause(&error) {
        return tls.with_source(error);
    }
    let when = if received == 0 {
        "before it answered"
    } else {
        "in the middle of the response headers"
    };
    HttpError::new(
        HttpErrorKind::Truncated,
        format!("{place} closed the connection {when}"),
    )
    .with_source(error)
}

/// The body broke.
pub(crate) fn body(error: hyper::Error, key: &PoolKey) -> HttpError {
    let place = place(key);
    if let Some(tls) = crate::tls::cause(&error) {
        return tls.with_source(error);
    }
    let malformed = io_cause(&error).is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        )
    });
    if malformed || error.is_parse() {
        return HttpError::new(
            HttpErrorKind::Protocol,
            format!("the response body of {place} breaks HTTP's rules"),
        )
        .with_source(error);
    }
    HttpError::new(
        HttpErrorKind::Truncated,
        format!("the connection to {place} was lost in the middle of the response body"),
    )
    .with_source(error)
}

fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        next = error.source();
    }
    None
}

/// hyper tells this apart for servers only, so its words are asked; a test holds them in place.
fn is_too_large(error: &hyper::Error) -> bool {
    error.to_string().contains("too large")
}
