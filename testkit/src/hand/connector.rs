use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::thread;
use std::time::Duration;

use agently_api::rt::{connect_any, BoxIo, Clock, Connector, Sleep};
use agently_api::BoxFuture;
use futures_channel::oneshot;
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::FutureExt;

use super::clock::HandClock;

/// How long a socket that was not ready is left alone.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct HandConnector(pub(super) HandClock);

impl Connector for HandConnector {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        Box::pin(async move {
            let host = host.to_owned();
            let addresses: Vec<SocketAddr> =
                on_a_thread(move || Ok((host.as_str(), port).to_socket_addrs()?.collect())).await?;
            let stream = connect_any(&self.0, addresses, |address| {
                on_a_thread(move || TcpStream::connect(address))
            })
            .await?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            Ok(Box::new(Socket {
                stream,
                clock: self.0.clone(),
                reading: None,
                writing: None,
            }) as BoxIo)
        })
    }
}

/// Runs `job` on a thread of its own. If the future is dropped, so is the result.
async fn on_a_thread<T: Send + 'static>(
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, result) = oneshot::channel();
    thread::Builder::new()
        .name("hand-connect".to_owned())
        .spawn(move || {
            let _ = sender.send(job());
        })?;
    result
        .await
        .unwrap_or_else(|_ended| Err(io::Error::other("the connecting thread ended early")))
}

/// A socket that is asked again and again.
struct Socket {
    stream: TcpStream,
    clock: HandClock,
    /// The pauses until a direction is asked again. Each has the waker of its own task.
    reading: Option<Sleep>,
    writing: Option<Sleep>,
}

/// Tries until the answer is another than "not yet", with pauses.
fn attempt<T>(
    pause: &mut Option<Sleep>,
    clock: &HandClock,
    cx: &mut Context<'_>,
    mut operation: impl FnMut() -> io::Result<T>,
) -> Poll<io::Result<T>> {
    loop {
        if let Some(sleep) = pause {
            ready!(sleep.poll_unpin(cx));
            *pause = None;
        }
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                *pause = Some(clock.sleep(PAUSE));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return Poll::Ready(outcome),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        attempt(&mut this.reading, &this.clock, cx, || this.stream.read(buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        attempt(&mut this.writing, &this.clock, cx, || {
            this.stream.write(buf)
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A TCP socket holds nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.stream.shutdown(Shutdown::Write))
    }
}
