use std::cell::RefCell;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use agently_api::rt::{connect_any, Clock, CONNECT_STAGGER};

use crate::virtual_clock::VirtualClock;
use crate::Dropped;

/// How an address behaves: after so many milliseconds it connects, refuses, or never answers.
#[derive(Clone, Copy)]
enum Answer {
    Connects(u64),
    Refuses(u64),
    Nothing,
}
use Answer::{Connects, Nothing, Refuses};

fn v4(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn v6(port: u16) -> SocketAddr {
    (Ipv6Addr::LOCALHOST, port).into()
}

/// What came of connecting, when it was over, and which address was tried when (milliseconds).
struct Seen {
    outcome: io::Result<SocketAddr>,
    at: u64,
    tried: Vec<(SocketAddr, u64)>,
}

fn millis(clock: &VirtualClock) -> u64 {
    clock.elapsed().as_millis().try_into().unwrap()
}

fn connect(addresses: &[(SocketAddr, Answer)]) -> Seen {
    let clock = VirtualClock::new();
    let tried = RefCell::new(Vec::new());
    let list = addresses.iter().map(|(address, _)| *address).collect();
    let outcome = clock.run(connect_any(&clock, list, |address| {
        tried.borrow_mut().push((address, millis(&clock)));
        let (_, answer) = *addresses.iter().find(|(a, _)| *a == address).unwrap();
        let clock = clock.clone();
        async move {
            let wait = |millis| clock.sleep(Duration::from_millis(millis));
            match answer {
                Connects(millis) => {
                    wait(millis).await;
                    Ok(address)
                }
                Refuses(millis) => {
                    wait(millis).await;
                    let message = format!("port {} refused", address.port());
                    Err(io::Error::new(io::ErrorKind::ConnectionRefused, message))
                }
                Nothing => std::future::pending().await,
            }
        }
    }));
    Seen {
        outcome,
        at: millis(&clock),
        tried: tried.into_inner(),
    }
}

#[test]
fn the_stagger_is_that_of_rfc_8305() {
    assert_eq!(CONNECT_STAGGER, Duration::from_millis(250));
}

#[test]
fn an_address_that_connects_in_time_is_the_only_one_tried() {
    let seen = connect(&[(v6(1), Connects(249)), (v4(2), Connects(0))]);
    assert_eq!(seen.outcome.unwrap(), v6(1));
    assert_eq!(seen.tried, [(v6(1), 0)]);
}

#[test]
fn families_alternate_beginning_with_the_first() {
    let seen = connect(&[
        (v6(1), Refuses(0)),
        (v6(2), Refuses(0)),
        (v6(3), Refuses(0)),
        (v4(4), Refuses(0)),
        (v4(5), Refuses(0)),
    ]);
    let order: Vec<_> = seen
        .tried
        .iter()
        .map(|(address, _)| address.port())
        .collect();
    assert_eq!(order, [1, 4, 2, 5, 3]);

    let seen = connect(&[
        (v4(1), Refuses(0)),
        (v4(2), Refuses(0)),
        (v6(3), Refuses(0)),
    ]);
    let order: Vec<_> = seen
        .tried
        .iter()
        .map(|(address, _)| address.port())
        .collect();
    assert_eq!(order, [1, 3, 2]);
}

#[test]
fn a_silent_address_delays_the_next_by_the_stagger_only() {
    let seen = connect(&[(v6(1), Nothing), (v4(2), Nothing), (v6(3), Connects(10))]);
    assert_eq!(seen.outcome.unwrap(), v6(3));
    assert_eq!(seen.tried, [(v6(1), 0), (v4(2), 250), (v6(3), 500)]);
    assert_eq!(seen.at, 510);
}

#[test]
fn a_refusal_brings_the_next_address_at_once() {
    let seen = connect(&[(v6(1), Refuses(20)), (v4(2), Connects(5))]);
    assert_eq!(seen.outcome.unwrap(), v4(2));
    assert_eq!(seen.tried, [(v6(1), 0), (v4(2), 20)]);
    assert_eq!(seen.at, 25);
}

#[test]
fn a_slow_address_can_still_win_against_a_later_one() {
    let seen = connect(&[(v6(1), Connects(300)), (v4(2), Connects(1_000))]);
    assert_eq!(seen.outcome.unwrap(), v6(1));
    assert_eq!(seen.at, 300);
}

#[test]
fn the_last_failure_is_the_one_that_is_told() {
    let seen = connect(&[(v6(1), Refuses(400)), (v4(2), Refuses(10))]);
    let error = seen.outcome.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(error.to_string(), "port 1 refused");
    assert_eq!(seen.at, 400);
}

#[test]
fn a_host_without_addresses_is_not_found() {
    let error = connect(&[]).outcome.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(error.to_string(), "the host name has no addresses");
}

#[test]
fn the_losers_are_dropped_when_one_wins() {
    let clock = VirtualClock::new();
    let loser = Dropped::default();
    let winner = clock.run(connect_any(&clock, vec![v6(1), v4(2)], |address| {
        let guard = (address == v6(1)).then(|| loser.guard());
        async move {
            if guard.is_some() {
                std::future::pending::<()>().await;
            }
            Ok(address)
        }
    }));
    assert_eq!(winner.unwrap(), v4(2));
    assert!(loser.get());
}
