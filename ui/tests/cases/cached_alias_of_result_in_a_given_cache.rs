use larder::{Cache, Memory, cached};
use std::sync::LazyLock;

type Answer = Result<u32, String>;

static ANSWERS: LazyLock<Cache<u64, Answer>> = LazyLock::new(|| Cache::new(Memory::new(10)).boxed());

#[cached(cache = ANSWERS)]
fn answer(id: u64) -> Answer {
    Err(id.to_string())
}

fn main() {
    let _ = answer(7);
}
