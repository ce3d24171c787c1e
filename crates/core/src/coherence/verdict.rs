//! What the marks say of an entry.

use crate::Time;

/// See the module. The later one is the graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Nothing of it was invalidated since.
    Sound,
    /// It was expired, at this time.
    Expired(Time),
    /// Nobody here can say: the log is to be asked.
    Ask,
    /// It was removed.
    Void,
}

impl Verdict {
    /// The graver one of both.
    pub(crate) fn and(self, other: Verdict) -> Verdict {
        self.max(other)
    }
}
