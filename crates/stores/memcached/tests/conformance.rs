//! The suite that every store passes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_memcached::Memcached;
use larder_testkit::{Together, servers};
use std::time::Duration;

mod one_server {
    larder_testkit::conformance!(bytes, || super::with_servers(1));
}

mod three_servers {
    larder_testkit::conformance!(bytes, || super::with_servers(3));
}

mod json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || {
        crate::with_servers(1)
    });
}

mod message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || MessagePack, || Memory::<str, bytes::Bytes>::new(2_000), || {
        crate::with_servers(1)
    });
}

/// A store and its servers, which go with it: the suite asks for an empty store, and memcached has one space of keys.
async fn with_servers(count: usize) -> Together<Memcached, Vec<servers::Memcached>> {
    let servers: Vec<_> = (0..count).map(|_| servers::Memcached::start()).collect();
    let addresses: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port())).collect();
    let options = Memcached::options().max_connections(4).response_timeout(Duration::from_secs(30));
    let store = options.connect(&format!("memcached://{}", addresses.join(","))).await.unwrap();
    Together::new(store, servers)
}
