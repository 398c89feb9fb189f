use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::conformance::{wrong, Failure};

/// How long the server waits for a byte or for room: far more than any check needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A loopback server for one connection. Dropping it ends it.
pub(super) struct Server<T> {
    address: SocketAddr,
    thread: Option<JoinHandle<io::Result<T>>>,
}

impl<T: Send + 'static> Server<T> {
    /// Serves the first connection with `serve`, on a thread of its own.
    pub(super) fn start(
        serve: impl FnOnce(TcpStream) -> io::Result<T> + Send + 'static,
    ) -> Result<Self, Failure> {
        let start = || {
            let listener = TcpListener::bind(("127.0.0.1", 0))?;
            let address = listener.local_addr()?;
            let thread = thread::Builder::new()
                .name("conformance-server".to_owned())
                .spawn(move || {
                    let (stream, _peer) = listener.accept()?;
                    drop(listener);
                    stream.set_read_timeout(Some(PATIENCE))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    serve(stream)
                })?;
            Ok(Self {
                address,
                thread: Some(thread),
            })
        };
        start().map_err(|error: io::Error| wrong(format!("no loopback server: {error}")))
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits for the connection to be over and gives what `serve` gave.
    pub(super) fn join(mut self) -> Result<T, Failure> {
        let thread = self.thread.take();
        thread
            .ok_or_else(|| wrong("the server was asked twice"))?
            .join()
            .map_err(|_panic| wrong("the server panicked"))?
            .map_err(|error| wrong(format!("on the server's side: {error}")))
    }
}

impl<T> Drop for Server<T> {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // Lets `accept` go, if nobody has connected.
            drop(TcpStream::connect(self.address));
        }
    }
}
