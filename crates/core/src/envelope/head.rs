//! What the first bytes of an envelope tell: when its value was loaded, and when it ends.

use super::header::Header;
use super::{far, wall_of};
use crate::Result;
use std::time::{Duration, SystemTime};

/// As many bytes from the front of an envelope as [`dead_at`] and [`times`] need.
pub const HEAD_BYTES: usize = 68;

/// Returns when the value in an envelope dies: `None` when it never does.
///
/// Reads only the first [`HEAD_BYTES`], and so checks no checksum. For stores that do not expire by themselves.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when the bytes do not begin like an envelope that this release can read.
///
/// # Examples
///
/// ```
/// assert!(larder_core::envelope::dead_at(b"something else").is_err());
/// ```
pub fn dead_at(head: &[u8]) -> Result<Option<SystemTime>> {
    times(head).map(|times| times.dead_at)
}

/// When the value in an envelope was loaded and how long it lives, by the wall clock.
///
/// The last four are `None` where the value never expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// When its load began.
    pub loaded_at: SystemTime,
    /// From when on it is to be reloaded ahead of its end.
    pub settled_until: Option<SystemTime>,
    /// Until when it is fresh.
    pub fresh_until: Option<SystemTime>,
    /// Until when it is served while it is reloaded.
    pub stale_until: Option<SystemTime>,
    /// From when on it is of no use, not even where loads fail.
    pub dead_at: Option<SystemTime>,
}

/// Returns the times of the value in an envelope, from its first [`HEAD_BYTES`]. Checks no
/// checksum.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when the bytes do not begin like an envelope that this
/// release can read.
///
/// # Examples
///
/// ```
/// assert!(larder_core::envelope::times(b"something else").is_err());
/// ```
pub fn times(head: &[u8]) -> Result<Times> {
    let header = Header::read(head)?.0;
    let loaded_at = wall_of(header.loaded_at);
    let after = |span: Duration| loaded_at.checked_add(span).unwrap_or_else(far);
    let ends = |more: Duration| header.life.map(|life| after(life.saturating_add(more)));
    Ok(Times {
        loaded_at,
        settled_until: header.life.map(|life| after(life.saturating_sub(header.ahead))),
        fresh_until: ends(Duration::ZERO),
        stale_until: ends(header.window),
        dead_at: ends(header.window.saturating_add(header.kept)),
    })
}
