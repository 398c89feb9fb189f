//! A connection in memory.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_io::{AsyncRead, AsyncWrite};

use crate::sync::lock;

/// Two ends of a connection in memory. What one writes, the other reads.
///
/// Each direction holds `capacity` bytes (at least one); then a write waits. Dropping an end is like
/// closing a socket: the other reads the rest and then the end, and its writes fail with
/// [`io::ErrorKind::BrokenPipe`].
#[must_use]
pub fn duplex(capacity: usize) -> (Duplex, Duplex) {
    let (there, back) = (Half::new(capacity), Half::new(capacity));
    let end = |read: &Arc<Mutex<Half>>, write: &Arc<Mutex<Half>>| Duplex {
        read: Arc::clone(read),
        write: Arc::clone(write),
        cut: None,
    };
    (end(&there, &back), end(&back, &there))
}

/// One end of a [`duplex`] connection.
pub struct Duplex {
    read: Arc<Mutex<Half>>,
    write: Arc<Mutex<Half>>,
    /// Decides how much one read gives, if not everything.
    cut: Option<fastrand::Rng>,
}

impl Duplex {
    /// Makes each read give a random part of what is there, at least one byte, as `seed` says.
    ///
    /// That is what real sockets do to a reader that believes in whole messages.
    #[must_use]
    pub fn with_short_reads(mut self, seed: u64) -> Self {
        self.cut = Some(fastrand::Rng::with_seed(seed));
        self
    }
}

impl AsyncRead for Duplex {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let mut half = lock(&this.read);
        let there = half.bytes.len().min(buf.len());
        if there == 0 && !buf.is_empty() && !half.ended {
            half.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let taken = match &mut this.cut {
            Some(rng) if there > 1 => rng.usize(1..=there),
            _ => there,
        };
        for (to, from) in buf.iter_mut().zip(half.bytes.drain(..taken)) {
            *to = from;
        }
        let writer = half.writer.take();
        drop(half);
        wake(writer);
        Poll::Ready(Ok(taken))
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut half = lock(&self.write);
        if half.ended || half.abandoned {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = half.capacity.saturating_sub(half.bytes.len());
        let given = room.min(buf.len());
        if given == 0 && !buf.is_empty() {
            half.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        half.bytes.extend(buf.iter().take(given));
        let reader = half.reader.take();
        drop(half);
        wake(reader);
        Poll::Ready(Ok(given))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write_ends();
        Poll::Ready(Ok(()))
    }
}

impl Duplex {
    fn write_ends(&self) {
        let mut half = lock(&self.write);
        half.ended = true;
        let reader = half.reader.take();
        drop(half);
        wake(reader);
    }
}

impl Drop for Duplex {
    fn drop(&mut self) {
        self.write_ends();
        let mut half = lock(&self.read);
        half.abandoned = true;
        let writer = half.writer.take();
        drop(half);
        wake(writer);
    }
}

impl fmt::Debug for Duplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duplex").finish_non_exhaustive()
    }
}

/// One direction.
struct Half {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// The writing end has said its last byte.
    ended: bool,
    /// The reading end is gone.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Half {
    fn new(capacity: usize) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            bytes: VecDeque::new(),
            capacity: capacity.max(1),
            ended: false,
            abandoned: false,
            reader: None,
            writer: None,
        }))
    }
}

/// Wakes outside the lock: a waker may run code of others.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
