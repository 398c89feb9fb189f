use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::task::{Context, Waker};

use agently_api::rt::BoxIo;
use futures_util::{AsyncReadExt, AsyncWriteExt};

use super::server::Server;
use super::tasks::yield_now;
use super::Subject;
use crate::conformance::{ensure, same, wrong, Failure, Verified};

const HERE: &str = "127.0.0.1";

/// More than the buffers of the system hold.
const LARGE: usize = 8 * 1024 * 1024;

/// Sends everything back.
fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buf = [0; 4096];
    loop {
        let count = stream.read(&mut buf)?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(buf.get(..count).unwrap_or_default())?;
    }
}

fn connect(subject: &Subject, host: &str, port: u16) -> Result<BoxIo, Failure> {
    subject
        .wait(subject.runtime.connector().connect(host, port))?
        .map_err(|error| wrong(format!("could not connect to {host}: {error}")))
}

fn worked<T>(what: &str, outcome: io::Result<T>) -> Result<T, Failure> {
    outcome.map_err(|error| wrong(format!("could not {what}: {error}")))
}

async fn ask(stream: &mut BoxIo, question: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(question).await?;
    stream.flush().await?;
    let mut answer = vec![0; question.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

pub(super) fn bytes_come_back(subject: &mut Subject) -> Verified {
    let server = Server::start(echo)?;
    let mut stream = connect(subject, HERE, server.port())?;
    for question in [&b"one"[..], b"two", b"a third question"] {
        let answer = worked("ask", subject.wait(ask(&mut stream, question))?)?;
        same("the echo", answer.as_slice(), question)?;
    }
    drop(stream);
    server.join()
}

pub(super) fn large_transfers_arrive_whole(subject: &mut Subject) -> Verified {
    let sent = pattern();
    let server = Server::start(|mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        stream.write_all(&all)?;
        Ok(all == pattern())
    })?;
    let mut stream = connect(subject, HERE, server.port())?;
    let received = subject.wait(async {
        stream.write_all(&sent).await?;
        stream.close().await?;
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await?;
        io::Result::Ok(received)
    })?;
    let received = worked("send or receive", received)?;
    ensure(server.join()?, "the server got other bytes")?;
    ensure(received == sent, "other bytes came back")
}

fn pattern() -> Vec<u8> {
    (0..=250).cycle().take(LARGE).collect()
}

pub(super) fn a_socket_wakes_its_reader(subject: &mut Subject) -> Verified {
    let (go, may_go) = mpsc::channel();
    let server = Server::start(move |mut stream| {
        may_go.recv().map_err(io::Error::other)?;
        stream.write_all(b"late")
    })?;
    let mut stream = connect(subject, HERE, server.port())?;
    let reader = subject.runtime.spawn(async move {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    });
    // Lets the reader wait first, mostly; it must work either way.
    for _ in 0..10 {
        ensure(
            subject.wait(subject.runtime.spawn(yield_now()))?.is_ok(),
            "a task failed",
        )?;
    }
    let _ = go.send(());
    let answer = subject.wait(reader)?.ok().and_then(Result::ok);
    server.join()?;
    same("what was read", answer.as_deref(), Some("late"))
}

pub(super) fn reading_and_writing_at_once(subject: &mut Subject) -> Verified {
    let server = Server::start(echo)?;
    let (mut reader, mut writer) = connect(subject, HERE, server.port())?.split();
    let writing = subject.runtime.spawn(async move {
        writer.write_all(&pattern()).await?;
        writer.close().await
    });
    let mut received = Vec::new();
    let read = subject.wait(reader.read_to_end(&mut received))?;
    worked("read", read)?;
    let wrote = subject.wait(writing)?;
    ensure(matches!(wrote, Ok(Ok(()))), "the writing task failed")?;
    server.join()?;
    ensure(received == pattern(), "other bytes came back")
}

pub(super) fn close_ends_one_direction(subject: &mut Subject) -> Verified {
    let server = Server::start(|mut stream| {
        let mut question = String::new();
        stream.read_to_string(&mut question)?;
        stream.write_all(b"answer")?;
        Ok(question)
    })?;
    let mut stream = connect(subject, HERE, server.port())?;
    let answer = subject.wait(async {
        stream.write_all(b"question").await?;
        stream.close().await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        io::Result::Ok(answer)
    })?;
    let answer = worked("read after `close`", answer)?;
    same("the question", server.join()?.as_str(), "question")?;
    same("the answer", answer.as_str(), "answer")
}

pub(super) fn dropping_closes_the_socket(subject: &mut Subject) -> Verified {
    let server = Server::start(|mut stream| {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(count) => Ok(count),
            // Closed with a reset: as well.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(0),
            Err(error) => Err(error),
        }
    })?;
    drop(connect(subject, HERE, server.port())?);
    same("bytes the server read", server.join()?, 0)
}

