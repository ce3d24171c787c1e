//! Many keys in one statement.

use crate::Postgres;
use crate::calls::Twice;
use crate::name::Name;
use crate::row::{self, Raw};
use bytes::Bytes;
use larder_core::{Put, Result};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// A statement takes this many bytes of values, and one value more. The server allows 1 GiB and needs a multiple of it.
const BYTES: usize = 32 << 20;

impl Postgres {
    pub(crate) async fn read_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        if keys.is_empty() {
            return Vec::new();
        }
        let (namespaces, hashes) = columns(keys.iter().map(|key| Name::of(key)));
        let values = row::values![namespaces, hashes, row::now()];
        let rows = match self.calls.run(|sql| &sql.get_many, values, Twice::Fine).await {
            Ok(rows) => rows,
            Err(error) => return keys.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut found: Vec<_> = keys.iter().map(|_| Ok(None)).collect();
        for row in rows {
            let place = row::column::<i64>(&row, 0).ok().and_then(|place| usize::try_from(place - 1).ok());
            if let Some(found) = place.and_then(|place| found.get_mut(place)) {
                *found = self.value(&row, 1);
            }
        }
        found
    }

    pub(crate) async fn write_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        // A statement cannot write a row twice. In the order of the names, so that two of these cannot wait for each other.
        let mut last: BTreeMap<Name, usize> = BTreeMap::new();
        let mut places = Vec::with_capacity(puts.len());
        for (place, put) in puts.iter().enumerate() {
            let name = Name::of(put.key);
            places.push(name.clone());
            last.insert(name, place);
        }
        let mut refused = BTreeMap::new();
        let mut batch = Batch::default();
        let mut outcomes: BTreeMap<Name, Result<()>> = BTreeMap::new();
        for (name, place) in last {
            let put = &puts[place];
            if let Err(too_large) = self.check_size(put.bytes.len() as u64) {
                refused.insert(name, (place, too_large));
                continue;
            }
            batch.push(name, put);
            if batch.bytes > BYTES {
                self.write_batch(std::mem::take(&mut batch), &mut outcomes).await;
            }
        }
        self.write_batch(batch, &mut outcomes).await;
        for (name, (place, too_large)) in refused {
            let error = self.refuse(puts[place].key, too_large).await;
            outcomes.insert(name, Err(error));
        }
        places.iter().map(|name| outcomes.get(name).cloned().unwrap_or(Ok(()))).collect()
    }

    async fn write_batch(&self, batch: Batch, outcomes: &mut BTreeMap<Name, Result<()>>) {
        if batch.names.is_empty() {
            return;
        }
        let (namespaces, hashes) = columns(batch.names.iter().cloned());
        let values = row::values![namespaces, hashes, batch.values, batch.deadlines];
        if let Err(error) = self.calls.write(&batch.names, |sql| &sql.put_many, values, Twice::Fine).await {
            outcomes.extend(batch.names.into_iter().map(|name| (name, Err(error.clone()))));
        }
    }

    pub(crate) async fn delete_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        if keys.is_empty() {
            return Vec::new();
        }
        let mut names: Vec<Name> = keys.iter().map(|key| Name::of(key)).collect();
        names.sort_unstable();
        names.dedup();
        let (namespaces, hashes) = columns(names.iter().cloned());
        let values = row::values![namespaces, hashes];
        let removed = self.calls.write(&names, |sql| &sql.remove_many, values, Twice::Fine).await;
        keys.iter().map(|_| removed.as_ref().map(drop).map_err(Clone::clone)).collect()
    }
}

/// The columns of some puts.
#[derive(Default)]
struct Batch {
    names: Vec<Name>,
    values: Vec<Raw>,
    deadlines: Vec<Option<SystemTime>>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, name: Name, put: &Put<'_>) {
        self.bytes += put.bytes.len();
        self.names.push(name);
        self.values.push(Raw(put.bytes.clone()));
        self.deadlines.push(put.expires_at.map(row::timestamp));
    }
}

pub(crate) fn columns(names: impl Iterator<Item = Name>) -> (Vec<String>, Vec<Raw>) {
    names.map(|name| (name.namespace, Raw::from(name.key))).unzip()
}
