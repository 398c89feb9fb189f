//! Public suites. Whoever writes a runtime, a provider or a sink proves it with one call.
//!
//! Each suite makes a fresh subject for each check, runs the check on a thread of its own with a
//! time limit, and gives a [`Report`] that names every check and what went wrong in it.

pub mod provider;
pub mod runtime;
pub mod sink;

use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long one check may take: far more than any needs, so that a hang is a failure.
const LIMIT: Duration = Duration::from_secs(30);

/// What a check says: nothing, or what it saw instead of what must be.
type Verified = Result<(), Failure>;

/// What went wrong, or why the check does not apply.
enum Failure {
    Wrong(String),
    NotGiven(&'static str),
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Wrong(message)
    }
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure::Wrong(message.into())
}

/// Fails with `message` unless `holds`.
fn ensure(holds: bool, message: &str) -> Verified {
    if holds {
        Ok(())
    } else {
        Err(wrong(message))
    }
}

/// Fails unless `seen` is `expected`; `what` names it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "both are made on the spot, at every call"
)]
fn same<T: PartialEq + fmt::Debug>(what: &str, seen: T, expected: T) -> Verified {
    if seen == expected {
        Ok(())
    } else {
        Err(wrong(format!(
            "{what}: expected {expected:?}, saw {seen:?}"
        )))
    }
}

/// The outcome of a suite.
#[derive(Clone, Debug)]
#[must_use = "a report says whether the suite passed; call `assert_passed`"]
pub struct Report {
    suite: &'static str,
    checks: Vec<Check>,
}

/// One check of a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Its name, which says what must hold.
    pub name: &'static str,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a [`Check`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It holds.
    Passed,
    /// The subject did not give what the check needs: this.
    Skipped(&'static str),
    /// It does not hold.
    Failed(String),
}

impl Report {
    fn new(suite: &'static str) -> Self {
        Self {
            suite,
            checks: Vec::new(),
        }
    }

    /// Runs one check on a thread of its own and notes its verdict.
    fn run(&mut self, name: &'static str, check: impl FnOnce() -> Verified + Send + 'static) {
        let verdict = match on_a_thread(name, check) {
            Ok(()) => Verdict::Passed,
            Err(Failure::NotGiven(what)) => Verdict::Skipped(what),
            Err(Failure::Wrong(message)) => Verdict::Failed(message),
        };
        self.checks.push(Check { name, verdict });
    }

    /// All checks, in the order they ran.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether no check failed.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        !self
            .checks
            .iter()
            .any(|check| matches!(check.verdict, Verdict::Failed(_)))
    }

    /// Whether no check failed and none was skipped.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.verdict == Verdict::Passed)
    }

    /// For tests: nothing, or a panic with the report as its message.
    ///
    /// # Panics
    ///
    /// If a check failed.
    #[track_caller]
    #[expect(clippy::panic, reason = "made to fail a test")]
    pub fn assert_passed(&self) {
        if !self.is_passed() {
            panic!("{self}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conformance of a {}:", self.suite)?;
        for Check { name, verdict } in &self.checks {
            match verdict {
                Verdict::Passed => write!(f, "\n  passed   {name}")?,
                Verdict::Skipped(what) => write!(f, "\n  skipped  {name}: needs {what}")?,
                Verdict::Failed(message) => write!(f, "\n  FAILED   {name}: {message}")?,
            }
        }
        Ok(())
    }
}

/// Runs a check with a time limit. One that hangs is left behind.
fn on_a_thread(name: &str, check: impl FnOnce() -> Verified + Send + 'static) -> Verified {
    let (sender, verified) = mpsc::channel();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(check))
                .unwrap_or_else(|_panic| Err(wrong("it panicked; the message is above")));
            let _ = sender.send(outcome);
        })
        .map_err(|error| wrong(format!("no thread for the check: {error}")))?;
    verified
        .recv_timeout(LIMIT)
        .unwrap_or_else(|_late| Err(wrong(format!("it hangs: not done after {LIMIT:?}"))))
}
