//! The shop's visitors: clients that share the recorded requests, and judge every answer.

use crate::database::Product;
use crate::progress::Progress;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

pub(crate) struct Traffic {
    clients: usize,
    requests: Arc<[u64]>,
    /// What the database has.
    right: Arc<HashMap<u64, Product>>,
}

/// What came of a replay.
#[derive(Default)]
pub(crate) struct Replayed {
    pub(crate) took: Duration,
    /// How long each request took, the shortest first.
    pub(crate) latencies: Vec<Duration>,
    /// How many answers were not what the database has.
    pub(crate) wrong: usize,
}

impl Traffic {
    pub(crate) fn new(requests: &[u64], clients: usize, right: HashMap<u64, Product>) -> Self {
        Traffic { clients, requests: requests.into(), right: Arc::new(right) }
    }

    /// Returns how many different products are asked for.
    pub(crate) fn distinct_products(&self) -> usize {
        self.requests.iter().collect::<HashSet<_>>().len()
    }

    /// Has the clients send all requests to `ask`. Each takes the next one as soon as it has its answer.
    pub(crate) async fn replay<F, Answer>(&self, what: &'static str, ask: F) -> anyhow::Result<Replayed>
    where
        F: Fn(u64) -> Answer + Clone + Send + 'static,
        Answer: Future<Output = anyhow::Result<Product>> + Send + 'static,
    {
        let next = Arc::new(AtomicUsize::new(0));
        let mut clients = JoinSet::new();
        let began = now();
        for _ in 0..self.clients {
            let (next, requests, right) =
                (Arc::clone(&next), Arc::clone(&self.requests), Arc::clone(&self.right));
            clients.spawn(client(next, requests, right, ask.clone()));
        }

        let mut all = Replayed::default();
        let mut progress = Progress::new(what, self.requests.len());
        let mut often = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                _ = often.tick() => progress.reached(next.load(Ordering::Relaxed).min(self.requests.len())),
                done = clients.join_next() => match done {
                    Some(done) => {
                        let done = done??;
                        all.latencies.extend(done.latencies);
                        all.wrong += done.wrong;
                    }
                    None => break,
                },
            }
        }
        all.took = began.elapsed();
        all.latencies.sort_unstable();
        Ok(all)
    }
}

/// Sends requests one after the other until there are no more.
async fn client<F, Answer>(
    next: Arc<AtomicUsize>,
    requests: Arc<[u64]>,
    right: Arc<HashMap<u64, Product>>,
    ask: F,
) -> anyhow::Result<Replayed>
where
    F: Fn(u64) -> Answer,
    Answer: Future<Output = anyhow::Result<Product>>,
{
    let mut replayed = Replayed::default();
    while let Some(&id) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let asked = now();
        let product = ask(id).await?;
        replayed.latencies.push(asked.elapsed());
        replayed.wrong += usize::from(right.get(&id) != Some(&product));
    }
    Ok(replayed)
}

impl Replayed {
    /// Returns the latency that `share` of the requests did not exceed.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the position in a list of thousands"
    )]
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * share).ceil() as usize).copied().unwrap_or_default()
    }

    /// Returns how many times a second something happened that happened `times` in all.
    pub(crate) fn per_second(&self, times: u64) -> f64 {
        Duration::from_secs(times).div_duration_f64(self.took)
    }
}

#[expect(clippy::disallowed_methods, reason = "a replay measures real time, as its clients would")]
fn now() -> Instant {
    Instant::now()
}
