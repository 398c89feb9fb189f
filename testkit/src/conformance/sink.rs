//! The suite for a [`StreamSink`].
//!
//! ```
//! use std::task::Poll;
//! use agently_api::sink::{SinkClosed, StreamSink};
//! use agently_api::BoxFuture;
//! use agently_testkit::conformance::sink::{self, Subject};
//! use futures_channel::mpsc;
//!
//! struct Channel(mpsc::UnboundedSender<u64>);
//!
//! impl StreamSink<u64> for Channel {
//!     fn send(&mut self, item: u64) -> BoxFuture<'_, Result<(), SinkClosed>> {
//!         Box::pin(async move { self.0.unbounded_send(item).map_err(|_| SinkClosed) })
//!     }
//! }
//!
//! let report = sink::check(
//!     || {
//!         let (sender, receiver) = mpsc::unbounded();
//!         Subject::new(Channel(sender), receiver)
//!     },
//!     |number| number,
//! );
//! report.assert_passed();
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use agently_api::sink::{SinkClosed, StreamSink};
use futures_core::Stream;
use futures_util::future::join;
use futures_util::StreamExt;

use super::{ensure, same, wrong, Failure, Report, Verified};
use crate::park::block_on;

/// Items that a check sends.
const ITEMS: u64 = 100;

/// Sends after which a sink must have noticed that its receiver is gone.
const PATIENCE: u64 = 10_000;

/// A fresh sink and the end where its items come out, for one check.
pub struct Subject<T> {
    sink: Box<dyn StreamSink<T>>,
    received: Pin<Box<dyn Stream<Item = T> + Send>>,
    room: Option<u64>,
    closes: bool,
}

impl<T: Send + 'static> Subject<T> {
    /// A sink, and what comes out of it. Dropping `received` is what closes the sink.
    #[must_use]
    pub fn new(
        sink: impl StreamSink<T> + 'static,
        received: impl Stream<Item = T> + Send + 'static,
    ) -> Self {
        Self {
            sink: Box::new(sink),
            received: Box::pin(received),
            room: None,
            closes: true,
        }
    }

    /// Says that it holds exactly `room` items that nobody has received, and then waits.
    #[must_use]
    pub fn with_room(mut self, room: usize) -> Self {
        self.room = Some(room as u64);
        self
    }

    /// Says that it cannot be closed from the receiving end, as a vector cannot.
    #[must_use]
    pub fn that_never_closes(mut self) -> Self {
        self.closes = false;
        self
    }

    fn room(&self) -> Result<u64, Failure> {
        self.room.ok_or(Failure::NotGiven("`Subject::with_room`"))
    }

    fn must_close(&self) -> Verified {
        if self.closes {
            Ok(())
        } else {
            Err(Failure::NotGiven("a sink that can be closed"))
        }
    }
}

impl<T> fmt::Debug for Subject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("room", &self.room)
            .field("closes", &self.closes)
            .finish_non_exhaustive()
    }
}

type Make<T> = Arc<dyn Fn(u64) -> T + Send + Sync>;
type CheckOf<T> = fn(Subject<T>, &Make<T>) -> Verified;

