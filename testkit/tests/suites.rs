//! The suites pass what is right and name what is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use agently_api::error::{ProviderError, ProviderErrorKind};
use agently_api::model::{
    CallContext, EventStream, FinishReason, Message, ModelEvent, ModelProvider, ModelRequest,
};
use agently_api::rt::{BoxIo, Clock, Connector, Executor, Runtime, Sleep, SpawnError};
use agently_api::sink::{SinkClosed, StreamSink};
use agently_api::BoxFuture;
use agently_testkit::conformance::{provider, runtime, sink, Report, Verdict};
use agently_testkit::hand::HandRuntime;
use async_trait::async_trait;
use futures_channel::mpsc;
use futures_util::{stream, StreamExt};

fn failed(report: &Report) -> Vec<&'static str> {
    report
        .checks()
        .iter()
        .filter(|check| matches!(check.verdict, Verdict::Failed(_)))
        .map(|check| check.name)
        .collect()
}

fn verdict(report: &Report, name: &str) -> Verdict {
    let check = report.checks().iter().find(|check| check.name == name);
    check.unwrap().verdict.clone()
}

// Runtimes.

/// A good runtime with faults put in.
#[derive(Clone, Debug)]
struct Faulty {
    good: Runtime,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    AlwaysMayBlock,
    ShortSleeps,
    HastySleeps,
    AcceptsAfterShutdown,
}

impl Executor for Faulty {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        let outcome = self.good.executor().spawn(future);
        if self.fault == Fault::AcceptsAfterShutdown {
            return Ok(());
        }
        outcome
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        self.good.executor().spawn_blocking(job)
    }

    fn may_block(&self) -> bool {
        self.fault == Fault::AlwaysMayBlock || self.good.executor().may_block()
    }
}

impl Clock for Faulty {
    fn now(&self) -> Instant {
        self.good.now()
    }

    fn wall(&self) -> SystemTime {
        self.good.wall()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.good.sleep(match self.fault {
            Fault::ShortSleeps => duration / 2,
            Fault::HastySleeps => duration / 1000,
            _ => duration,
        })
    }
}

impl Connector for Faulty {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        self.good.connector().connect(host, port)
    }
}

fn report_of(fault: Fault) -> Report {
    runtime::check(|| {
        let hand = HandRuntime::new().unwrap();
        let faulty = Faulty {
            good: hand.runtime(),
            fault,
        };
        runtime::Subject::new(Runtime::new(faulty.clone(), faulty.clone(), faulty))
            .with_shutdown(move || hand.shutdown())
    })
}

#[test]
fn a_runtime_that_blocks_in_tasks_is_found() {
    let report = report_of(Fault::AlwaysMayBlock);
    assert_eq!(failed(&report), ["a_task_may_not_block"]);
}

#[test]
fn a_clock_that_is_early_is_found() {
    let failed = failed(&report_of(Fault::ShortSleeps));
    assert!(failed.contains(&"now_moves_with_sleep"), "{failed:?}");
    assert!(failed.contains(&"sleep_works_in_tasks"), "{failed:?}");
}

#[test]
fn an_executor_that_hides_its_shutdown_is_found() {
    let report = report_of(Fault::AcceptsAfterShutdown);
    assert_eq!(failed(&report), ["spawn_is_refused"]);
}

#[test]
fn without_a_shutdown_those_checks_are_skipped_and_say_so() {
    let shared = HandRuntime::new().unwrap();
    let report = runtime::check(|| runtime::Subject::new(shared.runtime()));
    report.assert_passed();
    assert!(!report.is_complete());
    let Verdict::Skipped(what) = verdict(&report, "spawn_is_refused") else {
        panic!("{report}");
    };
    assert!(what.contains("with_shutdown"));
    assert!(report.to_string().contains("skipped  spawn_is_refused"));
}

// Providers.

#[derive(Clone, Default)]
struct Scripted {
    open: Arc<AtomicUsize>,
    fault: Option<ProviderFault>,
}

#[derive(Clone, Copy, PartialEq)]
enum ProviderFault {
    NoFinish,
    TextAfterFinish,
    NeverCloses,
    FailsInTheMiddle,
    GoesOnAfterAnError,
    Refuses,
}

struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl ModelProvider for Scripted {
    async fn stream(
        &self,
        _request: ModelRequest,
        context: CallContext,
    ) -> Result<EventStream, ProviderError> {
        use ProviderFault::*;
        let error = || ProviderError::new(ProviderErrorKind::Truncated, "cut off");
        self.open.fetch_add(1, Ordering::SeqCst);
        let open = Open(Arc::clone(&self.open));
        context.runtime.sleep(Duration::from_millis(1)).await;
        if self.fault == Some(NeverCloses) {
            self.open.fetch_add(1, Ordering::SeqCst);
        }
        let text = || Ok(ModelEvent::TextDelta("text".to_owned()));
        let finish = || Ok(ModelEvent::Finish(FinishReason::Stop));
        let events = match self.fault {
            None | Some(NeverCloses) => vec![text(), text(), finish()],
            Some(NoFinish) => vec![text(), text()],
            Some(TextAfterFinish) => vec![finish(), text()],
            Some(FailsInTheMiddle) => vec![text(), Err(error())],
            Some(GoesOnAfterAnError) => vec![Err(error()), text(), Err(error())],
            Some(Refuses) => return Err(error()),
        };
        let events = stream::iter(events).map(move |event| {
            let _ = &open;
            event
        });
        Ok(EventStream::new(events))
    }
}

