//! Ending the generation of one namespace.

use crate::Memcached;
use crate::command::Mode;
use bytes::Bytes;
use larder_core::{Cleared, Result};
use std::sync::Arc;

impl Memcached {
    /// Begins another on every server, one after the other, also where one of them fails.
    pub(crate) async fn clear_namespace(&self, generation: Bytes) -> Result<Cleared> {
        self.pass_writes().await?;
        let mut first_failure = Ok(Cleared::Done);
        for server in self.servers() {
            let (server, generation) = (Arc::clone(server), generation.clone());
            let begun = self.run(async move { server.begin(&generation, Mode::Always).await }).await;
            if let (Err(error), Ok(_)) = (begun, &first_failure) {
                first_failure = Err(error);
            }
        }
        first_failure
    }
}
