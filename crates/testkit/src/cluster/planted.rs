//! Bugs of the shared store that a test can plant, as those of caches in `larder_core::planted`.

/// A rule that the shared store does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
#[repr(u8)]
pub enum ServerBug {
    /// Another machine goes on with the log of the one before it.
    NoIdentity = 1,
    /// And nobody notices that it has gone back.
    NeitherIdentityNorRegress,
    /// Nobody notices that marks are gone.
    MarksLostAlone,
    /// The counter goes up at once, and the marks come later.
    NotAtomic,
}

/// Whether this bug is planted.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_: ServerBug) -> bool {
    false
}

/// Whether this bug is planted.
#[cfg(feature = "planted")]
pub(crate) fn is(bug: ServerBug) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == bug as u8
}

#[cfg(feature = "planted")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Plants a bug in the shared stores of all simulated clusters of this process.
#[cfg(feature = "planted")]
#[doc(hidden)]
pub fn plant(bug: ServerBug) {
    PLANTED.store(bug as u8, std::sync::atomic::Ordering::Relaxed);
}
