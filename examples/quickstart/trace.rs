//! The requests: product keys in the order in which visitors of a real shop asked for them. Where they come
//! from and under which licence: `examples/data/README.md`.

use anyhow::Context;

/// How many requests there are.
pub(crate) const LENGTH: usize = 76_118;

pub(crate) fn requests() -> anyhow::Result<Vec<u64>> {
    let packed = include_bytes!("../data/cache2k-web07.u64.zst");
    let bytes = zstd::decode_all(&packed[..]).context("the recorded requests are damaged")?;
    let (keys, rest) = bytes.as_chunks();
    anyhow::ensure!(keys.len() == LENGTH && rest.is_empty(), "the recorded requests are not complete");
    Ok(keys.iter().copied().map(u64::from_le_bytes).collect())
}
