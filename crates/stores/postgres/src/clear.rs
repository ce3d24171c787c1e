//! Removing the rows of one namespace.

use crate::Postgres;
use crate::calls::Twice;
use crate::row::{self, Raw};
use crate::statements::BATCH;
use bytes::Bytes;
use larder_core::{Cleared, Result};

impl Postgres {
    /// Removes a batch at a time, in the order of the keys, so that no statement lasts long.
    pub(crate) async fn clear_namespace(&self, namespace: &str) -> Result<Cleared> {
        self.calls.pass_writes().await?;
        let mut last = Raw(Bytes::new());
        loop {
            let values = row::values![namespace.to_owned(), last.clone()];
            let rows = self.calls.run(|sql| &sql.clear, values, Twice::Fine).await?;
            match rows.last() {
                Some(row) if i64::try_from(rows.len()) == Ok(BATCH) => {
                    last = Raw(Bytes::copy_from_slice(row::column(row, 0)?));
                }
                _ => return Ok(Cleared::Done),
            }
        }
    }
}
