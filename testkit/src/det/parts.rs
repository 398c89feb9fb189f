use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use agently_api::rt::{BoxIo, Clock, Connector, Executor, Sleep, SpawnError};
use agently_api::BoxFuture;

use super::network::Network;
use super::scheduler::Scheduler;
use crate::clock::VirtualTime;
use crate::timers::{self, TimeSource as _};

pub(super) struct DetExecutor(pub(super) Arc<Scheduler>);

impl Executor for DetExecutor {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Result<(), SpawnError> {
        self.0.spawn(future)
    }

    fn spawn_blocking(&self, job: Box<dyn FnOnce() + Send>) -> Result<(), SpawnError> {
        self.0.spawn(Box::pin(async move { job() }))
    }

    fn may_block(&self) -> bool {
        // The one thread there is would wait for itself.
        false
    }
}

impl fmt::Debug for DetExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetExecutor")
            .field("tasks", &self.0.tasks())
            .finish()
    }
}

pub(super) struct DetClock(pub(super) Arc<VirtualTime>);

impl Clock for DetClock {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        timers::sleep(Arc::clone(&self.0), duration)
    }
}

impl fmt::Debug for DetClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetClock")
            .field("elapsed", &self.0.elapsed())
            .finish()
    }
}

pub(super) struct DetConnector(pub(super) Arc<Network>);

impl Connector for DetConnector {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxIo>> {
        Box::pin(async move {
            // A connection is never there at once: others get their turn first.
            step_aside().await;
            let stream = self.0.connect(host, port)?;
            Ok(Box::new(stream) as BoxIo)
        })
    }
}

impl fmt::Debug for DetConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetConnector").finish_non_exhaustive()
    }
}

/// Gives the others a turn.
async fn step_aside() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
