//! The suite that every store passes, on both backends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Cleared, Put, PutIf, Record, Result, Time, Token, Usage};
use larder_object::Object;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

mod in_memory {
    use super::Object;

    larder_testkit::conformance!(bytes, || async { Object::in_memory() });
}

mod local {
    use super::InFolder;

    larder_testkit::conformance!(bytes, || async { InFolder::new(|folder| folder) });
}

mod in_memory_json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || async {
        larder_object::Object::in_memory()
    });
}

mod in_memory_message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, bytes::Bytes>::new(2_000),
        || async { larder_object::Object::in_memory() }
    );
}

mod local_json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || async {
        crate::InFolder::new(|folder| folder)
    });
}

mod local_message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, bytes::Bytes>::new(2_000),
        || async { crate::InFolder::new(|folder| folder) }
    );
}

/// With all that can be said of a folder.
mod local_with_options {
    use super::InFolder;

    larder_testkit::conformance!(bytes, || async {
        InFolder::new(|folder| {
            let bounded = folder.max_bytes_on_disk(64 << 20).unwrap().rewrite_after(0.5).unwrap();
            bounded.head_first(100).concurrency(3).timeout(std::time::Duration::from_secs(60))
        })
    });
}

mod given_with_tokens {
    use super::Object;
    use object_store::memory::InMemory;
    use std::sync::Arc;

    larder_testkit::conformance!(bytes, || async {
        Object::from_store(Arc::new(InMemory::new())).compare_and_set(true).head_first(100)
    });
}

/// A store and the folder that it is in, which goes with it.
struct InFolder(Object, #[expect(dead_code, reason = "held until the test ends")] TempDir);

impl InFolder {
    fn new(options: impl FnOnce(Object) -> Object) -> Self {
        let folder = tempfile::tempdir().unwrap();
        InFolder(options(Object::local(folder.path()).unwrap()), folder)
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for InFolder {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(key).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.0.put(key, bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.remove(key).await
    }
    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        self.0.get_many(keys).await
    }
    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        self.0.put_many(puts).await
    }
    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        self.0.remove_many(keys).await
    }
    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        self.0.get_with_token(key, guard_for).await
    }
    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        self.0.guard(key, guard_for).await
    }
    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        self.0.put_if(key, token, bytes, expires_at).await
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.clear(prefix).await
    }
    fn sweep(&self, now: Time) {
        self.0.sweep(now);
    }
    fn usage(&self) -> Option<Usage> {
        self.0.usage()
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn name(&self) -> &'static str {
        self.0.name()
    }
}
