//! A schedule that does not say when.
use larder::scheduled;

#[scheduled]
async fn rate() -> f64 {
    1.08
}

fn main() {
    let _ = rate();
}
