//! One direction of a connection.

use super::counts::Counts;
use super::faults::{After, Faults, Way};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// At most as many pieces are on their way. One that reads no more stops the sender, as a network does.
const PIECES: usize = 1_024;

/// The connection is to be reset, on both sides.
#[derive(Debug)]
pub(super) struct Broken;

/// What one side said, with when it came.
struct Piece {
    arrived: Instant,
    said: Said,
}

enum Said {
    Bytes(Vec<u8>),
    /// It says nothing more.
    End,
    /// It has reset the connection.
    Reset,
}

/// Brings what one side says to the other, as the faults of the moment allow.
pub(super) struct Pump<'a> {
    way: Way,
    faults: watch::Receiver<Faults>,
    counts: &'a Counts,
    /// Whether the server was the last to say something. Both directions share it.
    server_spoke: &'a AtomicBool,
    half_closes: u64,
    /// How many bytes have passed since the last order to cut after some.
    passed: After,
    /// The other side was told that this is the end, and gets nothing more.
    closed: bool,
    /// Something was swallowed, so that what comes later would make no sense.
    lost: bool,
}

impl<'a> Pump<'a> {
    pub(super) fn new(
        way: Way,
        before: Faults,
        faults: watch::Receiver<Faults>,
        counts: &'a Counts,
        server_spoke: &'a AtomicBool,
    ) -> Self {
        let (half_closes, passed) = (before.half_closes, After { bytes: 0, order: 0 });
        Pump { way, faults, counts, server_spoke, half_closes, passed, closed: false, lost: false }
    }

    /// Returns when one side has ended and the other knows.
    pub(super) async fn run(mut self, from: ReadHalf<'_>, to: WriteHalf<'_>) -> Result<(), Broken> {
        let (pieces, coming) = mpsc::channel(PIECES);
        let (way, counts, server_spoke) = (self.way, self.counts, self.server_spoke);
        let read = async {
            take_in(way, counts, server_spoke, from, pieces).await;
            Ok(())
        };
        tokio::try_join!(read, self.give_out(coming, to)).map(drop)
    }

    async fn give_out(
        &mut self,
        mut coming: mpsc::Receiver<Piece>,
        mut to: WriteHalf<'_>,
    ) -> Result<(), Broken> {
        loop {
            let piece = tokio::select! {
                // Faults first: what came before one may still be spoilt by it, but not the other way round.
                biased;
                changed = self.faults.changed() => {
                    changed.map_err(|_| Broken)?;
                    self.obey(&mut to).await?;
                    continue;
                }
                Some(piece) = coming.recv() => piece,
            };
            let faults = self.wait_for_its_time(piece.arrived, &mut to).await?;
            match piece.said {
                _ if faults.blackhole => self.lost = true,
                Said::Reset => return Err(Broken),
                Said::Bytes(_) if self.closed => {}
                Said::Bytes(bytes) => self.write(&bytes, faults, &mut to).await?,
                Said::End => {
                    // It may be closed already, or reset from there.
                    let _ = to.shutdown().await;
                    return Ok(());
                }
            }
        }
    }

    /// Waits until a piece may go on, and returns the faults of that moment.
    async fn wait_for_its_time(
        &mut self,
        arrived: Instant,
        to: &mut WriteHalf<'_>,
    ) -> Result<Faults, Broken> {
        loop {
            let faults = self.obey(to).await?;
            let due = arrived + faults.delay;
            if faults.blackhole || (!faults.hold && due <= Instant::now()) {
                return Ok(faults);
            }
            tokio::select! {
                changed = self.faults.changed() => changed.map_err(|_| Broken)?,
                () = until(due), if !faults.hold => {}
            }
        }
    }

    /// Does what the faults want done at once, and returns them.
    async fn obey(&mut self, to: &mut WriteHalf<'_>) -> Result<Faults, Broken> {
        let faults = *self.faults.borrow_and_update();
        if self.lost && !faults.blackhole {
            return Err(Broken);
        }
        if self.way == Way::ToClient && faults.half_closes != self.half_closes {
            self.half_closes = faults.half_closes;
            self.closed = true;
            let _ = to.shutdown().await;
        }
        Ok(faults)
    }

    /// Writes as much as may pass.
    async fn write(&mut self, bytes: &[u8], faults: Faults, to: &mut WriteHalf<'_>) -> Result<(), Broken> {
        let Some(cut) = faults.cut_after(self.way) else {
            return to.write_all(bytes).await.map_err(|_| Broken);
        };
        if self.passed.order != cut.order {
            self.passed = After { bytes: 0, ..cut };
        }
        let left = cut.bytes - self.passed.bytes;
        let passing = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        to.write_all(&bytes[..passing]).await.map_err(|_| Broken)?;
        self.passed.bytes += passing as u64;
        if self.passed.bytes == cut.bytes { Err(Broken) } else { Ok(()) }
    }
}

/// Reads as long as there is something to read, and somebody who wants it.
async fn take_in(
    way: Way,
    counts: &Counts,
    server_spoke: &AtomicBool,
    mut from: ReadHalf<'_>,
    pieces: mpsc::Sender<Piece>,
) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let said = match from.read(&mut buffer).await {
            Err(_) => Said::Reset,
            Ok(0) => Said::End,
            Ok(length) => {
                counts.came(way, length);
                let server_spoke = server_spoke.swap(way == Way::ToClient, Ordering::SeqCst);
                if way == Way::ToServer && server_spoke {
                    counts.asked();
                }
                Said::Bytes(buffer[..length].to_vec())
            }
        };
        let last = !matches!(said, Said::Bytes(_));
        let piece = Piece { arrived: Instant::now(), said };
        if pieces.send(piece).await.is_err() || last {
            return;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a slow network is slow by the time of sockets, which no clock of ours moves"
)]
async fn until(due: Instant) {
    tokio::time::sleep_until(due).await;
}
