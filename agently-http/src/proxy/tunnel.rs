use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use agently_api::rt::BoxIo;
use futures_io::{AsyncRead, AsyncWrite};

use super::Proxy;
use crate::{HttpError, HttpErrorKind};

/// The most that a proxy's answer may take, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Asks `proxy` for a tunnel to `target` (`host:port`).
pub(crate) async fn open(
    mut stream: BoxIo,
    proxy: &Proxy,
    target: &str,
) -> Result<BoxIo, HttpError> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(authorization) = proxy.authorization() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let lost =
        |error: io::Error| refused(proxy, target, "it closed the connection").with_source(error);
    write_all(&mut stream, &request).await.map_err(lost)?;
    let head = read_head(&mut stream).await.map_err(lost)?;
    let Some(status) = status(&head) else {
        return Err(refused(proxy, target, "its answer is not HTTP")
            .with_hint("check that the proxy setting points at an HTTP proxy"));
    };
    match status {
        // A proxy may send nothing of its own after this; a TLS server speaks second.
        200..=299 if head.ends_with(b"\r\n\r\n") => Ok(stream),
        200..=299 => Err(refused(
            proxy,
            target,
            "it sent bytes that nobody asked for",
        )),
        407 => Err(refused(
            proxy,
            target,
            "it wants a user name and password (status 407)",
        )
        .with_hint("put them into the proxy URL, as in http://user:password@host:port")
        .with_status(status)),
        _ => Err(
            refused(proxy, target, &format!("it answered with status {status}"))
                .with_hint(
                    "check that the proxy may reach this host, or exclude the host with NO_PROXY",
                )
                .with_status(status),
        ),
    }
}

fn refused(proxy: &Proxy, target: &str, why: &str) -> HttpError {
    HttpError::new(
        HttpErrorKind::Proxy,
        format!("the proxy {} gave no way to {target}: {why}", proxy.place()),
    )
}

/// The status of an HTTP/1 response head.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let digits = rest.get(2..5)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

async fn write_all(stream: &mut BoxIo, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, bytes)).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await
}

/// Reads up to the empty line; what came with it is at the end.
async fn read_head(stream: &mut BoxIo) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buffer)).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let scanned = head.len().saturating_sub(3);
        head.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let unseen = head.get(scanned..).unwrap_or_default();
        // An answer that is a page does not end with its head: its body is not waited for.
        if memchr::memmem::find(unseen, b"\r\n\r\n").is_some() {
            return Ok(head);
        }
        if head.len() > MAX_HEAD {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the answer's head has no end",
            ));
        }
    }
}
