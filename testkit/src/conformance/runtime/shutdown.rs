use std::future::{pending, Future};
use std::io;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use agently_api::rt::JoinErrorKind;
use futures_channel::oneshot;
use futures_util::AsyncReadExt;

use super::server::Server;
use super::Subject;
use crate::conformance::{ensure, same, wrong, Verified};

pub(super) fn spawn_is_refused(subject: &mut Subject) -> Verified {
    subject.shut_down()?;
    let kind = subject
        .wait(subject.runtime.spawn(async {}))?
        .map_err(|error| error.kind());
    same("the result", kind, Err(JoinErrorKind::Refused))
}

pub(super) fn spawn_blocking_is_refused(subject: &mut Subject) -> Verified {
    subject.shut_down()?;
    let kind = subject
        .wait(subject.runtime.spawn_blocking(|| ()))?
        .map_err(|error| error.kind());
    same("the result", kind, Err(JoinErrorKind::Refused))
}

pub(super) fn running_tasks_are_cancelled(subject: &mut Subject) -> Verified {
    let (started, has_started) = oneshot::channel();
    let (held, gone) = oneshot::channel::<()>();
    let task = subject.runtime.spawn(async move {
        let _held = held;
        let _ = started.send(());
        pending::<()>().await;
    });
    subject
        .wait(has_started)?
        .map_err(|_| wrong("the task was dropped before it began"))?;
    subject.shut_down()?;
    ensure(subject.wait(gone)?.is_err(), "the future still runs")?;
    let kind = subject.wait(task)?.map_err(|error| error.kind());
    same("the result", kind, Err(JoinErrorKind::Cancelled))
}

pub(super) fn a_sleep_ends(subject: &mut Subject) -> Verified {
    let mut sleep = pin!(subject.runtime.sleep(Duration::from_millis(50)));
    let _ = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    subject.shut_down()?;
    subject.wait(sleep)
}

pub(super) fn a_new_sleep_ends(subject: &mut Subject) -> Verified {
    subject.shut_down()?;
    subject.wait(subject.runtime.sleep(Duration::from_millis(50)))
}

pub(super) fn a_socket_ends(subject: &mut Subject) -> Verified {
    let (go, may_go) = mpsc::channel::<()>();
    let server = Server::start(move |_stream| may_go.recv().map_err(io::Error::other))?;
    let connecting = subject
        .runtime
        .connector()
        .connect("127.0.0.1", server.port());
    let mut stream = subject
        .wait(connecting)?
        .map_err(|error| wrong(format!("could not connect: {error}")))?;
    subject.shut_down()?;
    let _ = go.send(());
    // The end or an error, as the runtime likes; but not a panic and not a wait for ever.
    let mut byte = [0];
    let read = subject.wait(stream.read(&mut byte))?;
    ensure(!matches!(read, Ok(1..)), "bytes came from nowhere")?;
    drop(stream);
    server.join()
}

pub(super) fn connecting_ends(subject: &mut Subject) -> Verified {
    let server = Server::start(|_stream| Ok(()))?;
    subject.shut_down()?;
    let connecting = subject
        .runtime
        .connector()
        .connect("127.0.0.1", server.port());
    // A connection or an error, as the runtime likes.
    drop(subject.wait(connecting)?);
    Ok(())
}
