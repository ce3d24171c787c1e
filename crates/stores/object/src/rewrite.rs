//! Sparing writes: `rewrite_after`.
//!
//! ```text
//! put, of the value that was stored with a life of 60 s; `rewrite_after(0.5)`
//!     |------ spared: it has half of its life before it -----|------ written ------>
//!     0 s                                                   30 s
//! ```
//!
//! Where a deadline could be prolonged without the value, it would need an object of its own beside it, whose two
//! writes and two reads nobody can do in one step. So the stored life is left as it is, and what is promised is how
//! much shorter it may be.

use crate::Object;
use bytes::Bytes;
use larder_core::{Error, ErrorKind, Result, envelope};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use twox_hash::XxHash3_64;

/// Values of which is remembered what they are, about 200 bytes each.
const REMEMBERED: usize = 4_096;

impl Object {
    /// Spares itself to write a value that is stored already, unless more than `fraction` of its life is over.
    ///
    /// A reload that finds the same value, as reloads often do, then costs a look at the object instead of an
    /// upload: S3 takes a twelfth of the price for it, a disk writes nothing. The same value is one with the same
    /// key, codec, version, compression, tags, entity tag, date of change and bytes (so never one that is encrypted, whose
    /// bytes are others each time); the store remembers by a hash what it read or wrote last
    /// (the last 4,096 or so), and asks the driver whether the object is still that one.
    ///
    /// A spared write leaves the older deadlines in place: the value is fresh for at least 1 − `fraction` of what
    /// the put said, counted from the put, and never for longer; the stale window follows it as it would. A put that
    /// shortens a life, has another stale window or differs in anything else is written in full. With
    /// [`refresh_ahead`](larder_core::Cache::refresh_ahead) the life counts until the reload is due. The value keeps its
    /// age, too: who asks with [`max_age`](larder_core::CallOptions::max_age) for a younger one loads again and again, so the
    /// two do not go together.
    ///
    /// While this is on, the store does not [compare and set](Object::compare_and_set): a write that was spared
    /// would leave the tokens valid that it has to void.
    ///
    /// # Default
    ///
    /// - off: every put is written
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] unless `fraction` is between 0 and 1, both excluded.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_object::Object;
    ///
    /// let store = Object::in_memory().rewrite_after(0.5)?;
    /// assert!(Object::in_memory().rewrite_after(1.0).is_err());
    /// # drop(store);
    /// # larder_core::Result::Ok(())
    /// ```
    pub fn rewrite_after(mut self, fraction: f64) -> Result<Self> {
        if fraction > 0.0 && fraction < 1.0 {
            self.kept = Some(Arc::new(Kept { fraction, slots: Mutex::new(Vec::new()) }));
            return Ok(self);
        }
        let message = format!("`.rewrite_after({fraction})`: say a fraction between 0 and 1, such as 0.5");
        Err(Error::new(ErrorKind::Config, message))
    }
}

/// What is known of stored values.
pub(crate) struct Kept {
    fraction: f64,
    /// One slot for all paths with a remainder; empty until the first is noted. Held for a look or a change of one.
    slots: Mutex<Vec<Option<Slot>>>,
}

#[derive(Clone)]
struct Slot {
    path: Path,
    known: Known,
    e_tag: String,
}

/// A value and its times.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    fingerprint: u128,
    times: envelope::Times,
}

impl Kept {
    /// Returns what the bytes are, if they are an envelope.
    #[expect(clippy::unused_self, reason = "only who remembers needs to know")]
    pub(crate) fn known(&self, bytes: &Bytes) -> Option<Known> {
        let fingerprint = envelope::fingerprint(bytes).ok()?;
        Some(Known { fingerprint, times: envelope::times(bytes).ok()? })
    }

    /// Tells whether the object at `path` holds that value and lives for long enough.
    pub(crate) async fn is_there(
        &self,
        driver: &dyn ObjectStore,
        path: &Path,
        known: &Known,
        now: SystemTime,
    ) -> bool {
        let Some(slot) = self.slot(path) else { return false };
        if slot.known.fingerprint != known.fingerprint
            || !lives_on(&slot.known.times, &known.times, now, self.fraction)
        {
            return false;
        }
        // Others may have removed or replaced it. An error is the put's to find.
        matches!(driver.head(path).await, Ok(meta) if meta.e_tag.as_ref() == Some(&slot.e_tag))
    }

    pub(crate) fn note(&self, path: &Path, known: Known, e_tag: Option<String>) {
        let slot = e_tag.map(|e_tag| Slot { path: path.clone(), known, e_tag });
        let mut slots = self.lock();
        if slots.is_empty() {
            slots.resize(REMEMBERED, None);
        }
        slots[index(path)] = slot;
    }

    pub(crate) fn forget(&self, path: &Path) {
        if let Some(slot) = self.lock().get_mut(index(path)).filter(|slot| is_of(slot.as_ref(), path)) {
            *slot = None;
        }
    }

    fn slot(&self, path: &Path) -> Option<Slot> {
        self.lock().get(index(path)).and_then(Option::as_ref).filter(|slot| slot.path == *path).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Slot>>> {
        // A slot is changed as a whole.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("fraction", &self.fraction).finish_non_exhaustive()
    }
}

fn is_of(slot: Option<&Slot>, path: &Path) -> bool {
    slot.is_some_and(|slot| slot.path == *path)
}

fn index(path: &Path) -> usize {
    // The remainder is below the number of slots, so it fits.
    usize::try_from(XxHash3_64::oneshot(path.as_ref().as_bytes()) % REMEMBERED as u64).unwrap_or(0)
}

/// Tells whether none of the stored times is later than the new one, all have enough of it left, and what comes after
/// the fresh life is as long.
fn lives_on(stored: &envelope::Times, new: &envelope::Times, now: SystemTime, fraction: f64) -> bool {
    if windows(stored) != windows(new) {
        return false;
    }
    let ends =
        |times: &envelope::Times| [times.settled_until, times.fresh_until, times.stale_until, times.dead_at];
    ends(stored).into_iter().zip(ends(new)).all(|(stored, new)| match (stored, new) {
        (None, None) => true,
        (Some(stored), Some(new)) => {
            let left = |end: SystemTime| end.duration_since(now).unwrap_or_default().as_secs_f64();
            stored <= new && left(stored) >= (1.0 - fraction) * left(new)
        }
        _ => false,
    })
}

/// For how long it is stale, and kept after that.
fn windows(times: &envelope::Times) -> Option<[Duration; 2]> {
    let span = |from: SystemTime, to: SystemTime| to.duration_since(from).unwrap_or_default();
    let stale_until = times.stale_until?;
    Some([span(times.fresh_until?, stale_until), span(stale_until, times.dead_at?)])
}
