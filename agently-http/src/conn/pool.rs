use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agently_api::rt::RuntimeId;

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

/// Idle connections, as plain values.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    max_per_host: usize,
    idle_timeout: Duration,
}

#[derive(Default)]
struct Idle {
    hosts: HashMap<PoolKey, Vec<(Instant, Wire)>>,
    count: usize,
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
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                let expired = idle.sweep(now, self.idle_timeout);
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
    pub(crate) fn put(&self, key: PoolKey, wire: Wire, now: Instant) {
        if self.max_per_host == 0 {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let expired = idle.sweep(now, self.idle_timeout);
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
        // Sockets are closed outside the lock.
        drop(idle);
        drop((expired, surplus));
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

    /// Takes out what has been idle for too long.
    fn sweep(&mut self, now: Instant, limit: Duration) -> Vec<(Instant, Wire)> {
        let mut expired = Vec::new();
        self.hosts.retain(|_, host| {
            // Oldest first.
            let fresh =
                host.partition_point(|(since, _)| now.saturating_duration_since(*since) >= limit);
            expired.extend(host.drain(..fresh));
            !host.is_empty()
        });
        self.count -= expired.len();
        expired
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
