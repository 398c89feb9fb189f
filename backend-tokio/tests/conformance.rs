//! Both kinds of background runtime and explicit handles pass the public suite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::future::pending;
use std::sync::mpsc;
use std::thread;

use agently_backend_tokio::{runtime, with_handle, Tokio};
use agently_testkit::conformance::runtime::{check, Subject};
use futures_util::future::{AbortHandle, Abortable};
use tokio::runtime::Builder;

#[test]
fn a_background_runtime_conforms() {
    let report = check(|| {
        let tokio = Tokio::new().unwrap();
        Subject::new(tokio.runtime()).with_shutdown(move || tokio.shutdown())
    });
    report.assert_passed();
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_background_runtime_with_one_worker_conforms() {
    let report = check(|| {
        let tokio = Tokio::with_workers(1).unwrap();
        Subject::new(tokio.runtime()).with_shutdown(move || tokio.shutdown())
    });
    report.assert_passed();
}

#[test]
fn the_shared_runtime_conforms() {
    check(|| Subject::new(runtime().unwrap())).assert_passed();
}

#[test]
fn a_multi_thread_handle_conforms() {
    let report = check(|| {
        let owner = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        // The owner shuts its runtime down in the usual way: by dropping it.
        Subject::new(with_handle(owner.handle())).with_shutdown(move || drop(owner))
    });
    report.assert_passed();
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_current_thread_handle_conforms() {
    let report = check(|| {
        let (handle, has_handle) = mpsc::channel();
        let (stop, stopped) = AbortHandle::new_pair();
        let driver = thread::spawn(move || {
            let owner = Builder::new_current_thread().enable_all().build().unwrap();
            handle.send(owner.handle().clone()).unwrap();
            // Drives the runtime until the check is over.
            let _ = owner.block_on(Abortable::new(pending::<()>(), stopped));
        });
        let handle = has_handle.recv().unwrap();
        Subject::new(with_handle(&handle)).with_shutdown(move || {
            stop.abort();
            driver.join().unwrap();
        })
    });
    report.assert_passed();
    assert!(report.is_complete(), "{report}");
}
