//! What holds for every method of compression, whatever it is given.

use allocation_counter::measure;
use larder_core::{Compress, ErrorKind};

/// What it may take besides what it makes: tables, contexts.
const MOST_BESIDES: u64 = 1 << 20;

/// Takes the input once for something compressed, behind three bytes that say how much it becomes, and once for
/// something to compress.
///
/// # Panics
///
/// Where the method does, where it makes or takes more than it may, and where what was compressed does not come back.
pub fn compresses(method: &impl Compress, input: &[u8]) {
    let Some((length, compressed)) = input.split_first_chunk::<3>() else { return };
    let claimed = usize::from(length[0]) | usize::from(length[1]) << 8 | usize::from(length[2]) << 16;
    let mut made = None;
    let taken = measure(|| made = Some(method.decompress(method.method(), compressed, claimed))).bytes_max;
    assert!(taken <= claimed as u64 + MOST_BESIDES, "{taken} bytes of memory to make {claimed}");
    match made.expect("it was called") {
        // One more is made to see whether there is more.
        Ok(raw) => assert!(raw.len() <= claimed + 1, "{} bytes, where {claimed} are said", raw.len()),
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge), "{error}"),
    }
    let beyond = method.decompress(method.method(), compressed, usize::MAX - claimed);
    assert!(beyond.is_err(), "more than there is memory");

    let mut out = b"before".to_vec();
    method.compress(input, &mut out).expect("everything can be compressed");
    assert_eq!(&out[..6], b"before");
    let raw = method.decompress(method.method(), &out[6..], input.len());
    assert_eq!(raw.expect("what was compressed can be decompressed"), input);
}
