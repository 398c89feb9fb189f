//! A loopback HTTP server that speaks the chat-completions wire, and misbehaves on demand.

mod clock;
mod connection;
mod dialect;
mod openai;
mod request;
mod response;
mod shared;
mod wire_reply;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use agently_api::secret::Secret;

pub use request::RecordedRequest;
pub use wire_reply::WireReply;

use crate::script::Script;
use shared::Shared;

/// A model server on `127.0.0.1` that answers from a script.
///
/// It speaks OpenAI's chat completions, streamed or whole as the request asks, and lists one model
/// at `GET /v1/models`. It runs on plain threads, so it works beside every async runtime, and its
/// delays are real time. Connections are kept alive, limited in number and in time. Dropping the
/// server closes them all and joins the threads.
///
/// Without a script it answers every request with [`Reply::demo`](crate::Reply::demo).
///
/// ```
/// use std::io::{Read, Write};
///
/// use agently_provider_mock::{MockServer, Reply};
///
/// # fn main() -> std::io::Result<()> {
/// let server = MockServer::builder().reply(Reply::text("Hello")).start()?;
/// assert!(server.base_url().starts_with("http://127.0.0.1:"));
///
/// // Any client of the wire will do; here, one by hand.
/// let mut socket = std::net::TcpStream::connect(server.address())?;
/// let body = r#"{"model":"m","messages":[],"stream":true}"#;
/// write!(
///     socket,
///     "POST /v1/chat/completions HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
///     body.len(),
/// )?;
/// let mut answer = String::new();
/// socket.read_to_string(&mut answer)?;
/// assert!(answer.contains(r#""content":"Hello""#));
/// assert_eq!(server.requests().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct MockServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Starts a server that answers every request with [`Reply::demo`](crate::Reply::demo).
    ///
    /// # Errors
    ///
    /// What the system said when it refused a port or a thread.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// A server to be scripted.
    pub fn builder() -> MockServerBuilder {
        MockServerBuilder {
            script: Script::default(),
            key: None,
            connection_time: Duration::from_secs(60),
            max_connections: 256,
        }
    }

    /// The URL to give to a client: `http://127.0.0.1:PORT/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds an answer while the server runs.
    pub fn push(&self, reply: impl Into<WireReply>) {
        self.shared.script.push(reply.into());
    }

    /// All requests so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.see(|state| state.requests.clone())
    }

    /// How many connections have been accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.see(|state| state.accepted)
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.open_connections()
    }

    /// How many replies were left by their client before they were over.
    #[must_use]
    pub fn disconnects(&self) -> usize {
        self.shared.see(|state| state.disconnects)
    }

    /// Blocks until that many requests have come; false if they have not within `limit`.
    #[must_use]
    pub fn wait_for_requests(&self, count: usize, limit: Duration) -> bool {
        self.shared
            .wait(limit, |state| state.requests.len() >= count)
    }

    /// Blocks until that many replies were left by their client; false if they were not within
    /// `limit`.
    ///
    /// A client that leaves is noticed while the server waits or writes, except during a reply
    /// that is scripted to end in a reset.
    #[must_use]
    pub fn wait_for_disconnects(&self, count: usize, limit: Duration) -> bool {
        self.shared.wait(limit, |state| state.disconnects >= count)
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.shared.stop();
        // `accept` knows no time limit: a connection of our own wakes it.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(accepting) = self.accepting.take() {
            // It has joined the connections' threads itself.
            let _ = accepting.join();
        }
    }
}

/// Sets up a [`MockServer`].
#[derive(Debug)]
#[must_use = "call `start`"]
pub struct MockServerBuilder {
    script: Script<RecordedRequest, WireReply>,
    key: Option<Secret>,
    connection_time: Duration,
    max_connections: usize,
}

impl MockServerBuilder {
    /// Adds the answer to the next request for a completion that has none yet: a
    /// [`Reply`](crate::Reply) or a [`WireReply`].
    pub fn reply(self, reply: impl Into<WireReply>) -> Self {
        self.script.push(reply.into());
        self
    }

    /// Answers every request after the last scripted one as that one was answered. Otherwise it is
    /// answered with status 400 and a message that says so.
    pub fn repeat_last(self) -> Self {
        self.script.repeat_last();
        self
    }

    /// Works out each answer that is not scripted from the request.
    pub fn respond_with<R: Into<WireReply>>(
        self,
        respond: impl Fn(&RecordedRequest) -> R + Send + Sync + 'static,
    ) -> Self {
        self.script
            .respond_with(move |request| respond(request).into());
        self
    }

    /// Refuses requests without this key as their bearer token, with status 401.
    pub fn require_key(mut self, key: impl Into<Secret>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets how long a connection may live. The default is 60 s.
    pub fn connection_time(mut self, limit: Duration) -> Self {
        self.connection_time = limit;
        self
    }

    /// Sets how many connections may be open at once; further ones get status 503. The default is
    /// 256.
    pub fn max_connections(mut self, limit: usize) -> Self {
        self.max_connections = limit;
        self
    }

    /// Starts the server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// What the system said when it refused a port or a thread.
    pub fn start(self) -> io::Result<MockServer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(
            self.script,
            self.key,
            self.connection_time,
            self.max_connections,
        ));
        let accepting = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name("agently-mock-accept".to_owned())
                .spawn(move || accept(&listener, &shared))?
        };
        Ok(MockServer {
            address,
            shared,
            accepting: Some(accepting),
        })
    }
}

/// Accepts connections until the server stops, then waits for their threads.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if shared.stopping() {
            break;
        }
        let Ok(stream) = stream else {
            // Out of file descriptors, most likely: no busy loop until some are free.
            shared.wait_for_stop(Duration::from_millis(10));
            continue;
        };
        threads.retain(|thread| !thread.is_finished());
        threads.extend(serve_on_thread(stream, shared));
    }
    for thread in threads {
        // A panic in there is one of the user's function; its client has seen the end of the
        // connection.
        let _ = thread.join();
    }
}

fn serve_on_thread(mut stream: TcpStream, shared: &Arc<Shared>) -> Option<JoinHandle<()>> {
    let Some(number) = shared.admit(&stream) else {
        let busy = WireReply::api_error(503, "mock_busy", "too many connections");
        let _ = stream.write_all(&busy.at_once());
        return None;
    };
    let admitted = Admitted {
        shared: Arc::clone(shared),
        number,
    };
    // The stream is the closure's: if there is no thread to be had, both are dropped.
    std::thread::Builder::new()
        .name(format!("agently-mock-{number}"))
        .spawn(move || connection::serve(stream, &admitted.shared, admitted.number))
        .ok()
}

/// An admitted connection, until it is dropped.
struct Admitted {
    shared: Arc<Shared>,
    number: usize,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.shared.release(self.number);
    }
}
