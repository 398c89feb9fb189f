//! The hand-made runtime passes the public suite, and the suite finds faults.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_testkit::conformance::runtime::{self, Subject};
use agently_testkit::hand::HandRuntime;

#[test]
fn the_hand_made_runtime_conforms() {
    let report = runtime::check(|| {
        let hand = HandRuntime::new().unwrap();
        Subject::new(hand.runtime()).with_shutdown(move || hand.shutdown())
    });
    report.assert_passed();
    assert!(report.is_complete(), "{report}");
}
