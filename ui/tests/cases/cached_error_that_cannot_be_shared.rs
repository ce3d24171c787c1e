//! An error that only one caller can have.
use larder::cached;

struct Down(std::io::Error);

#[cached(ttl = "60s")]
async fn user(id: u64) -> Result<String, Down> {
    std::fs::read_to_string(id.to_string()).map_err(Down)
}

fn main() {
    let _ = user(7);
}
