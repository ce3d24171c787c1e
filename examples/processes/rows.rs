//! The database: rows whose values are the numbers of their changes. Kept by the process that judges, asked over loopback.

use crate::Result;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, oneshot};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The number of the row's last change.
    Load,
    /// To change the row.
    Change,
}

/// What a node wishes, and where the answer is to go.
pub(crate) struct Request {
    pub(crate) wish: Wish,
    pub(crate) node: u32,
    pub(crate) row: u32,
    pub(crate) answer: oneshot::Sender<u64>,
}

/// Takes connections of nodes. Returns the address, and what they wish.
pub(crate) async fn serve() -> Result<(String, mpsc::Receiver<Request>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (requests, received) = mpsc::channel(1_024);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(hear(connection, requests.clone()));
        }
    });
    Ok((address, received))
}

/// Hands on what comes through one connection, until that ends.
async fn hear(mut connection: TcpStream, requests: mpsc::Sender<Request>) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    loop {
        let wish = if connection.read_u8().await? == 0 { Wish::Load } else { Wish::Change };
        let (node, row) = (connection.read_u32().await?, connection.read_u32().await?);
        let (answer, answered) = oneshot::channel();
        if requests.send(Request { wish, node, row, answer }).await.is_err() {
            return Ok(());
        }
        let Ok(number) = answered.await else { return Ok(()) };
        connection.write_u64(number).await?;
    }
}

/// A node's connections to the rows.
pub(crate) struct Rows {
    node: u32,
    connections: Vec<Mutex<TcpStream>>,
    next: AtomicUsize,
}

impl Rows {
    pub(crate) async fn connect(address: &str, node: u32) -> Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..8 {
            let connection = TcpStream::connect(address).await?;
            connection.set_nodelay(true)?;
            connections.push(Mutex::new(connection));
        }
        Ok(Rows { node, connections, next: AtomicUsize::new(0) })
    }

    pub(crate) async fn ask(&self, wish: Wish, row: u32) -> std::io::Result<u64> {
        let number = self.next.fetch_add(1, Relaxed) % self.connections.len();
        let mut connection = self.connections[number].lock().await;
        let mut request = vec![u8::from(wish == Wish::Change)];
        request.extend(self.node.to_be_bytes());
        request.extend(row.to_be_bytes());
        connection.write_all(&request).await?;
        connection.read_u64().await
    }
}
