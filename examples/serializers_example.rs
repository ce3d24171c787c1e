//! One function, and its results in each wire format: `cargo run --release --all-features --example serializers_example`.
//!
//! Memory keeps values as they are. What stands behind it keeps bytes, and each level says by which codec. Here that is the
//! object store's memory, so that the differences are those of the codecs; the last one is written here, in the way in which
//! anybody writes one.

use bytes::Bytes;
use larder::prelude::*;
use larder::{
    Cbor, Clock, Codec, CompactMessagePack, Error, ErrorKind, Format, Postcard, Protobuf, Result, Rkyv,
    SystemClock,
};
use std::time::Duration;

/// How often each result is asked for.
const HITS: u32 = 10_000;

/// What is computed. A codec wants the derive of its own crate; most want serde's.
#[derive(
    Clone,
    PartialEq,
    prost::Message,
    serde::Serialize,
    serde::Deserialize,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
struct Computed {
    #[prost(uint64, tag = "1")]
    x: u64,
    #[prost(uint64, tag = "2")]
    square: u64,
}

fn compute(x: u64) -> Computed {
    Computed { x, square: x * x }
}

/// A codec of one's own: two numbers, eight bytes each.
struct TwoNumbers;

impl Format for TwoNumbers {
    const ID: u8 = 64;
}

impl Codec<Computed> for TwoNumbers {
    fn encode(&self, value: &Computed, out: &mut Vec<u8>) -> Result<()> {
        out.extend(value.x.to_be_bytes());
        out.extend(value.square.to_be_bytes());
        Ok(())
    }

    fn decode(&self, bytes: &Bytes) -> Result<Computed> {
        let ([x, square], []) = bytes.as_chunks::<8>() else {
            return Err(Error::new(ErrorKind::Codec, "not 16 bytes"));
        };
        Ok(Computed { x: u64::from_be_bytes(*x), square: u64::from_be_bytes(*square) })
    }
}

/// What came of one codec.
struct Measured {
    codec: &'static str,
    bytes: usize,
    took: Duration,
}

/// Computes once, and reads that many times what the store has.
async fn measure<C: Codec<Computed>>(codec: C, hits: u32) -> Result<Measured> {
    let mut bytes = Vec::new();
    codec.encode(&compute(1), &mut bytes)?;

    let results: Cache<u64, Computed> = Cache::new(Object::in_memory()).codec(codec).ttl(secs(60)).boxed();
    let clock = SystemClock;
    let begin = clock.now();
    for _ in 0..=hits {
        let result = results.get_or_insert_with(&1, async || compute(1)).await;
        assert_eq!(result, compute(1));
    }
    let took = clock.now().since(begin);
    assert_eq!((results.stats().loads, results.stats().hits()), (1, hits.into()));
    Ok(Measured { codec: C::name(), bytes: bytes.len(), took })
}

/// All codecs, one after the other.
async fn measure_all(hits: u32) -> Result<Vec<Measured>> {
    Ok(vec![
        measure(Json, hits).await?,
        measure(MessagePack, hits).await?,
        measure(CompactMessagePack, hits).await?,
        measure(Postcard, hits).await?,
        measure(Protobuf, hits).await?,
        measure(Cbor, hits).await?,
        measure(Rkyv, hits).await?,
        measure(TwoNumbers, hits).await?,
    ])
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut measured = measure_all(HITS).await?;
    measured.sort_by_key(|measured| measured.took);

    println!("{HITS} hits in the object store's memory, beside which a codec is a small part:\n");
    println!("{:<20} {:>6} {:>14}", "codec", "bytes", "hits a second");
    for Measured { codec, bytes, took } in measured {
        println!("{codec:<20} {bytes:>6} {:>14.0}", f64::from(HITS) / took.as_secs_f64());
    }
    println!("\nOf larger values, and of codecs alone: cargo bench -p larder-benches --bench travel");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_codec_gives_back_what_was_computed() {
        let measured = measure_all(3).await.unwrap();

        assert_eq!(measured.len(), 8);
        assert_eq!(measured.last().map(|last| (last.codec, last.bytes)), Some(("TwoNumbers", 16)));
    }
}
