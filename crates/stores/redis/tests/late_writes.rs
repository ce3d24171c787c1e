//! What was given up must not be carried out behind what came later.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_core::ByteStore;
use larder_redis::Redis;
use larder_testkit::servers;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

/// A network that is slow for one connection: what the first says is kept back from when it is told to, also when that
/// client has gone, and is brought when the test wants it. All other connections are relayed.
struct Slow {
    address: SocketAddr,
    keeps: Arc<AtomicBool>,
    /// So many of the next connections are closed at once.
    closes: Arc<AtomicUsize>,
    kept: UnboundedReceiver<Vec<u8>>,
    /// Ends with the server's side of the first connection.
    first: JoinHandle<tokio::net::tcp::OwnedWriteHalf>,
}

impl Slow {
    async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let keeps = Arc::new(AtomicBool::new(false));
        let (keep, kept) = unbounded_channel();
        let is_kept = Arc::clone(&keeps);
        let closes = Arc::new(AtomicUsize::new(0));
        let closing = Arc::clone(&closes);
        let first = tokio::spawn(async move {
            let client = listener.accept().await.unwrap().0;
            tokio::spawn(async move {
                loop {
                    let mut client = listener.accept().await.unwrap().0;
                    if closing.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                        continue;
                    }
                    tokio::spawn(async move {
                        let mut server = TcpStream::connect(server).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    });
                }
            });
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(server).await.unwrap().into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            let mut bytes = vec![0; 10_000];
            while let Ok(read @ 1..) = from_client.read(&mut bytes).await {
                if is_kept.load(SeqCst) {
                    keep.send(bytes[..read].to_vec()).unwrap();
                } else {
                    to_server.write_all(&bytes[..read]).await.unwrap();
                }
            }
            to_server
        });
        Slow { address, keeps, closes, kept, first }
    }

    /// Brings what was kept.
    async fn bring(mut self) {
        let mut to_server = self.first.await.unwrap();
        let mut brought = Vec::new();
        while let Some(bytes) = self.kept.recv().await {
            brought.extend(bytes);
        }
        assert!(brought.windows(4).any(|bytes| bytes == b"late"), "the put was kept");
        // Fails where the server has closed this connection.
        let _ = to_server.write_all(&brought).await;
        let _ = to_server.shutdown().await;
    }
}

#[tokio::test]
async fn a_put_that_was_given_up_does_not_come_back_behind_a_removal_that_returned() {
    let server = servers::Redis::start();
    let slow = Slow::before(SocketAddr::from(([127, 0, 0, 1], server.port()))).await;
    let url = format!("redis://{}", slow.address);
    let store = Redis::options().response_timeout(Duration::from_millis(200)).connect(&url).await.unwrap();
    store.put("users:ada", "early".into(), None).await.unwrap();

    slow.keeps.store(true, SeqCst);
    store.put("users:ada", "late".into(), None).await.unwrap_err();
    // Nor if the first attempt at another connection fails.
    slow.closes.store(1, SeqCst);
    store.get("users:ada").await.unwrap_err();
    store.remove("users:ada").await.unwrap();
    slow.bring().await;

    // The server has carried out what came before: its connections take turns.
    for _ in 0..100 {
        assert_eq!(store.get("users:ada").await.unwrap(), None, "it came back");
    }
}
