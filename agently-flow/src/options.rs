use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agently_api::rt::Runtime;

use crate::engine::FailurePolicy;
use crate::shared::Resources;

/// How an execution runs.
///
/// ```
/// use std::time::Duration;
/// use agently_flow::{ExecutionOptions, FailurePolicy};
///
/// let options = ExecutionOptions::new()
///     .concurrency(4)
///     .failure_policy(FailurePolicy::Continue)
///     .auto_close_timeout(Duration::from_secs(10));
/// ```
#[derive(Clone, Default)]
pub struct ExecutionOptions {
    pub(crate) id: Option<String>,
    pub(crate) runtime: Option<Runtime>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) failure: FailurePolicy,
    pub(crate) auto_close: Option<Duration>,
    pub(crate) auto_intervene: bool,
    pub(crate) stream_capacity: Option<usize>,
    pub(crate) resources: Resources,
}

impl ExecutionOptions {
    /// No cap, fail fast, open until it is closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of the execution; made up if not given.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The runtime, instead of the flow's.
    #[must_use]
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// The most steps that run at once, whatever operator they stand in (0 is taken as 1). A step
    /// that awaits an emit does not count meanwhile.
    #[must_use]
    pub fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = Some(most);
        self
    }

    /// What happens when a chunk fails.
    #[must_use]
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.failure = policy;
        self
    }

    /// Closes the execution once it has been idle for so long. Time with a pending interrupt does
    /// not count.
    #[must_use]
    pub fn auto_close_timeout(mut self, idle: Duration) -> Self {
        self.auto_close = Some(idle);
        self
    }

    /// Hands interventions without a target to the next chunk that begins.
    #[must_use]
    pub fn auto_interventions(mut self) -> Self {
        self.auto_intervene = true;
        self
    }

    /// The most stream items that are kept for readers (0 is taken as 1); who puts more waits.
    ///
    /// Without it every item is kept, and every reader begins at the first.
    #[must_use]
    pub fn stream_capacity(mut self, items: usize) -> Self {
        self.stream_capacity = Some(items);
        self
    }

    /// A live object under a name; nearer than the flow's of that name.
    #[must_use]
    pub fn resource<T: Any + Send + Sync>(mut self, name: impl Into<String>, resource: T) -> Self {
        self.resources.insert(name.into(), Arc::new(resource));
        self
    }
}

impl fmt::Debug for ExecutionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecutionOptions")
            .field("id", &self.id)
            .field("concurrency", &self.concurrency)
            .field("failure", &self.failure)
            .field("auto_close", &self.auto_close)
            .field("resources", &self.resources.keys())
            .finish_non_exhaustive()
    }
}

/// How an execution is closed.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloseOptions {
    pub(crate) deadline: Option<Duration>,
    pub(crate) cancel_interrupts: bool,
}

impl CloseOptions {
    /// Waits for all that was accepted; refuses while interrupts are pending.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels what still runs after so long.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// Abandons pending interrupts.
    #[must_use]
    pub fn cancel_interrupts(mut self) -> Self {
        self.cancel_interrupts = true;
        self
    }
}
