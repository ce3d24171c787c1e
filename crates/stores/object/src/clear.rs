//! Removing the objects of one namespace.
//!
//! The objects are listed and removed at the same time: the listing is a stream, and the driver takes from it
//! as many as it removes at once (ten files, or a thousand objects in a request to S3).

use crate::failure::failed;
use crate::{Object, name};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, future};
use larder_core::{Cleared, Error, Result};
use object_store::path::Path;
use object_store::{Error as DriverError, ObjectStore};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

impl Object {
    /// Removes what is an object by its name, also one that is damaged. An error does not end the work.
    pub(crate) async fn clear_namespace(&self, namespace: &str) -> Result<Cleared> {
        let failure = FirstFailure::default();
        let noted = failure.clone();
        let listed = self
            .driver
            .list(Some(&Path::from(name::folder(namespace))))
            .map_ok(|meta| meta.location)
            .try_filter(|path| future::ready(name::is_object(path)))
            .filter_map(move |listed| future::ready(noted.unless_failed(listed)));
        remove_all(&*self.driver, listed.boxed(), &failure, |path| self.forget(path)).await;
        if let Some(disk) = &self.disk {
            disk.cleared(&name::folder(namespace));
        }
        failure.into_result().map(|()| Cleared::Done)
    }
}

/// Removes what the stream names, tells of each that there was, and returns how many.
pub(crate) async fn remove_all(
    driver: &dyn ObjectStore,
    paths: BoxStream<'static, Path>,
    failure: &FirstFailure,
    on_removed: impl Fn(&Path),
) -> u64 {
    let mut removed = 0;
    let mut outcomes = driver.delete_stream(paths.map(Ok).boxed());
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Err(DriverError::NotFound { .. }) => {}
            outcome => {
                if let Some(path) = failure.unless_failed(outcome) {
                    on_removed(&path);
                    removed += 1;
                }
            }
        }
    }
    removed
}

/// The first of the errors that did not end the work. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct FirstFailure(
    /// Held only to put the error in or to take it out. Reads that run side by side may fail together.
    Arc<Mutex<Option<Error>>>,
);

impl FirstFailure {
    /// Takes note of an error.
    pub(crate) fn unless_failed<T>(&self, result: object_store::Result<T>) -> Option<T> {
        result.map_err(|error| self.lock().get_or_insert_with(|| failed(error)).kind()).ok()
    }

    /// Returns the error. To be called when the work is done.
    pub(crate) fn into_result(self) -> Result<()> {
        self.lock().take().map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Error>> {
        // What panicked elsewhere has not left the error by half.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
