//! What processes share, on each kind of server: the suites for logs, buses and locks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use larder_redis::RedisOptions;
use larder_testkit::servers::{self, RedisCluster, RedisSentinel};
use larder_testkit::{MockClock, Together};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use support::{cluster_url, patient, sentinel_url};

/// Options with names that no other test in the same server has.
fn apart() -> RedisOptions {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
    patient().log(&name).channel(&name)
}

/// Starting these takes long, so all tests share them.
fn cluster() -> String {
    cluster_url(RedisCluster::shared())
}

fn sentinel() -> String {
    static SHARED: OnceLock<RedisSentinel> = OnceLock::new();
    sentinel_url(SHARED.get_or_init(RedisSentinel::start))
}

fn standalone_url() -> String {
    servers::Redis::shared().url().to_owned()
}

macro_rules! on_each {
    ($url:expr) => {
        mod log {
            larder_testkit::conformance!(log, || async {
                let (options, url) = (crate::apart(), $url());
                (options.clone().connect(&url).await.unwrap(), options.connect(&url).await.unwrap())
            });
        }
        mod bus {
            larder_testkit::conformance!(bus, || async {
                let (options, url) = (crate::apart(), $url());
                let one = options.clone().connect(&url).await.unwrap();
                (one.bus(), options.connect(&url).await.unwrap().bus())
            });
        }
        mod lock {
            use super::super::MockClock;

            larder_testkit::conformance!(lock, |_: MockClock| async {
                let (options, url) = (crate::apart(), $url());
                let one = options.clone().connect(&url).await.unwrap();
                (one.lock(), options.connect(&url).await.unwrap().lock())
            });
        }
    };
}

mod cluster_of_three {
    on_each!(crate::cluster);
}

mod sentinels {
    on_each!(crate::sentinel);
}

mod standalone {
    on_each!(crate::standalone_url);
}

/// Also where copies of what was read are kept.
mod tracked {
    use super::{Together, apart, servers};

    larder_testkit::conformance!(log, || async {
        let server = servers::Redis::start();
        let options = apart().tracked(64 << 20);
        let one = options.clone().connect(server.url()).await.unwrap();
        (one, Together::new(options.connect(server.url()).await.unwrap(), server))
    });
}
