//! What becomes of those who wait while a load takes too long.
//!
//! ```text
//! load begins    soft                hard                          longest
//!     |-----------|-------------------|------------------------------|
//!     | wait      | something old, or | something old, or the error  | the load is cut off,
//!     |           | wait on           | `Timeout`; the load goes on  | its key free again
//! ```
//!
//! All of it counts from when the load began, for whoever waits: who comes when a time has passed already is answered
//! at once. Without a limit a load costs no timer.

use crate::event::{Event, Limit};
use crate::flights::Lead;
use crate::holds::Holds;
use crate::in_time::in_time;
use crate::{Cache, Lookup};
use smallvec::SmallVec;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

impl<K, V, S, C> Cache<K, V, S, C>
where
    K: ?Sized + Lookup,
    V: Clone + Send + Sync + 'static,
    S: Send + Sync + 'static,
    C: Holds<S, K, V>,
{
    /// Runs the load, and tells those who wait what becomes of them. `None` when it was cut off.
    pub(crate) async fn watch<T>(
        &self,
        lead: &Lead<K, V>,
        mut load: Pin<&mut (impl Future<Output = T> + Send)>,
    ) -> Option<T> {
        let mut passed = Duration::ZERO;
        for (limit, after) in self.limits() {
            let left = after.saturating_sub(passed);
            if let Some(loaded) = in_time(&*self.inner.clock, left, load.as_mut()).await {
                return Some(loaded);
            }
            passed = after;
            if self.pass(limit, lead) {
                self.observers().tell(&Event::LoadOverdue { limit, after });
            }
            if limit == Limit::Longest {
                return None;
            }
        }
        Some(load.await)
    }

    /// The limits of a load, the shortest first.
    fn limits(&self) -> SmallVec<[(Limit, Duration); 3]> {
        let rules = &self.policy.loads;
        let limits = [
            (Limit::Soft, rules.soft_timeout),
            (Limit::Hard, rules.hard_timeout),
            (Limit::Longest, rules.longest()),
        ];
        let mut limits: SmallVec<_> =
            limits.into_iter().filter_map(|(limit, after)| Some((limit, after?))).collect();
        limits.sort_by_key(|(_, after)| *after);
        limits
    }

    /// Does what is due when the load is this late. Returns whether it made a difference to anyone.
    fn pass(&self, limit: Limit, lead: &Lead<K, V>) -> bool {
        let counters = &self.inner.counters;
        match limit {
            Limit::Soft => {
                let serves = lead.flight.is_now_late(&*self.inner.clock);
                if serves {
                    counters.soft_timeouts.add();
                }
                serves
            }
            Limit::Hard => {
                counters.hard_timeouts.add();
                lead.flight.is_now_overdue();
                true
            }
            Limit::Longest => true,
        }
    }
}
