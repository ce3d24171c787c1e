//! The suite that every store passes.

use larder_postgres::Postgres;
use larder_testkit::servers;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A store with a table of its own.
async fn make() -> Postgres {
    static DATABASE: OnceLock<String> = OnceLock::new();
    static TABLES: AtomicUsize = AtomicUsize::new(0);
    let database = DATABASE.get_or_init(|| servers::Postgres::shared().database());
    let table = format!("test {}", TABLES.fetch_add(1, Relaxed));
    // On a busy machine 10 MiB may take their time.
    let options = Postgres::options().table(table).response_timeout(std::time::Duration::from_secs(30));
    options.max_connections(4).connect(database).await.unwrap_or_else(|error| panic!("{error:?}"))
}

mod logged {
    larder_testkit::conformance!(bytes, super::make);
}

mod json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), crate::make);
}

mod message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, bytes::Bytes>::new(2_000),
        crate::make
    );
}
