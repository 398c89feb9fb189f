//! What a runtime's users are promised, whichever runtime it is: on a single-thread executor and a
//! virtual clock, both small enough to be read here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod block_on;
mod connect;
mod lane;
mod task;
mod timeout;
mod virtual_clock;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Tells when it is dropped.
#[derive(Clone, Default)]
struct Dropped(Arc<AtomicBool>);

/// What is dropped.
struct Guard(Dropped);

impl Dropped {
    fn guard(&self) -> Guard {
        Guard(self.clone())
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0 .0.store(true, Ordering::SeqCst);
    }
}
