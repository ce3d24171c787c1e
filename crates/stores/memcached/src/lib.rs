//! memcached as a store of larder.
