use std::sync::{Arc, Weak};

use agently_api::rt::Runtime;

use super::Pool;

/// Closes the idle connections of one runtime when their time is over: one sleeper for all of
/// them, which ends with the last.
///
/// It sleeps on that runtime, so it is dropped when the runtime is shut down, and takes the
/// runtime's connections out of the pool with it: nobody can use them again. Until then it keeps
/// the runtime, for one idle limit after the last use at most.
pub(super) struct Reaper {
    pool: Weak<Pool>,
    runtime: Runtime,
    /// The pool has nothing for it any more, and may have started another since.
    dismissed: bool,
}

impl Reaper {
    pub(super) fn start(pool: &Arc<Pool>, runtime: &Runtime) {
        let reaper = Self {
            pool: Arc::downgrade(pool),
            runtime: runtime.clone(),
            dismissed: false,
        };
        runtime.spawn(reaper.run()).detach();
    }

    async fn run(mut self) {
        loop {
            let now = self.runtime.now();
            let left = match self.pool.upgrade() {
                Some(pool) => pool.reap(self.runtime.id(), now),
                None => None,
            };
            let Some(left) = left else {
                self.dismissed = true;
                return;
            };
            self.runtime.sleep(left).await;
            // A clock that ends its sleeps early belongs to a runtime that is over.
            if self.runtime.now().saturating_duration_since(now) < left {
                return;
            }
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        if self.dismissed {
            return;
        }
        if let Some(pool) = self.pool.upgrade() {
            pool.forget(self.runtime.id());
        }
    }
}
