//! Freeing the rows of what has expired.

use crate::Postgres;
use crate::calls::Twice;
use crate::row;
use crate::statements::BATCH;
use larder_core::{Clock, Result};

/// What [`Postgres::purge_expired`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowsPurged {
    /// Values that had expired and were removed, in all namespaces.
    pub removed: u64,
    /// Guards that were removed: what is left of keys that were looked for and not found.
    pub guards: u64,
}

impl Postgres {
    /// Removes what has expired, in all namespaces of the table.
    ///
    /// Call it now and then, from one process or from several: once a minute, say. Nothing else frees these rows. Each
    /// statement removes 500 at most, the oldest first, within the response timeout, so that no lock is held for long;
    /// what somebody writes at this moment is passed over. What was written anew is judged anew.
    ///
    /// Expired is what has no deadline ahead by the time of day of `clock`: one that is ahead purges too early.
    ///
    /// # Errors
    ///
    /// As any call. What was removed before is gone; the next purge goes on from there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the purge behind the statement under way. What was removed is gone, nothing else has
    /// changed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use larder_core::SystemClock;
    /// use larder_postgres::Postgres;
    ///
    /// # async fn example() -> larder_core::Result<()> {
    /// let store = Postgres::connect("postgres://app:secret@db.test/shop").await?;
    /// let purged = store.purge_expired(&SystemClock).await?;
    /// println!("{} values have expired", purged.removed);
    /// assert_eq!(store.purge_expired(&SystemClock).await?.removed, 0);
    /// # Ok(()) }
    /// ```
    pub async fn purge_expired(&self, clock: &(impl Clock + ?Sized)) -> Result<RowsPurged> {
        let now = row::timestamp(clock.wall());
        let mut purged = RowsPurged::default();
        loop {
            let rows = self.calls.run(|sql| &sql.purge, row::values![now], Twice::Fine).await?;
            let Some(row) = rows.first() else { return Ok(purged) };
            let count = |place| row::column::<i64>(row, place);
            purged.removed += count(1)?.unsigned_abs();
            purged.guards += count(2)?.unsigned_abs();
            if count(0)? < BATCH {
                return Ok(purged);
            }
        }
    }
}
