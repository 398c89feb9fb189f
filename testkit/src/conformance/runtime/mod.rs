//! The suite for a runtime: an executor, a clock and a connector, bundled as a [`Runtime`].
//!
//! ```
//! use agently_testkit::conformance::runtime::{self, Subject};
//! use agently_testkit::hand::HandRuntime;
//!
//! let report = runtime::check(|| {
//!     let hand = HandRuntime::new().expect("threads");
//!     Subject::new(hand.runtime()).with_shutdown(move || hand.shutdown())
//! });
//! report.assert_passed();
//! ```

mod blocking;
mod network;
mod server;
mod shutdown;
mod tasks;
mod time;

use std::fmt;
use std::future::Future;

use agently_api::rt::Runtime;

use super::{wrong, Failure, Report, Verified};

/// A fresh runtime, for one check.
pub struct Subject {
    runtime: Runtime,
    shutdown: Option<Box<dyn FnOnce() + Send>>,
}

impl Subject {
    /// A runtime that cannot be shut down; the checks about that are skipped.
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self {
            runtime,
            shutdown: None,
        }
    }

    /// Says how to shut it down. It is called at most once: in the middle of some checks, at the
    /// end of the others. What it owns lives as long as the check.
    #[must_use]
    pub fn with_shutdown(mut self, shutdown: impl FnOnce() + Send + 'static) -> Self {
        self.shutdown = Some(Box::new(shutdown));
        self
    }

    /// Waits on this thread, a plain one.
    fn wait<F: Future>(&self, future: F) -> Result<F::Output, Failure> {
        self.runtime
            .block_on(future)
            .map_err(|error| wrong(format!("`block_on` was refused on a plain thread: {error}")))
    }

    fn shut_down(&mut self) -> Verified {
        let shutdown = self
            .shutdown
            .take()
            .ok_or(Failure::NotGiven("`Subject::with_shutdown`"))?;
        shutdown();
        Ok(())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            shutdown();
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("runtime", &self.runtime)
            .field("can_shut_down", &self.shutdown.is_some())
            .finish()
    }
}

macro_rules! checks {
    ($($module:ident::$check:ident,)*) => {
        &[$((stringify!($check), $module::$check)),*]
    };
}

type Body = fn(&mut Subject) -> Verified;

/// Every check, by name.
const CHECKS: &[(&str, Body)] = checks![
    tasks::spawn_gives_the_result,
    tasks::a_panic_is_an_error_value,
    tasks::dropping_the_task_drops_its_future,
    tasks::dropping_an_unstarted_task_drops_its_future,
    tasks::cancel_is_an_error_value,
    tasks::a_detached_task_runs_on,
    tasks::a_task_may_spawn,
    tasks::a_task_may_wake_itself,
    tasks::a_wake_after_the_end_is_harmless,
    tasks::wakes_come_from_other_threads,
    tasks::tasks_take_turns,
    tasks::a_busy_task_lets_others_run,
    tasks::many_tasks_run,
    blocking::a_plain_thread_may_block,
    blocking::a_blocking_job_may_block,
    blocking::a_blocking_job_gives_its_result,
    blocking::a_panic_in_a_blocking_job_is_an_error_value,
    blocking::blocking_jobs_hold_up_no_task,
    blocking::a_task_may_not_block,
    blocking::block_on_may_not_be_nested,
    time::now_moves_with_sleep,
    time::wall_is_this_century,
    time::sleep_works_in_tasks,
    time::sleep_of_zero_ends,
    time::sleep_counts_from_its_call,
    time::sleep_of_ages_is_no_fault,
    time::timers_fire_in_order,
    time::a_dropped_sleep_wakes_nobody,
    time::a_timeout_elapses,
    time::a_timeout_lets_through,
    time::a_timeout_asks_the_future_first,
    network::bytes_come_back,
    network::large_transfers_arrive_whole,
    network::a_socket_wakes_its_reader,
    network::reading_and_writing_at_once,
    network::close_ends_one_direction,
    network::dropping_closes_the_socket,
    network::dropping_the_connect_closes_the_socket,
    network::the_end_is_seen,
    network::sockets_move_between_tasks_and_threads,
    network::localhost_is_found_on_ipv4,
    network::a_closed_port_is_an_error,
    network::an_unknown_host_is_an_error,
    shutdown::spawn_is_refused,
    shutdown::spawn_blocking_is_refused,
    shutdown::running_tasks_are_cancelled,
    shutdown::a_sleep_ends,
    shutdown::a_new_sleep_ends,
    shutdown::a_socket_ends,
    shutdown::connecting_ends,
];

/// Proves a runtime: `make` gives a fresh one for each check (or always the same, if it cannot be
/// shut down).
///
/// Checks with sockets use the loopback interface; one resolves the name `agently.invalid`.
pub fn check(make: impl Fn() -> Subject) -> Report {
    let mut report = Report::new("runtime");
    for (name, check) in CHECKS {
        let mut subject = make();
        report.run(name, move || check(&mut subject));
    }
    report
}
