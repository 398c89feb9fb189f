//! One connection: hyper's state machine, polled in place by whoever waits for it.

mod gate;
mod io;
mod pool;
mod reaper;
mod watchdog;
mod wire;

pub(crate) use pool::{Pool, PoolKey};
pub(crate) use watchdog::{Expired, Watchdog};
pub(crate) use wire::{ExchangeFailure, Pieces, Wire};
