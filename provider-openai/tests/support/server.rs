//! A small server on loopback: it plays a script, one reply for each request, and keeps what it was
//! asked. Its threads end with the script, or when a client goes away.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Nothing in here waits longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server does for one request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pieces: Vec<Vec<u8>>,
    end: End,
    /// The pause before each piece but the first.
    pause: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Closes the connection.
    Close,
    /// Serves the next request on the same connection.
    Keep,
    /// Says nothing more until the client closes the connection.
    Hold,
    /// Sends the last piece again and again until the client closes the connection.
    Repeat,
}

impl Reply {
    /// These bytes, as they are.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            pieces: vec![bytes.into()],
            end: End::Close,
            pause: Duration::from_millis(5),
        }
    }

    /// A response with its length; `head` is the status line and further headers.
    pub(crate) fn sized(head: &str, body: &str) -> Self {
        let length = body.len();
        let mut reply = Self::raw(format!(
            "HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        reply.end = End::Keep;
        reply
    }

    /// A stream of events, each payload in a chunk of its own, with its proper end.
    pub(crate) fn events(payloads: &[&str]) -> Self {
        let mut reply = Self::open_events(payloads);
        reply.pieces.push(b"0\r\n\r\n".to_vec());
        reply.end = End::Keep;
        reply
    }

    /// A stream of events that just stops: the connection is closed without an end of the body.
    pub(crate) fn open_events(payloads: &[&str]) -> Self {
        let mut reply = Self::raw(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req-77\r\ntransfer-encoding: chunked\r\n\r\n",
        );
        for payload in payloads {
            let event = format!("data: {payload}\n\n");
            let chunk = format!("{:x}\r\n{event}\r\n", event.len());
            reply.pieces.push(chunk.into_bytes());
        }
        reply.pause = Duration::ZERO;
        reply
    }

    /// Adds a chunk of a chunked body.
    pub(crate) fn then_chunk(mut self, text: &str) -> Self {
        self.pieces
            .push(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes());
        self
    }

    /// Pauses between the pieces.
    pub(crate) fn slowly(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Then says nothing more.
    pub(crate) fn hold(mut self) -> Self {
        self.end = End::Hold;
        self
    }

    /// Then repeats its last piece, this often.
    pub(crate) fn repeat(mut self, pause: Duration) -> Self {
        self.end = End::Repeat;
        self.pause = pause;
        self
    }
}

/// A server that is running.
pub(crate) struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
    closed: Receiver<()>,
}

impl Server {
    /// Starts a server that gives these replies, in this order.
    pub(crate) fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (sender, closed) = channel();
        let seen = Arc::clone(&requests);
        let open = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&open);
        let script = Arc::new(Mutex::new(VecDeque::from(replies)));
        // Blocked in `accept` when the test ends, it ends with the process.
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (seen, sender, script) =
                    (Arc::clone(&seen), sender.clone(), Arc::clone(&script));
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || serve(stream, &script, &seen, &counted, &sender));
            }
        });
        Self {
            address,
            requests,
            open,
            closed,
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// How many requests are being answered.
    pub(crate) fn in_flight(&self) -> impl Fn() -> usize + Send + 'static {
        let open = Arc::clone(&self.open);
        move || open.load(Ordering::SeqCst)
    }

    /// Waits until a client has closed its connection.
    pub(crate) fn wait_for_close(&self) {
        self.closed
            .recv_timeout(PATIENCE)
            .expect("the client did not close its connection");
    }
}

fn serve(
    mut stream: TcpStream,
    script: &Mutex<VecDeque<Reply>>,
    seen: &Mutex<Vec<String>>,
    open: &AtomicUsize,
    closed: &Sender<()>,
) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    while let Some(request) = read_request(&mut stream) {
        seen.lock().unwrap().push(request);
        let Some(reply) = script.lock().unwrap().pop_front() else {
            break;
        };
        open.fetch_add(1, Ordering::SeqCst);
        let played = play(&mut stream, &reply);
        open.fetch_sub(1, Ordering::SeqCst);
        if played.is_err() || reply.end != End::Keep {
            break;
        }
    }
    let _ = closed.send(());
}

fn play(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    for (at, piece) in reply.pieces.iter().enumerate() {
        if at > 0 {
            pause(reply.pause);
        }
        stream.write_all(piece)?;
    }
    match reply.end {
        End::Close | End::Keep => Ok(()),
        End::Hold => {
            while stream.read(&mut [0; 64])? > 0 {}
            Ok(())
        }
        End::Repeat => loop {
            pause(reply.pause);
            stream.write_all(reply.pieces.last().unwrap())?;
        },
    }
}

/// The server has no clock of the library's: it waits for a message that never comes.
fn pause(time: Duration) {
    if !time.is_zero() {
        let (_sender, never) = channel::<()>();
        let _ = never.recv_timeout(time);
    }
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
}
