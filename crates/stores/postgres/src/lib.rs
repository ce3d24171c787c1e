//! PostgreSQL as a store of larder.
mod calls;
mod clear;
mod connect;
mod deadline;
mod failure;
mod finish;
mod many;
mod name;
mod options;
mod place;
mod postgres;
mod purge;
mod row;
mod statements;
mod table;
mod turns;

pub use deadpool_postgres::Pool;
pub use options::PostgresOptions;
pub use postgres::Postgres;
pub use purge::Purged;
pub use tokio_postgres::Config;
