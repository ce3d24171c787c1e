//! The suite that every store passes, on each kind of server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_redis::Redis;
use larder_testkit::{Together, servers};
use support::{patient, redis};

async fn standalone() -> Together<Redis, servers::Redis> {
    let server = servers::Redis::start();
    let store = redis(server.url()).await;
    Together::new(store, server)
}

mod standalone {
    larder_testkit::conformance!(bytes, super::standalone);
}

mod standalone_json {
    use bytes::Bytes;
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, Bytes>::new(2_000), crate::standalone);
}

mod standalone_message_pack {
    use bytes::Bytes;
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, Bytes>::new(2_000),
        crate::standalone
    );
}

mod cluster {
    larder_testkit::conformance!(bytes, super::cluster);
}

mod cluster_json {
    use bytes::Bytes;
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, Bytes>::new(2_000), crate::cluster);
}

mod cluster_message_pack {
    use bytes::Bytes;
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || MessagePack, || Memory::<str, Bytes>::new(2_000), crate::cluster);
}

mod tracked {
    use super::{Together, patient, servers};

    larder_testkit::conformance!(bytes, || async {
        let server = servers::Redis::start();
        let store = patient().tracked(64 << 20).connect(server.url()).await.unwrap();
        Together::new(store, server)
    });
}

/// Starting a cluster takes seconds, so all tests share one, each with a part of it to itself.
async fn cluster() -> support::Apart {
    support::Apart::new(redis(&support::cluster_url(servers::RedisCluster::shared())).await)
}
