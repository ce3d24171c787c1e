//! A schedule that would have nothing to keep.
use larder::scheduled;

#[scheduled(every = "5m")]
async fn tidy() {
    println!("tidy");
}

fn main() {
    let _ = tidy();
}
