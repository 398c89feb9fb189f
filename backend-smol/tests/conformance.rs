//! The smol runtime passes the public suite, with one thread and with several.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_backend_smol::{runtime, Smol};
use agently_testkit::conformance::runtime::{check, Subject};

#[test]
fn an_own_runtime_conforms() {
    let report = check(|| {
        let smol = Smol::new().unwrap();
        Subject::new(smol.runtime()).with_shutdown(move || smol.shutdown())
    });
    report.assert_passed();
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_runtime_with_one_thread_conforms() {
    let report = check(|| {
        let smol = Smol::with_threads(1).unwrap();
        Subject::new(smol.runtime()).with_shutdown(move || smol.shutdown())
    });
    report.assert_passed();
}

#[test]
fn the_shared_runtime_conforms() {
    check(|| Subject::new(runtime().unwrap())).assert_passed();
}
