//! What the tests of this store share.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test program uses a part of it")]

use bytes::Bytes;
use larder_core::{
    ByteStore, Capabilities, Cleared, Put, PutIf, Record, Result, SharedLog, Time, Token, Usage,
};
use larder_redis::{Redis, RedisOptions};
use larder_testkit::servers::{RedisCluster, RedisSentinel};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

/// Options of a store that waits long for answers: the machine may be busy.
pub(crate) fn patient() -> RedisOptions {
    let patient = Duration::from_secs(20);
    Redis::options().response_timeout(patient).connect_timeout(patient)
}

pub(crate) async fn redis(url: &str) -> Redis {
    patient().connect(url).await.unwrap()
}

/// A store with keys that no other test in the same server has.
pub(crate) struct Apart(Redis, String);

impl Apart {
    pub(crate) fn new(store: Redis) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Apart(store, format!("{}-{}-", std::process::id(), NEXT.fetch_add(1, Relaxed)))
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.1)
    }
}

#[deny(clippy::missing_trait_methods)]
impl ByteStore for Apart {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.0.get(&self.key(key)).await
    }
    async fn put(&self, key: &str, bytes: Bytes, expires_at: Option<SystemTime>) -> Result<()> {
        self.0.put(&self.key(key), bytes, expires_at).await
    }
    async fn remove(&self, key: &str) -> Result<()> {
        self.0.remove(&self.key(key)).await
    }
    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>>> {
        let keys: Vec<_> = keys.iter().map(|key| self.key(key)).collect();
        self.0.get_many(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await
    }
    async fn put_many(&self, puts: &[Put<'_>]) -> Vec<Result<()>> {
        let keys: Vec<_> = puts.iter().map(|put| self.key(put.key)).collect();
        let puts: Vec<_> = puts.iter().zip(&keys).map(|(put, key)| Put { key, ..put.clone() }).collect();
        self.0.put_many(&puts).await
    }
    async fn remove_many(&self, keys: &[&str]) -> Vec<Result<()>> {
        let keys: Vec<_> = keys.iter().map(|key| self.key(key)).collect();
        self.0.remove_many(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await
    }
    async fn get_with_token(&self, key: &str, guard_for: Duration) -> Result<Record> {
        self.0.get_with_token(&self.key(key), guard_for).await
    }
    async fn guard(&self, key: &str, guard_for: Duration) -> Result<Option<Token>> {
        self.0.guard(&self.key(key), guard_for).await
    }
    async fn put_if(
        &self,
        key: &str,
        token: &Token,
        bytes: Bytes,
        expires_at: Option<SystemTime>,
    ) -> Result<PutIf> {
        self.0.put_if(&self.key(key), token, bytes, expires_at).await
    }
    fn log(&self) -> Option<Arc<dyn SharedLog>> {
        // Its keys are others.
        None
    }
    async fn clear(&self, prefix: &str) -> Result<Cleared> {
        self.0.clear(&self.key(prefix)).await
    }
    fn sweep(&self, now: Time) {
        self.0.sweep(now);
    }
    fn usage(&self) -> Option<Usage> {
        self.0.usage()
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn name(&self) -> &'static str {
        self.0.name()
    }
}

pub(crate) fn cluster_url(cluster: &RedisCluster) -> String {
    let nodes: Vec<_> = cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    format!("redis+cluster://{}", nodes.join(","))
}

pub(crate) fn sentinel_url(servers: &RedisSentinel) -> String {
    format!("redis+sentinel://127.0.0.1:{}/{}", servers.sentinel().port(), RedisSentinel::NAME)
}

/// Sends a command to a server on this machine, as another program would, and returns the first line of its answer.
pub(crate) async fn command(port: u16, words: &[&str]) -> String {
    let words_on_wire = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let wire = format!("*{}\r\n{}", words.len(), words_on_wire.collect::<String>());
    let mut stream =
        tokio::io::BufReader::new(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    tokio::io::AsyncWriteExt::write_all(&mut stream, wire.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut answer).await.unwrap();
    assert!(!answer.starts_with('-'), "{words:?}: {answer}");
    answer
}

/// Sends a command whose answer is one text, and returns that; nothing is an empty one.
pub(crate) async fn bulk(port: u16, words: &[&str]) -> String {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let line = format!("{}\r\n", words.join(" "));
    tokio::io::AsyncWriteExt::write_all(&mut stream, line.as_bytes()).await.unwrap();
    let mut stream = tokio::io::BufReader::new(stream);
    let mut length = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut length).await.unwrap();
    let length: i64 = length.trim().trim_start_matches('$').parse().unwrap();
    let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}
