use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};

use futures_channel::mpsc;
use futures_core::Stream;
use futures_util::StreamExt;

use crate::pipe::{duplex, Duplex};
use crate::sync::lock;

/// Bytes that a direction of a connection holds.
const CAPACITY: usize = 64 * 1024;

/// The ports that are open.
pub(super) struct Network {
    state: Mutex<State>,
}

struct State {
    listeners: BTreeMap<(String, u16), mpsc::UnboundedSender<Duplex>>,
    rng: fastrand::Rng,
}

impl Network {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new(State {
                listeners: BTreeMap::new(),
                rng: fastrand::Rng::with_seed(seed),
            }),
        }
    }

    pub(super) fn listen(network: &Arc<Self>, host: &str, port: u16) -> io::Result<Listener> {
        let address = (host.to_owned(), port);
        let mut state = lock(&network.state);
        if state.listeners.contains_key(&address) {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("{host}:{port} is open already"),
            ));
        }
        let (sender, accepted) = mpsc::unbounded();
        state.listeners.insert(address.clone(), sender);
        Ok(Listener {
            accepted,
            address,
            network: Arc::downgrade(network),
        })
    }

    pub(super) fn connect(&self, host: &str, port: u16) -> io::Result<Duplex> {
        let mut state = lock(&self.state);
        let (client_seed, server_seed) = (state.rng.u64(..), state.rng.u64(..));
        let (client, server) = duplex(CAPACITY);
        let server = server.with_short_reads(server_seed);
        let refused = match state.listeners.get(&(host.to_owned(), port)) {
            Some(listener) => match listener.unbounded_send(server) {
                Ok(()) => return Ok(client.with_short_reads(client_seed)),
                Err(_closed) => true,
            },
            None => state.listeners.keys().any(|(known, _)| known == host),
        };
        drop(state);
        Err(if refused {
            io::Error::new(
                io::ErrorKind::ConnectionRefused,
                format!("nobody listens at {host}:{port}; open it with `Det::listen`"),
            )
        } else {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no host {host} in this simulation; make it with `Det::listen`"),
            )
        })
    }
}

/// An open port of a [`Det`](super::Det): a stream of connections. Dropping it closes the port.
#[must_use = "dropping a listener closes its port"]
pub struct Listener {
    accepted: mpsc::UnboundedReceiver<Duplex>,
    address: (String, u16),
    network: Weak<Network>,
}

impl Listener {
    /// Waits for a connection. `None` never comes while the [`Det`](super::Det) lives.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn accept(&mut self) -> Option<Duplex> {
        self.next().await
    }
}

impl Stream for Listener {
    type Item = Duplex;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Duplex>> {
        self.accepted.poll_next_unpin(cx)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(network) = self.network.upgrade() {
            let sender = lock(&network.state).listeners.remove(&self.address);
            drop(sender);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
