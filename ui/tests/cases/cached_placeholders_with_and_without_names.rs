use larder::cached;

#[cached(key = "{id}:{}")]
fn sum(id: u64, page: u64) -> u64 {
    id + page
}

fn main() {}
