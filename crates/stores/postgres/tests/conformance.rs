//! The suite that every store passes.

use larder_postgres::{Postgres, PostgresOptions};
use larder_testkit::servers;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A store with a table of its own.
async fn make() -> Postgres {
    connect(options()).await
}

/// Two processes with one table and one channel of their own.
async fn make_two() -> (Postgres, Postgres) {
    let options = options();
    (connect(options.clone()).await, connect(options).await)
}

fn options() -> PostgresOptions {
    static TABLES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("test {}", TABLES.fetch_add(1, Relaxed));
    // On a busy machine 10 MiB may take their time.
    let patient = Postgres::options().response_timeout(std::time::Duration::from_secs(30));
    patient.table(&name).channel(name).max_connections(4)
}

async fn connect(options: PostgresOptions) -> Postgres {
    static DATABASE: OnceLock<String> = OnceLock::new();
    let database = DATABASE.get_or_init(|| servers::Postgres::shared().database());
    options.connect(database).await.unwrap_or_else(|error| panic!("{error:?}"))
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

mod log {
    larder_testkit::conformance!(log, super::make_two);
}

mod bus {
    larder_testkit::conformance!(bus, || async {
        let (one, other) = super::make_two().await;
        let bus = |store: larder_postgres::Postgres| store.bus().expect("no pool was given");
        (bus(one), bus(other))
    });
}

/// It goes by the clock of the server.
mod lock {
    larder_testkit::conformance!(lock, |_| async {
        let (one, other) = super::make_two().await;
        (one.lock(), other.lock())
    });
}
