//! What happened between a group and its shared log.

/// What happened between a group and the log that it shares with other processes: [`Coherence::stats`](crate::Coherence::stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoherenceStats {
    /// Answers of the log that said where it stands, those that came with a record included.
    pub confirmations: u64,
    /// Times that the log was asked for its position and did not answer.
    pub failures: u64,
    /// Times that the log was another one than before, so that all that was cached was void; the first included.
    pub eras: u64,
    /// Times that the log could not tell all that had happened, so that older entries had to be asked about.
    pub gaps: u64,
    /// Times that invalidations were sent anew which the log had not taken at first.
    pub retries: u64,
    /// Invalidations that hold in this process and are still to be told to the others.
    pub pending: u64,
}
