//! PostgreSQL as a store of larder.
