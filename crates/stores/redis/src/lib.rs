//! Redis, Valkey and Redis Cluster as a store of larder.
