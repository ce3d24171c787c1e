//! The thread of a proxy: it takes connections, and carries out orders between two of their steps.

use super::counts::Counts;
use super::faults::{Faults, Way};
use super::pump::{Broken, Pump};
use super::{Order, Ordered};
use socket2::SockRef;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Runs until nobody can give orders any more.
pub(super) async fn run(
    listener: std::net::TcpListener,
    target: SocketAddr,
    mut orders: UnboundedReceiver<Ordered>,
    counts: Arc<Counts>,
) {
    let address = listener.local_addr().expect("it is bound");
    let mut listener = Some(TcpListener::from_std(listener).expect("it does not block"));
    let faults = watch::Sender::new(Faults::default());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Orders first: who has given one has the next connection treated by it.
            biased;
            order = orders.recv() => {
                let Some((order, done)) = order else { return };
                let carried_out = match order {
                    Order::Change(change) => {
                        faults.send_modify(change);
                        listen_or_refuse(&mut listener, address, faults.borrow().refuse)
                    }
                    Order::Cut => {
                        faults.send_modify(|faults| faults.cuts += 1);
                        while connections.join_next().await.is_some() {}
                        Ok(())
                    }
                };
                // Who does not wait any more needs no answer.
                let _ = done.send(carried_out);
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            client = accept(listener.as_ref()) => {
                counts.connected();
                let (before, faults, counts) = (*faults.borrow(), faults.subscribe(), Arc::clone(&counts));
                connections.spawn(async move {
                    connection(client, target, before, faults, &counts).await;
                    counts.disconnected();
                });
            }
        }
    }
}

/// Returns a listener on a free port. It is one of those that the system gives to nobody else while connections are
/// refused.
pub(super) fn listen() -> std::net::TcpListener {
    loop {
        if let Ok(listener) = bind((Ipv4Addr::LOCALHOST, crate::servers::free_port()).into()) {
            return listener;
        }
    }
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The system refuses connections to a port on which nobody listens.
fn listen_or_refuse(
    listener: &mut Option<TcpListener>,
    address: SocketAddr,
    refuse: bool,
) -> Result<(), String> {
    if refuse {
        *listener = None;
    } else if listener.is_none() {
        let again = bind(address).and_then(TcpListener::from_std);
        *listener =
            Some(again.map_err(|error| format!("the proxy cannot listen on {address} again: {error}"))?);
    }
    Ok(())
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    loop {
        match listener {
            // One that was reset before it was taken is none.
            Some(listener) => {
                if let Ok((client, _)) = listener.accept().await {
                    return client;
                }
            }
            None => std::future::pending().await,
        }
    }
}

/// Brings what each side says to the other, until both have ended or one breaks. `before` is what was wrong when the
/// connection was taken.
async fn connection(
    mut client: TcpStream,
    target: SocketAddr,
    before: Faults,
    faults: watch::Receiver<Faults>,
    counts: &Counts,
) {
    let mut until_cut = faults.clone();
    // An error is the end of the proxy.
    let cut = async { until_cut.wait_for(|faults| faults.cuts != before.cuts).await.map_or((), drop) };
    tokio::pin!(cut);

    let server = tokio::select! {
        server = TcpStream::connect(target) => server.ok(),
        () = &mut cut => None,
    };
    let Some(mut server) = server else { return reset(&client) };
    // What is small is not to wait for more.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));

    let server_spoke = AtomicBool::new(true);
    let pump = |way| Pump::new(way, before, faults.clone(), counts, &server_spoke);
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let both = async {
        let to_server = pump(Way::ToServer).run(from_client, to_server);
        let to_client = pump(Way::ToClient).run(from_server, to_client);
        tokio::try_join!(to_server, to_client).map(drop)
    };
    let relayed = tokio::select! {
        relayed = both => relayed,
        () = &mut cut => Err(Broken),
    };
    if let Err(Broken) = relayed {
        reset(&client);
        reset(&server);
    }
}

/// Has the socket end with a reset when it is dropped, and what it has not sent forgotten.
fn reset(socket: &TcpStream) {
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}
