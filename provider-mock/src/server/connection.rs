//! One connection: requests in, scripts out, on a thread of its own.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::clock;
use super::request::{self, Incoming, ReadError};
use super::response::{Action, Compiled};
use super::shared::Shared;
use super::wire_reply::WireReply;

/// How one reply ended.
enum Ended {
    /// As scripted; the connection takes another request.
    Open,
    /// As scripted; the connection is to be closed.
    Closed,
    /// As scripted, with a reset: the socket is to be dropped as it is.
    Reset,
    /// The client closed the connection first.
    ClientLeft,
    /// The connection's time was over, or the server stops.
    OutOfTime,
}

/// Serves a connection until it is over.
pub(super) fn serve(mut stream: TcpStream, shared: &Shared, number: usize) {
    let expires = clock::now() + shared.connection_time;
    if stream.set_nodelay(true).is_err() {
        return;
    }
    loop {
        if limit_io(&stream, expires).is_err() {
            return;
        }
        let incoming = match request::read(&mut stream, number) {
            Ok(incoming) => incoming,
            Err(ReadError::Closed) => return,
            Err(ReadError::Refused(status, message)) => {
                let refusal = WireReply::api_error(status, "mock_refused", message);
                if stream.write_all(&refusal.at_once()).is_ok() {
                    linger(&mut stream);
                }
                return;
            }
        };
        let compiled = respond(shared, incoming);
        let mut playing = Playing {
            stream: &mut stream,
            shared,
            started: clock::now(),
            expires,
        };
        match playing.play(compiled) {
            Ok(Ended::Open) => {}
            Ok(Ended::Closed) => {
                let _ = stream.shutdown(std::net::Shutdown::Write);
                return;
            }
            Ok(Ended::ClientLeft) => {
                shared.client_left();
                return;
            }
            Ok(Ended::Reset | Ended::OutOfTime) => return,
            Err(error) => {
                use io::ErrorKind as Kind;
                if !matches!(error.kind(), Kind::TimedOut | Kind::WouldBlock) {
                    shared.client_left();
                }
                return;
            }
        }
    }
}

fn respond(shared: &Shared, incoming: Incoming) -> Compiled {
    let Incoming {
        recorded,
        keep_alive,
        chunked_allowed,
        bearer,
    } = incoming;
    let number = shared.record(recorded.clone());
    let reply = shared.reply_to(&recorded, bearer.as_deref());
    reply.compile(&recorded, number, keep_alive, chunked_allowed)
}

/// Ends the answer and reads on for a while: a socket that is closed with unread data is reset, and
/// the client might not get to read why.
fn linger(stream: &mut TcpStream) {
    const LIMIT: u64 = 1024 * 1024;
    let limited = stream
        .shutdown(std::net::Shutdown::Write)
        .and_then(|()| stream.set_read_timeout(Some(Duration::from_millis(500))));
    if limited.is_ok() {
        let _ = io::copy(&mut stream.take(LIMIT), &mut io::sink());
    }
}

/// No read and no write may outlast the connection's time.
fn limit_io(stream: &TcpStream, expires: Instant) -> io::Result<()> {
    let left = clock::left_until(expires).ok_or(io::ErrorKind::TimedOut)?;
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

struct Playing<'a> {
    stream: &'a mut TcpStream,
    shared: &'a Shared,
    started: Instant,
    expires: Instant,
}

impl Playing<'_> {
    fn play(&mut self, compiled: Compiled) -> io::Result<Ended> {
        let resets = compiled.actions.contains(&Action::Rst);
        if !resets {
            request::release(self.stream)?;
        }
        for action in compiled.actions {
            let waited = match action {
                Action::Send(bytes) => {
                    limit_io(self.stream, self.expires)?;
                    self.stream.write_all(&bytes)?;
                    Ok(())
                }
                Action::Until(offset) => self.wait(self.started.checked_add(offset), resets),
                Action::Sleep(length) => self.wait(clock::now().checked_add(length), resets),
                Action::Stall => self.wait(None, resets),
                Action::Fin => return Ok(Ended::Closed),
                Action::Rst => return Ok(Ended::Reset),
            };
            if let Err(ended) = waited {
                return Ok(ended);
            }
        }
        Ok(if compiled.keep_alive {
            Ended::Open
        } else {
            Ended::Closed
        })
    }

    /// Waits until `at` (`None`: for ever), or until there is a reason not to.
    ///
    /// The wait is a read with a time limit, which ends at once when the client leaves or the
    /// server stops. While bytes lie unread in the socket that cannot be seen, so the wait is on
    /// the server's stop signal then.
    fn wait(&self, at: Option<Instant>, unread: bool) -> Result<(), Ended> {
        let until = at.map_or(self.expires, |at| at.min(self.expires));
        while let Some(left) = clock::left_until(until) {
            if self.shared.stopping() {
                return Err(Ended::OutOfTime);
            }
            // A time limit of zero means none.
            let left = left.max(Duration::from_millis(1));
            if unread || self.next_request_waits(left)? {
                self.shared.wait_for_stop(left);
            }
        }
        if until == self.expires && at != Some(until) {
            return Err(Ended::OutOfTime);
        }
        Ok(())
    }

    /// Waits for bytes from the client; true if there are some already.
    fn next_request_waits(&self, limit: Duration) -> Result<bool, Ended> {
        if self.stream.set_read_timeout(Some(limit)).is_err() {
            return Err(Ended::ClientLeft);
        }
        match self.stream.peek(&mut [0]) {
            Ok(0) if self.shared.stopping() => Err(Ended::OutOfTime),
            Ok(0) => Err(Ended::ClientLeft),
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted => Ok(false),
                _ => Err(Ended::ClientLeft),
            },
        }
    }
}
