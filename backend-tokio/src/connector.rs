use std::future::{poll_fn, Future};
use std::io;
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use agently_api::rt::{connect_any, BoxIo, Connector};
use agently_api::BoxFuture;
use futures_io::{AsyncRead, AsyncWrite, IoSlice};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::{lookup_host, TcpStream};
use tokio::runtime::Handle;

use crate::clock::TokioClock;
use crate::liveness::Liveness;

/// How long a connection may be quiet before it is probed.
const QUIET: Duration = Duration::from_secs(15);
/// The time between two probes.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// After so many probes without an answer the connection is given up.
const PROBES: u32 = 3;
/// How long what was sent may stay unacknowledged.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct TokioConnector {
    handle: Handle,
    clock: TokioClock,
    alive: Arc<Liveness>,
}

impl TokioConnector {
    pub(crate) fn new(handle: Handle, clock: TokioClock, alive: Arc<Liveness>) -> Self {
        Self {
            handle,
            clock,
            alive,
        }
    }

    async fn open(&self, host: &str, port: u16) -> io::Result<BoxIo> {
        if self.alive.is_over() {
            return Err(io::Error::other(
                "the tokio runtime that should open the connection has been shut down",
            ));
        }
        let addresses = lookup_host((host, port)).await?.collect();
        let stream = connect_any(&self.clock, addresses, TcpStream::connect).await?;
        stream.set_nodelay(true)?;
        keep_alive(&stream);
        Ok(Box::new(Socket { stream }))
    }
}

impl Connector for TokioConnector {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        Box::pin(entered(&self.handle, self.open(host, port)))
    }
}

/// Polls `future` inside the runtime, whichever thread polls it.
async fn entered<F: Future>(handle: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _entered = handle.enter();
        future.as_mut().poll(cx)
    })
    .await
}

/// Finds out within half a minute that the other side is gone without a word: by probes while the
/// connection is quiet, and on Linux, where probes stop while something is on its way, by how long
/// that stays unacknowledged.
fn keep_alive(stream: &TcpStream) {
    let probes = TcpKeepalive::new()
        .with_time(QUIET)
        .with_interval(PROBE_INTERVAL)
        .with_retries(PROBES);
    let socket = SockRef::from(stream);
    // Where the system has no such option, the time limits above this layer are left.
    let _ = socket.set_tcp_keepalive(&probes);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
}

/// A tokio socket in the words of `futures_io`.
///
/// It does not hold its runtime: an idle connection in a pool is no reason for threads to stay.
struct Socket {
    stream: TcpStream,
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
