//! The runtime seam: four small traits' worth of contract, and [`Runtime`], which bundles them.
//!
//! To run Agently on a runtime of your own, implement [`Executor`], [`Clock`] and [`Connector`]
//! (about 150 lines; the tokio and smol backends are written that way) and hand them to
//! [`Runtime::new`]. `agently-testkit` has a public conformance suite to prove the result.

mod block_on;
mod clock;
mod connect;
mod connector;
mod executor;
mod runtime;
mod task;
mod timeout;

pub use block_on::{in_task, BlockingInAsync};
pub use clock::{Clock, Sleep};
pub use connect::{connect_any, CONNECT_STAGGER};
pub use connector::{BoxIo, Connector, Io};
pub use executor::{Executor, SpawnError};
pub use runtime::{Runtime, RuntimeId};
pub use task::{JoinError, JoinErrorKind, Task};
pub use timeout::{Elapsed, Timeout};
