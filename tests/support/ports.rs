//! Free TCP ports on loopback. Refuses the system's ephemeral range, so that no outgoing connection
//! takes a port between its choice and its use.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Lowest port handed out; the range ends below 32768, where Linux begins its ephemeral ports.
const FIRST: u32 = 20_000;
/// How many ports the range has.
const COUNT: u32 = 12_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port nobody listens on, never handed out twice by one process. Processes begin at different
/// places of the range.
pub fn free() -> u16 {
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = std::process::id().wrapping_mul(211).wrapping_add(step) % COUNT;
        let port = (FIRST + offset) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}
