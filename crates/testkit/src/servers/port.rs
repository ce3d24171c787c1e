//! Ports that nobody listens on.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// Below the ports that the system hands out to connections, so that a server which is down for a while finds its
/// own free again; and so low that the port of a Redis cluster's bus, 10000 above, is below them too.
const FIRST: u16 = 10_000;
const COUNT: u16 = 12_000;

/// Returns a port that is free at this moment, with the port 10000 above. Another process may still be quicker.
pub(crate) fn free() -> u16 {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let candidates =
        std::iter::repeat_with(|| FIRST + u16::try_from(random() % u64::from(COUNT)).unwrap_or(0));
    let mut free = candidates.take(1_000).filter(|port| is_free(*port) && is_free(port + 10_000));
    free.next().expect("of a thousand ports of the loopback, one is free")
}

/// Returns a number that is another one each time, in each process.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(0)
}
