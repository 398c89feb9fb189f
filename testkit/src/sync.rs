use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whether or not a panicking test has poisoned the lock: no state here is left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