pub(super) fn dropping_the_connect_closes_the_socket(subject: &mut Subject) -> Verified {
    let server = Server::start(|mut stream| match stream.read(&mut [0]) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(()),
    })?;
    {
        let connector = subject.runtime.connector();
        let mut connecting = connector.connect(HERE, server.port());
        let mut cx = Context::from_waker(Waker::noop());
        // Ready at once is fine: then the stream is dropped here.
        drop(connecting.as_mut().poll(&mut cx));
    }
    // If the drop came before the connection, the server sees this one.
    drop(TcpStream::connect((HERE, server.port())));
    server.join()
}

pub(super) fn the_end_is_seen(subject: &mut Subject) -> Verified {
    let server = Server::start(|mut stream| {
        stream.write_all(b"bye")?;
        stream.shutdown(Shutdown::Write)
    })?;
    let mut stream = connect(subject, HERE, server.port())?;
    let mut all = Vec::new();
    let read = subject.wait(stream.read_to_end(&mut all))?;
    worked("read", read)?;
    same("what was read", all.as_slice(), b"bye")?;
    server.join()
}

pub(super) fn sockets_move_between_tasks_and_threads(subject: &mut Subject) -> Verified {
    let server = Server::start(echo)?;
    let port = server.port();
    let runtime = subject.runtime.clone();
    // Connected in a task, used on this thread, then in another task.
    let task = subject
        .runtime
        .spawn(async move { runtime.connector().connect(HERE, port).await });
    let stream = subject.wait(task)?.ok();
    let stream = stream.ok_or_else(|| wrong("the connecting task failed"))?;
    let mut stream = worked("connect", stream)?;
    let answer = worked("ask", subject.wait(ask(&mut stream, b"here"))?)?;
    same("the echo on a thread", answer.as_slice(), b"here")?;
    let task = subject
        .runtime
        .spawn(async move { ask(&mut stream, b"there").await });
    let answer = subject.wait(task)?.ok().and_then(Result::ok);
    same("the echo in a task", answer.as_deref(), Some(&b"there"[..]))?;
    server.join()
}

pub(super) fn localhost_is_found_on_ipv4(subject: &mut Subject) -> Verified {
    let server = Server::start(echo)?;
    let mut stream = connect(subject, "localhost", server.port())?;
    let answer = worked("ask", subject.wait(ask(&mut stream, b"hello"))?)?;
    same("the echo", answer.as_slice(), b"hello")?;
    drop(stream);
    server.join()
}

pub(super) fn a_closed_port_is_an_error(subject: &mut Subject) -> Verified {
    let port = TcpListener::bind((HERE, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| wrong(format!("no loopback port: {error}")))?
        .port();
    let outcome = subject.wait(subject.runtime.connector().connect(HERE, port))?;
    let kind = outcome.err().map(|error| error.kind());
    same("the error", kind, Some(io::ErrorKind::ConnectionRefused))
}

pub(super) fn an_unknown_host_is_an_error(subject: &mut Subject) -> Verified {
    // RFC 6761 keeps `.invalid` free.
    let connecting = subject.runtime.connector().connect("agently.invalid", 80);
    ensure(
        subject.wait(connecting)?.is_err(),
        "it connected to a host that cannot exist",
    )
}
