//! The suite that every store passes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use larder_core::{ByteStore, Capabilities, Cleared, Put, PutIf, Record, Result, Time, Token, Usage};
use larder_memcached::Memcached;
use larder_testkit::servers;
use std::time::{Duration, SystemTime};

mod one_server {
    larder_testkit::conformance!(bytes, || super::WithServers::start(1));
}

mod three_servers {
    larder_testkit::conformance!(bytes, || super::WithServers::start(3));
}

mod json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || {
        crate::WithServers::start(1)
    });
}

mod message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || MessagePack, || Memory::<str, bytes::Bytes>::new(2_000), || {
        crate::WithServers::start(1)
    });
}

/// A store and its servers, which go with it: the suite asks for an empty store, and memcached has one space of keys.
struct WithServers(
    Memcached,
    #[expect(dead_code, reason = "held until the test ends")] Vec<servers::Memcached>,
);

impl WithServers {
    async fn start(count: usize) -> Self {
        let servers: Vec<_> = (0..count).map(|_| servers::Memcached::start()).collect();
        let addresses: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port())).collect();
        let options = Memcached::options().max_connections(4).response_timeout(Duration::from_secs(30));
        let store = options.connect(&format!("memcached://{}", addresses.join(","))).await.unwrap();
        WithServers(store, servers)
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for WithServers {
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
