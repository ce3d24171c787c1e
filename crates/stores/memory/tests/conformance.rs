//! The suite that every store passes.

use bytes::Bytes;
use larder_memory::Memory;

mod counted {
    use super::*;
    larder_testkit::conformance!(values, || async { Memory::<str, Bytes>::new(100_000) });
}

mod one_shard {
    use super::*;
    larder_testkit::conformance!(values, || async { Memory::<str, Bytes>::new(1_000) });
}

mod weighed {
    use super::*;
    larder_testkit::conformance!(values, || async {
        Memory::weighted(1 << 28, |key: &str, value: &Bytes| (key.len() + value.len()) as u64)
    });
}
