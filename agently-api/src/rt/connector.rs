use std::fmt;
use std::io;

use futures_io::{AsyncRead, AsyncWrite};

use crate::BoxFuture;

/// A byte stream in both directions: what a [`Connector`] makes.
///
/// Closing it ends the write direction, so that the peer reads to an end. After its runtime's
/// shutdown it gives errors. Implemented for every type with the right bounds; nobody implements
/// it by hand.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// A boxed [`Io`].
pub type BoxIo = Box<dyn Io>;

/// Opens TCP connections.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connector",
    note = "implement `agently_api::rt::Connector`, or take one from a backend"
)]
pub trait Connector: fmt::Debug + Send + Sync + 'static {
    /// Resolves `host` and connects to `port`, with `TCP_NODELAY` set.
    ///
    /// All addresses of the host are tried, staggered as in
    /// [RFC 8305](https://www.rfc-editor.org/rfc/rfc8305); [`connect_any`](super::connect_any)
    /// does that for implementors. There is no time limit here: the caller puts one around it.
    ///
    /// # Errors
    ///
    /// What the resolver or the last address that was tried said.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes every socket it has opened.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>>;
}
