//! A loopback server that does as the test says, byte by byte, and the runtimes to test on.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use agently_api::rt::{BoxIo, Clock, Connector, Executor, Runtime, Sleep, SpawnError};
use agently_api::BoxFuture;
use agently_http::{Client, ClientBuilder, ProxyConfig, Request, Url};
use agently_testkit::clock::ManualClock;

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Both backends, by name.
pub fn runtimes() -> [(&'static str, Runtime); 2] {
    [
        ("tokio", agently_backend_tokio::runtime().unwrap()),
        ("smol", agently_backend_smol::runtime().unwrap()),
    ]
}

/// Runs a test on both backends.
pub fn on_each<F: Future<Output = ()>>(test: impl Fn(Runtime) -> F) {
    for (name, runtime) in runtimes() {
        println!("on {name}");
        runtime.block_on(test(runtime.clone())).unwrap();
    }
}

/// A backend whose time is virtual.
pub fn with_manual_clock(runtime: &Runtime) -> (Runtime, ManualClock) {
    let clock = ManualClock::new();
    let parts = Parts(runtime.clone());
    (Runtime::new(parts.clone(), clock.clone(), parts), clock)
}

#[derive(Clone, Debug)]
pub struct Parts(Runtime);

impl Parts {
    pub fn of(runtime: &Runtime) -> Self {
        Self(runtime.clone())
    }
}

impl Executor for Parts {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        self.0.executor().spawn(future)
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        self.0.executor().spawn_blocking(job)
    }

    fn may_block(&self) -> bool {
        self.0.executor().may_block()
    }
}

impl Connector for Parts {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        self.0.connector().connect(host, port)
    }
}

impl Clock for Parts {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.0.sleep(duration)
    }
}

/// A client that looks at no environment.
pub fn client() -> Client {
    builder().build().unwrap()
}

pub fn builder() -> ClientBuilder {
    Client::builder().proxy(ProxyConfig::none())
}

/// Reads a response's whole body as text.
pub async fn text(response: agently_http::Response) -> String {
    let body = response.into_body().collect(1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// A server on loopback; each connection runs the script in a thread of its own. It stops when
/// dropped.
pub struct Server {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    accepted: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// `script` gets the connection's number, from 0, and the connection.
    pub fn start(script: impl Fn(usize, &mut Conn) + Send + Sync + 'static) -> Self {
        Self::start_wrapped(|stream| Box::new(stream) as Box<dyn Stream>, script)
    }

    pub fn start_wrapped(
        wrap: impl Fn(TcpStream) -> Box<dyn Stream> + Send + Sync + 'static,
        script: impl Fn(usize, &mut Conn) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let accepted = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, wrap) = (Arc::new(script), Arc::new(wrap));
        let thread = thread::spawn({
            let (stop, accepted, requests) = (stop.clone(), accepted.clone(), requests.clone());
            move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let stream = stream.unwrap();
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    stream.set_write_timeout(Some(PATIENCE)).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let number = accepted.fetch_add(1, Ordering::SeqCst);
                    let (script, wrap, requests) = (script.clone(), wrap.clone(), requests.clone());
                    thread::spawn(move || {
                        let mut conn = Conn {
                            stream: wrap(stream),
                            requests,
                        };
                        script(number, &mut conn);
                    });
                }
            }
        });
        Self {
            address,
            stop,
            accepted,
            requests,
            thread: Some(thread),
        }
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub fn get(&self) -> Request {
        Request::get(self.url("/"))
    }

    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Heads and bodies of the requests that were read.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

pub trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

pub struct Conn {
    pub stream: Box<dyn Stream>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Conn {
    /// Reads one request with its body; `None` when the client has closed.
    pub fn request(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut byte) {
                Ok(1) => bytes.push(byte[0]),
                _ => return None,
            }
        }
        let head = String::from_utf8(bytes.clone()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        bytes.extend(body);
        let request = String::from_utf8_lossy(&bytes).into_owned();
        self.requests.lock().unwrap().push(request.clone());
        Some(request)
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A client that has gone is for the test to find out.
        let _ = self.stream.write_all(bytes.as_ref());
        let _ = self.stream.flush();
    }

    /// A whole response with a length.
    pub fn respond(&mut self, body: &str) {
        self.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }

    /// The head of a chunked event stream.
    pub fn begin_stream(&mut self) {
        self.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
    }

    pub fn chunk(&mut self, text: &str) {
        self.send(format!("{:x}\r\n{text}\r\n", text.len()));
    }

    /// Waits until the client closes, and says how long that took; panics when it does not.
    pub fn wait_closed(&mut self) -> Duration {
        let start = now();
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return start.elapsed(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    panic!("the client kept its socket open")
                }
                Err(_) => return start.elapsed(),
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' own stopwatch")]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits for `done`, on the wall clock, because the other side is a thread.
pub async fn until(runtime: &Runtime, what: &str, mut done: impl FnMut() -> bool) {
    let start = now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        runtime.sleep(Duration::from_millis(1)).await;
    }
}