fn report_on(good: Option<ProviderFault>, failing: ProviderFault) -> Report {
    let shared = HandRuntime::new().unwrap();
    // Waiting is quick, so that what never comes is found out soon.
    let hasty = Faulty {
        good: shared.runtime(),
        fault: Fault::HastySleeps,
    };
    let runtime = Runtime::new(hasty.clone(), hasty.clone(), hasty);
    let request = ModelRequest::new(vec![Message::user("Hello")]);
    let scripted = |fault| Scripted {
        fault,
        ..Scripted::default()
    };
    provider::check(|| {
        let good = scripted(good);
        let open = Arc::clone(&good.open);
        provider::Subject::new(runtime.clone(), good, request.clone())
            .with_failure(scripted(Some(failing)), request.clone())
            .with_in_flight(move || open.load(Ordering::SeqCst))
    })
}

#[test]
fn a_good_provider_passes() {
    for failing in [ProviderFault::FailsInTheMiddle, ProviderFault::Refuses] {
        let report = report_on(None, failing);
        report.assert_passed();
        assert!(report.is_complete(), "{report}");
    }
}

#[test]
fn an_answer_without_a_finish_is_found() {
    let report = report_on(Some(ProviderFault::NoFinish), ProviderFault::Refuses);
    assert!(failed(&report).contains(&"an_answer_ends_after_its_finish"));
}

#[test]
fn text_after_the_finish_is_found() {
    let report = report_on(Some(ProviderFault::TextAfterFinish), ProviderFault::Refuses);
    assert!(failed(&report).contains(&"an_answer_ends_after_its_finish"));
}

#[test]
fn requests_that_stay_open_are_found() {
    let report = report_on(Some(ProviderFault::NeverCloses), ProviderFault::Refuses);
    let failed = failed(&report);
    assert!(
        failed.contains(&"dropping_the_stream_cancels"),
        "{failed:?}"
    );
    assert!(
        failed.contains(&"a_read_answer_leaves_nothing_open"),
        "{failed:?}"
    );
}

#[test]
fn going_on_after_an_error_is_found() {
    let report = report_on(None, ProviderFault::GoesOnAfterAnError);
    assert_eq!(failed(&report), ["a_failure_is_an_error_value"]);
}

// Sinks.

/// A bounded channel, right or with a fault.
struct Channel {
    sender: mpsc::Sender<u64>,
    fault: Option<SinkFault>,
    held: Option<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum SinkFault {
    Swaps,
    HidesTheClose,
    DropsWhenFull,
}

impl StreamSink<u64> for Channel {
    fn send(&mut self, item: u64) -> BoxFuture<'_, Result<(), SinkClosed>> {
        Box::pin(async move {
            let item = match self.fault {
                Some(SinkFault::Swaps) if item % 2 == 0 => {
                    self.held = Some(item);
                    return Ok(());
                }
                _ => item,
            };
            if self.fault == Some(SinkFault::DropsWhenFull) {
                let _ = self.sender.try_send(item);
                return Ok(());
            }
            for item in [Some(item), self.held.take()].into_iter().flatten() {
                let ready = poll_fn(|cx| self.sender.poll_ready(cx)).await;
                let sent = ready.and_then(|()| self.sender.start_send(item));
                if self.fault != Some(SinkFault::HidesTheClose) {
                    sent.map_err(|_| SinkClosed)?;
                }
            }
            Ok(())
        })
    }
}

fn report_about(fault: Option<SinkFault>) -> Report {
    sink::check(
        || {
            // Holds two, and one more for its only sender.
            let (sender, receiver) = mpsc::channel(2);
            let channel = Channel {
                sender,
                fault,
                held: None,
            };
            sink::Subject::new(channel, receiver).with_room(3)
        },
        |number| number,
    )
}

#[test]
fn a_good_sink_passes() {
    let report = report_about(None);
    report.assert_passed();
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_sink_that_swaps_items_is_found() {
    let failed = failed(&report_about(Some(SinkFault::Swaps)));
    assert!(failed.contains(&"items_arrive_in_order"), "{failed:?}");
}

#[test]
fn a_sink_that_hides_its_close_is_found() {
    let failed = failed(&report_about(Some(SinkFault::HidesTheClose)));
    assert!(failed.contains(&"a_closed_sink_says_so"), "{failed:?}");
}

#[test]
fn a_sink_that_drops_items_when_full_is_found() {
    let failed = failed(&report_about(Some(SinkFault::DropsWhenFull)));
    assert!(failed.contains(&"a_full_sink_waits"), "{failed:?}");
}

#[test]
fn a_report_that_failed_fails_the_test_with_the_whole_list() {
    let report = report_about(Some(SinkFault::HidesTheClose));
    let panic = std::panic::catch_unwind(|| report.assert_passed()).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("conformance of a sink"), "{message}");
    assert!(
        message.contains("FAILED   a_closed_sink_says_so"),
        "{message}"
    );
    assert!(
        message.contains("passed   items_arrive_in_order"),
        "{message}"
    );
}
