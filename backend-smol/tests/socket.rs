//! The sockets that the connector opens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![cfg(target_os = "linux")]

use std::net::{TcpListener, TcpStream};

use agently_api::rt::Runtime;

/// The timer that Linux runs for the client's side of this connection, as `/proc/net/tcp` has it:
/// `02` is the one of keep-alive probes, and how much of it is left, in hundredths of a second.
fn timer(server_side: &TcpStream) -> (String, u64) {
    let local = server_side.peer_addr().unwrap().port();
    let remote = server_side.local_addr().unwrap().port();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let timer = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|fields| {
            fields[1].ends_with(&format!(":{local:04X}"))
                && fields[2].ends_with(&format!(":{remote:04X}"))
        })
        .map(|fields| fields[5].to_owned())
        .expect("the connection is in the table");
    let (kind, left) = timer.split_once(':').unwrap();
    (kind.to_owned(), u64::from_str_radix(left, 16).unwrap())
}

fn is_probed(runtime: &Runtime) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connecting = runtime.connector().connect("127.0.0.1", port);
    let client = runtime.block_on(connecting).unwrap().unwrap();
    let (server_side, _) = listener.accept().unwrap();
    let (kind, left) = timer(&server_side);
    assert_eq!(kind, "02", "a keep-alive timer");
    assert!(left <= 1_500, "{left} is more than 15 s");
    drop(client);
}

#[test]
fn a_quiet_connection_is_probed() {
    is_probed(&agently_backend_smol::runtime().unwrap());
}
