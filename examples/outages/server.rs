//! The server that is killed.

use larder::{BoxedBytes, Memcached, Postgres, Redis, Result};
use larder_testkit::servers;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Redis,
    Postgres,
    Memcached,
}

impl Kind {
    pub(crate) fn of(name: &str) -> std::result::Result<Self, String> {
        match name {
            "redis" => Ok(Kind::Redis),
            "postgres" => Ok(Kind::Postgres),
            "memcached" => Ok(Kind::Memcached),
            _ => Err("expected redis, postgres or memcached".to_owned()),
        }
    }
}

pub(crate) enum Server {
    Redis(servers::Redis),
    Postgres(servers::Postgres),
    Memcached(servers::Memcached),
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        match kind {
            Kind::Redis => Server::Redis(servers::Redis::start()),
            Kind::Postgres => Server::Postgres(servers::Postgres::start()),
            Kind::Memcached => Server::Memcached(servers::Memcached::start()),
        }
    }

    pub(crate) async fn connect(&self) -> Result<BoxedBytes> {
        Ok(match self {
            Server::Redis(server) => BoxedBytes::new(Redis::connect(server.url()).await?),
            Server::Postgres(server) => BoxedBytes::new(Postgres::connect(server.url()).await?),
            Server::Memcached(server) => BoxedBytes::new(Memcached::connect(server.url()).await?),
        })
    }

    pub(crate) fn kill(&self) {
        self.process().kill();
    }

    pub(crate) fn restart(&self) {
        self.process().restart();
    }

    fn process(&self) -> &servers::Process {
        match self {
            Server::Redis(server) => server,
            Server::Postgres(server) => server,
            Server::Memcached(server) => server,
        }
    }
}
