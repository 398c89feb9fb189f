//! Finding out that the other side of a connection is gone without a word.

use std::net::TcpStream;

/// Sets it up, to be found out within half a minute: by probes while the connection is quiet, and
/// on Linux, where probes stop while something is on its way, by how long that stays
/// unacknowledged.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn set(stream: &TcpStream) {
    // Where the system refuses, the time limits above this layer are left.
    let _ = try_set(stream);
}

/// There are no words for it here: the time limits above this layer are left.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn set(_: &TcpStream) {}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn try_set(stream: &TcpStream) -> std::io::Result<()> {
    use std::time::Duration;

    use rustix::net::sockopt;

    /// How long a connection may be quiet before it is probed.
    const QUIET: Duration = Duration::from_secs(15);
    /// The time between two probes.
    const PROBE_INTERVAL: Duration = Duration::from_secs(5);
    /// After so many probes without an answer the connection is given up.
    const PROBES: u32 = 3;
    /// How long what was sent may stay unacknowledged, in milliseconds.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const UNACKNOWLEDGED: u32 = 20_000;

    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, QUIET)?;
    sockopt::set_tcp_keepintvl(stream, PROBE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(stream, PROBES)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED)?;
    Ok(())
}
