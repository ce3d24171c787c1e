//! A method, which a schedule has nothing to call on.
use larder::scheduled;

struct Bank;

impl Bank {
    #[scheduled(every = "5m")]
    async fn rate(&self) -> f64 {
        1.08
    }
}

fn main() {
    let _ = Bank.rate();
}
