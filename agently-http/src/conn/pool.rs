use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use agently_api::rt::{Runtime, RuntimeId};

use super::reaper::Reaper;
use super::Wire;

/// The most idle connections that a pool keeps over all hosts.
const MAX_IDLE: usize = 512;

/// What makes two connections interchangeable.
///
/// The runtime is part of it: a socket belongs to the runtime that opened it. The proxy is not: it
/// follows from the rest, since a client has one proxy setting.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PoolKey {
    pub(crate) runtime: RuntimeId,
    pub(crate) https: bool,
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
}

/// Idle connections, as plain values. A [`Reaper`] on each runtime closes those that nobody comes
/// back for.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    max_per_host: usize,
    idle_timeout: Duration,
}

#[derive(Default)]
struct Idle {
    hosts: HashMap<PoolKey, Vec<(Instant, Wire)>>,
    count: usize,
    /// The runtimes on which a reaper waits.
    reaped: HashSet<RuntimeId>,
}

impl Pool {
    pub(crate) fn new(max_per_host: usize, idle_timeout: Duration) -> Self {
        Self {
            idle: Mutex::default(),
            max_per_host,
            idle_timeout,
        }
    }

    /// Takes out the connection that was used last and still works.
    pub(crate) fn checkout(&self, key: &PoolKey, now: Instant) -> Option<Wire> {
        loop {
            // One at a time, so that the look at the socket happens outside the lock.
            let mut wire = {
                let mut idle = self.lock();
                let expired = idle.sweep(key.runtime, now, self.idle_timeout);
                let wire = idle.take(key);
                drop(idle);
                drop(expired);
                wire?
            };
            if wire.is_usable() {
                return Some(wire);
            }
        }
    }

    /// Keeps a connection whose exchange is over.
    pub(crate) fn put(self: &Arc<Self>, key: PoolKey, wire: Wire, runtime: &Runtime) {
        if self.max_per_host == 0 {
            return;
        }
        let id = key.runtime;
        let now = runtime.now();
        let mut idle = self.lock();
        let expired = idle.sweep(id, now, self.idle_timeout);
        let mut surplus = None;
        if idle.count < MAX_IDLE {
            let host = idle.hosts.entry(key).or_default();
            host.push((now, wire));
            if host.len() > self.max_per_host {
                surplus = Some(host.remove(0));
            } else {
                idle.count += 1;
            }
        } else {
            surplus = Some((now, wire));
        }
        let first = idle.holds(id) && idle.reaped.insert(id);
        // Sockets are closed and tasks started outside the lock.
        drop(idle);
        drop((expired, surplus));
        if first {
            Reaper::start(self, runtime);
        }
    }

    /// Closes what has been idle for too long, and says how long the next one has left; `None`
    /// when the runtime has no idle connection any more, and its reaper no work.
    pub(super) fn reap(&self, runtime: RuntimeId, now: Instant) -> Option<Duration> {
        let mut idle = self.lock();
        let expired = idle.sweep(runtime, now, self.idle_timeout);
        let oldest = idle.oldest(runtime);
        if oldest.is_none() {
            idle.reaped.remove(&runtime);
        }
        drop(idle);
        drop(expired);
        let idle_for = now.saturating_duration_since(oldest?);
        Some(self.idle_timeout.saturating_sub(idle_for))
    }

    /// Closes all connections of a runtime that is over.
    pub(super) fn forget(&self, runtime: RuntimeId) {
        let mut idle = self.lock();
        idle.reaped.remove(&runtime);
        let closed = idle.drain(runtime, |_| true);
        drop(idle);
        drop(closed);
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn take(&mut self, key: &PoolKey) -> Option<Wire> {
        let host = self.hosts.get_mut(key)?;
        let (_, wire) = host.pop()?;
        if host.is_empty() {
            self.hosts.remove(key);
        }
        self.count -= 1;
        Some(wire)
    }

    /// Takes out what has been idle for too long. Other runtimes have other clocks: theirs stay.
    fn sweep(&mut self, runtime: RuntimeId, now: Instant, limit: Duration) -> Vec<(Instant, Wire)> {
        self.drain(runtime, |since| {
            now.saturating_duration_since(since) >= limit
        })
    }

    /// Takes out the connections of a runtime that are `old`.
    fn drain(&mut self, runtime: RuntimeId, old: impl Fn(Instant) -> bool) -> Vec<(Instant, Wire)> {
        let mut drained = Vec::new();
        self.hosts.retain(|key, host| {
            if key.runtime == runtime {
                // Oldest first.
                let young = host.partition_point(|(since, _)| old(*since));
                drained.extend(host.drain(..young));
            }
            !host.is_empty()
        });
        self.count -= drained.len();
        drained
    }

    fn holds(&self, runtime: RuntimeId) -> bool {
        self.hosts.keys().any(|key| key.runtime == runtime)
    }

    fn oldest(&self, runtime: RuntimeId) -> Option<Instant> {
        self.hosts
            .iter()
            .filter(|(key, _)| key.runtime == runtime)
            .filter_map(|(_, host)| host.first())
            .map(|(since, _)| *since)
            .min()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("max_per_host", &self.max_per_host)
            .field("idle_timeout", &self.idle_timeout)
            .finish_non_exhaustive()
    }
}
