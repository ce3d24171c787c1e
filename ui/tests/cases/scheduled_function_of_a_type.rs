//! A function in an `impl`, where there is no place for what goes with it.
use larder::scheduled;

struct Bank;

impl Bank {
    #[scheduled(every = "5m")]
    async fn rate() -> f64 {
        1.08
    }
}

fn main() {
    let _ = Bank::rate();
}
