//! A function whose arguments nobody would give.
use larder::scheduled;

#[scheduled(every = "5m")]
async fn rate(currency: &str) -> f64 {
    currency.len() as f64
}

fn main() {
    let _ = rate("eur");
}
