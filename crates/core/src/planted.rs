//! Bugs that a test can plant, to see that the simulated cluster finds them: each takes one rule of coherence away.
//!
//! Without the feature `planted`, which is for the tests of this workspace alone, no bug is ever there, and the compiler
//! leaves the questions out.

/// A rule that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
#[repr(u8)]
pub enum Bug {
    /// A value is stamped with the position at the end of its load.
    StampAtCompletion = 1,
    /// A position that was read counts as applied.
    StampNotApplied,
    /// What was loaded is put whatever is there by now.
    NoPutGuard,
    /// A record that was removed cannot be told from one that was never there.
    ShortTombstone,
    /// A copy is filled in whatever was invalidated since it was read.
    FillUnchecked,
    /// One's own invalidation is marked before the log has answered, and not after.
    MarkBeforeAnswer,
    /// A copy is served however long ago the position was confirmed.
    NoBound,
    /// What the log cannot tell any more is taken for nothing.
    GapIgnored,
    /// A log that is another one is taken for the same.
    EraIgnored,
    /// Forgotten marks are taken for none.
    NoFloor,
    /// Who comes after an invalidation joins a load from before it.
    JoinOld,
    /// An invalidation that the log did not take is forgotten.
    FailureForgotten,
    /// A removal from a level that is written behind waits like a value.
    RemovalBehind,
    /// What another level than the one with the log has is believed.
    LowerUnjudged,
    /// An insertion voids the record, and marks nothing.
    InsertWithoutMark,
}

/// Whether this bug is planted.
#[cfg(not(feature = "planted"))]
#[inline]
pub(crate) const fn is(_: Bug) -> bool {
    false
}

/// Whether this bug is planted.
#[cfg(feature = "planted")]
pub(crate) fn is(bug: Bug) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == bug as u8
}

#[cfg(feature = "planted")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Plants a bug in all caches of this process.
#[cfg(feature = "planted")]
#[doc(hidden)]
pub fn plant(bug: Bug) {
    PLANTED.store(bug as u8, std::sync::atomic::Ordering::Relaxed);
}
