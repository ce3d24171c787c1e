use larder::{Cache, cached};

struct Pages(Cache<u64, Vec<u32>>);

impl Pages {
    #[cached(cache = self.0)]
    fn page<const LENGTH: usize>(&self, id: u64) -> Vec<u32> {
        vec![id as u32; LENGTH]
    }
}

fn main() {}
