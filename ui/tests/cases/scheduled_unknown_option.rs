//! An option of cached functions, which a schedule does not have.
use larder::scheduled;

#[scheduled(evry = "5m", capacity = 100)]
async fn rate() -> f64 {
    1.08
}

fn main() {
    let _ = rate();
}
