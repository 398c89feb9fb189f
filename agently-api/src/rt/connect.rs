use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::{select, Either};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::Clock;

/// How long an address may take before the next one is tried beside it: 250 ms, the "Connection
/// Attempt Delay" of [RFC 8305 section 5](https://www.rfc-editor.org/rfc/rfc8305#section-5).
pub const CONNECT_STAGGER: Duration = Duration::from_millis(250);

/// Tries `addresses` until one connects ("happy eyeballs").
///
/// Families alternate, starting with that of the first address; the next address is tried when the
/// one before fails, or after [`CONNECT_STAGGER`] beside it. The first to connect wins and the
/// others are dropped. For authors of a [`Connector`](super::Connector).
///
/// # Errors
///
/// The last failure, or [`io::ErrorKind::NotFound`] if there are no addresses.
///
/// # Cancel safety
///
/// Dropping the future drops all attempts.
pub async fn connect_any<T, F, Fut>(
    clock: &dyn Clock,
    addresses: Vec<SocketAddr>,
    mut connect: F,
) -> io::Result<T>
where
    F: FnMut(SocketAddr) -> Fut,
    Fut: Future<Output = io::Result<T>>,
{
    let mut waiting = interleave(addresses).into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut last_error = None;
    loop {
        match waiting.next() {
            Some(address) => attempts.push(Box::pin(connect(address))),
            None if attempts.is_empty() => {
                return Err(last_error.unwrap_or_else(|| {
                    io::Error::new(io::ErrorKind::NotFound, "the host name has no addresses")
                }));
            }
            None => {}
        }
        let finished = if waiting.len() == 0 {
            attempts.next().await
        } else {
            match select(attempts.next(), clock.sleep(CONNECT_STAGGER)).await {
                Either::Left((finished, _)) => finished,
                Either::Right(((), _)) => None,
            }
        };
        match finished {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => last_error = Some(error),
            None => {}
        }
    }
}

/// Alternates address families, keeping the order within each.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut mixed = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        match (first.next(), second.next()) {
            (None, None) => return mixed,
            (a, b) => mixed.extend(a.into_iter().chain(b)),
        }
    }
}