/// Proves a sink: `make` gives a fresh one for each check, `item` the item of a number.
pub fn check<T: Send + PartialEq + fmt::Debug + 'static>(
    make: impl Fn() -> Subject<T>,
    item: impl Fn(u64) -> T + Send + Sync + 'static,
) -> Report {
    let checks: [(&'static str, CheckOf<T>); 6] = [
        ("items_arrive_in_order", items_arrive_in_order),
        (
            "finish_and_drop_end_the_stream",
            finish_and_drop_end_the_stream,
        ),
        ("a_closed_sink_says_so", a_closed_sink_says_so),
        ("a_full_sink_waits", a_full_sink_waits),
        (
            "giving_up_a_send_loses_nothing_earlier",
            giving_up_a_send_loses_nothing_earlier,
        ),
        (
            "a_waiting_send_learns_of_the_close",
            a_waiting_send_learns_of_the_close,
        ),
    ];
    let item: Make<T> = Arc::new(item);
    let mut report = Report::new("sink");
    for (name, check) in checks {
        let (subject, item) = (make(), Arc::clone(&item));
        report.run(name, move || check(subject, &item));
    }
    report
}

fn items_arrive_in_order<T>(subject: Subject<T>, item: &Make<T>) -> Verified
where
    T: Send + PartialEq + fmt::Debug + 'static,
{
    let Subject {
        mut sink, received, ..
    } = subject;
    // The sink goes with its sender, so that a receiver of too few items is not left waiting.
    let sending = async move {
        for number in 0..ITEMS {
            sink.send(item(number)).await?;
        }
        sink.finish().await
    };
    let receiving = received.take(ITEMS as usize).collect::<Vec<_>>();
    let (sent, received) = block_on(join(sending, receiving));
    open("sending", sent)?;
    same(
        "what arrived",
        received,
        (0..ITEMS).map(|n| item(n)).collect(),
    )
}

fn finish_and_drop_end_the_stream<T>(subject: Subject<T>, item: &Make<T>) -> Verified
where
    T: Send + PartialEq + fmt::Debug + 'static,
{
    let Subject {
        mut sink, received, ..
    } = subject;
    let sending = async move {
        sink.send(item(0)).await?;
        sink.finish().await
    };
    let (sent, received) = block_on(join(sending, received.collect::<Vec<_>>()));
    open("sending", sent)?;
    same("what arrived", received, vec![item(0)])
}

fn a_closed_sink_says_so<T>(subject: Subject<T>, item: &Make<T>) -> Verified
where
    T: Send + PartialEq + fmt::Debug + 'static,
{
    subject.must_close()?;
    let Subject {
        mut sink, received, ..
    } = subject;
    drop(received);
    for number in 0..PATIENCE {
        if block_on(sink.send(item(number))).is_err() {
            let again = block_on(sink.send(item(number)));
            return same("a send after the close", again, Err(SinkClosed));
        }
    }
    Err(wrong(format!(
        "{PATIENCE} items were taken though nobody will receive them"
    )))
}

fn a_full_sink_waits<T>(subject: Subject<T>, item: &Make<T>) -> Verified
where
    T: Send + PartialEq + fmt::Debug + 'static,
{
    let room = subject.room()?;
    let Subject {
        mut sink,
        mut received,
        ..
    } = subject;
    for number in 0..room {
        let mut sending = sink.send(item(number));
        ensure(is_ready(&mut sending)?, "a send waits though there is room")?;
    }
    let mut sending = sink.send(item(room));
    ensure(
        !is_ready(&mut sending)?,
        "a send does not wait though it is full",
    )?;
    let first = block_on(received.next());
    same("the first item", first, Some(item(0)))?;
    open("the waiting send", block_on(sending))?;
    for number in 1..=room {
        let next = block_on(received.next());
        same("the next item", next, Some(item(number)))?;
    }
    Ok(())
}

fn giving_up_a_send_loses_nothing_earlier<T>(subject: Subject<T>, item: &Make<T>) -> Verified
where
    T: Send + PartialEq + fmt::Debug + 'static,
{
    let room = subject.room()?;
    let Subject {
        mut sink,
        mut received,
        ..
    } = subject;
    for number in 0..room {
        open("sending", block_on(sink.send(item(number))))?;
    }
    {
        let mut given_up = sink.send(item(room));
        ensure(
            !is_ready(&mut given_up)?,
            "a send does not wait though it is full",
        )?;
    }
    for number in 0..room {
        let next = block_on(received.next());
        same("the next item", next, Some(item(number)))?;
    }
    let sending = async move {
        sink.send(item(room + 1)).await?;
        sink.finish().await
    };
    let (sent, rest) = block_on(join(sending, received.collect::<Vec<_>>()));
    open("sending", sent)?;
    // The one given up may be lost or not; the one after it may not.
    same("the last item", rest.last(), Some(&item(room + 1)))
}

fn a_waiting_send_learns_of_the_close<T>(subject: Subject<T>, item: &Make<T>) -> Verified
where
    T: Send + PartialEq + fmt::Debug + 'static,
{
    let room = subject.room()?;
    subject.must_close()?;
    let Subject {
        mut sink, received, ..
    } = subject;
    for number in 0..room {
        open("sending", block_on(sink.send(item(number))))?;
    }
    let mut sending = sink.send(item(room));
    ensure(
        !is_ready(&mut sending)?,
        "a send does not wait though it is full",
    )?;
    drop(received);
    same("the waiting send", block_on(sending), Err(SinkClosed))
}

fn open(what: &str, outcome: Result<(), SinkClosed>) -> Verified {
    outcome.map_err(|error| wrong(format!("{what}: {error}")))
}

/// Polls once.
fn is_ready(
    sending: &mut (impl Future<Output = Result<(), SinkClosed>> + Unpin),
) -> Result<bool, Failure> {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(sending).poll(&mut cx) {
        std::task::Poll::Ready(outcome) => open("sending", outcome).map(|()| true),
        std::task::Poll::Pending => Ok(false),
    }
}
