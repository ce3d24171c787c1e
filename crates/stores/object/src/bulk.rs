//! Many keys in one call: a bounded number at a time, each distinct key once, an answer for each.

use crate::failure::failed;
use crate::{Object, name};
use futures::stream;
use futures::stream::{FuturesUnordered, StreamExt};
use larder_core::{ByteStore, Put, Result};
use object_store::path::Path;
use object_store::{Error as DriverError, ObjectStore};
use std::collections::{HashMap, HashSet};
use std::future::Future;

/// Keys of a removal that have one time-out together; what one request to S3 takes.
const REMOVED_TOGETHER: usize = 1_000;

impl Object {
    pub(crate) async fn read_many(&self, keys: &[&str]) -> Vec<Result<Option<bytes::Bytes>>> {
        let (distinct, places) = distinct(keys.iter().copied());
        let found = at_most(self.concurrency, distinct.iter().map(|index| self.get(keys[*index]))).await;
        places.into_iter().map(|place| found[place].clone()).collect()
    }

    pub(crate) async fn write_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        let (distinct, places) = distinct(puts.iter().map(|put| put.key));
        let put = |index: &usize| self.put(puts[*index].key, puts[*index].bytes.clone(), None);
        let done = at_most(self.concurrency, distinct.iter().map(put)).await;
        places.into_iter().map(|place| done[place].clone()).collect()
    }

    pub(crate) async fn delete_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        let (distinct, places) = distinct(keys.iter().copied());
        let mut done = Vec::with_capacity(distinct.len());
        for some in distinct.chunks(REMOVED_TOGETHER) {
            let paths: Vec<Path> = some.iter().map(|index| name::path(keys[*index])).collect();
            match self.in_time(async { Ok(self.delete_paths(&paths).await) }).await {
                Ok(outcomes) => done.extend(outcomes),
                Err(late) => done.extend(paths.iter().map(|_| Err(late.clone()))),
            }
        }
        places.into_iter().map(|place| done[place].clone()).collect()
    }

    async fn delete_paths(&self, paths: &[Path]) -> Vec<Result<()>> {
        let stream = stream::iter(paths.to_vec()).map(Ok).boxed();
        let outcomes: Vec<_> = self.driver.delete_stream(stream).collect().await;
        for path in paths {
            self.forget(path);
        }
        let outcome = |outcome| match outcome {
            Ok(_) | Err(DriverError::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        };
        if outcomes.len() == paths.len() {
            return outcomes.into_iter().map(outcome).collect();
        }
        // A request for many that failed as a whole is one error for all whose removal was not confirmed.
        let confirmed: HashSet<Path> = outcomes.iter().flatten().cloned().collect();
        let failure = outcomes.into_iter().map(outcome).find_map(Result::err);
        let each = |path| match &failure {
            Some(failure) if !confirmed.contains(path) => Err(failure.clone()),
            _ => Ok(()),
        };
        paths.iter().map(each).collect()
    }
}

/// Returns, for each distinct key, the index of its last occurrence; and for each key, which of these is its own.
fn distinct<'a>(keys: impl Iterator<Item = &'a str>) -> (Vec<usize>, Vec<usize>) {
    let (mut seen, mut distinct, mut places) = (HashMap::new(), Vec::new(), Vec::new());
    for (index, key) in keys.enumerate() {
        let place = *seen.entry(key).or_insert(distinct.len());
        if place == distinct.len() {
            distinct.push(index);
        } else {
            distinct[place] = index;
        }
        places.push(place);
    }
    (distinct, places)
}

/// Awaits all of `work`, at most `most` at a time, and returns the outcomes in its order.
async fn at_most<T>(most: usize, work: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running = FuturesUnordered::new();
    let mut done: Vec<Option<T>> = Vec::new();
    for (index, work) in work.enumerate() {
        done.push(None);
        running.push(async move { (index, work.await) });
        if running.len() >= most
            && let Some((index, outcome)) = running.next().await
        {
            done[index] = Some(outcome);
        }
    }
    while let Some((index, outcome)) = running.next().await {
        done[index] = Some(outcome);
    }
    done.into_iter().map(|outcome| outcome.expect("each was awaited")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_named_twice_counts_where_it_is_named_last() {
        let (last, places) = distinct(["a", "b", "a", "c", "b", "a"].into_iter());
        assert_eq!(last, [5, 4, 3]);
        assert_eq!(places, [0, 1, 0, 2, 1, 0]);
        assert_eq!(distinct(std::iter::empty()), (vec![], vec![]));
    }
}
