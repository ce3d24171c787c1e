//! The server that all nodes share.

use crate::Result;
use crate::options::Place;
use larder::{BoxedBytes, Bus, Lock, Postgres, Redis};
use larder_testkit::servers;
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Redis,
    Postgres,
}

impl Kind {
    pub(crate) fn of(name: &str) -> std::result::Result<Self, String> {
        match name {
            "redis" => Ok(Kind::Redis),
            "postgres" => Ok(Kind::Postgres),
            _ => Err("expected redis or postgres".to_owned()),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Redis => "redis",
            Kind::Postgres => "postgres",
        }
    }
}

pub(crate) enum Server {
    Redis(servers::Redis),
    Postgres(servers::Postgres),
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        match kind {
            Kind::Redis => Server::Redis(servers::Redis::start()),
            Kind::Postgres => Server::Postgres(servers::Postgres::start()),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Server::Redis(server) => server.url().to_owned(),
            Server::Postgres(server) => server.url().to_owned(),
        }
    }

    pub(crate) fn process(&self) -> &servers::Process {
        match self {
            Server::Redis(server) => server,
            Server::Postgres(server) => server,
        }
    }
}

/// A node's connection.
pub(crate) struct Connection {
    pub(crate) store: BoxedBytes,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) lock: Arc<dyn Lock>,
}

impl Connection {
    pub(crate) async fn open(place: &Place) -> Result<Self> {
        Ok(match place.server {
            Kind::Redis => {
                let redis = Redis::connect(&place.url).await?;
                let (bus, lock) = (Arc::new(redis.bus()), Arc::new(redis.lock()));
                Connection { store: BoxedBytes::new(redis), bus, lock }
            }
            Kind::Postgres => {
                let postgres = Postgres::connect(&place.url).await?;
                let (bus, lock) = (Arc::new(postgres.bus()?), Arc::new(postgres.lock()));
                Connection { store: BoxedBytes::new(postgres), bus, lock }
            }
        })
    }
}
