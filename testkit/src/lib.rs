//! For tests: a deterministic runtime, clocks moved by hand, and public suites that prove a
//! runtime, a provider or a sink of your own.
//!
//! | module | what it holds |
//! |---|---|
//! | [`det`] | [`Det`](det::Det): one thread, seeded order, virtual time, a network in memory |
//! | [`clock`] | [`ManualClock`](clock::ManualClock): time that moves when the test says so |
//! | [`pipe`] | [`duplex`](pipe::duplex): a connection in memory |
//! | [`conformance`] | the suites: [`runtime`](conformance::runtime::check), [`provider`](conformance::provider::check), [`sink`](conformance::sink::check) |
//! | [`hand`] | [`HandRuntime`](hand::HandRuntime): the smallest runtime that passes, as an example |

pub mod clock;
pub mod conformance;
pub mod det;
pub mod hand;
pub mod pipe;

mod park;
mod sync;
mod timers;
