//! Keys of every type, nested in any mixture, under any namespace: no two may be one in a store.

#![no_main]

#[path = "../../crates/core/tests/support/any_key.rs"]
mod any_key;
#[path = "../../crates/core/tests/support/key_text.rs"]
mod key_text;

use any_key::{AnyKey, full_key};
use arbitrary::{Arbitrary, Result, Unstructured};
use key_text::read_full;
use libfuzzer_sys::fuzz_target;

/// Tuples and options in one another. Each tuple may have eight parts.
const MOST_LEVELS: usize = 3;

/// A key of a cache.
#[derive(Debug)]
struct Place {
    namespace: String,
    key: AnyKey,
}

impl<'a> Arbitrary<'a> for Place {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Place { namespace: input.arbitrary()?, key: key(input, MOST_LEVELS)? })
    }
}

fn key(input: &mut Unstructured<'_>, levels: usize) -> Result<AnyKey> {
    Ok(match input.int_in_range(0..=7)? {
        0 => AnyKey::integer(input.choose_index(AnyKey::INTEGERS)?, input.arbitrary()?),
        1 => AnyKey::text_of(input.choose_index(3)?, input.arbitrary()?),
        2 => AnyKey::Letter(input.arbitrary()?),
        3 => AnyKey::Bytes(input.arbitrary()?),
        4 => AnyKey::Uuid(uuid::Uuid::from_bytes(input.arbitrary()?)),
        5 if levels > 0 => {
            let parts = input.int_in_range(0..=8)?;
            AnyKey::tuple((0..parts).map(|_| key(input, levels - 1)).collect::<Result<_>>()?)
        }
        6 if levels > 0 => {
            let is_there: bool = input.arbitrary()?;
            AnyKey::Maybe(Box::new(is_there.then(|| key(input, levels - 1)).transpose()?))
        }
        _ => AnyKey::Flag(input.arbitrary()?),
    })
}

fuzz_target!(|places: [Place; 2]| {
    let full = places.each_ref().map(|place| full_key(&place.namespace, &place.key));
    let meant = places.map(|place| (place.namespace, place.key.meaning()));
    for (full, meant) in full.iter().zip(&meant) {
        assert_eq!(read_full(full).as_ref(), Some(meant), "{full:?} stands for another key, or for none");
    }
    assert_eq!(full[0] == full[1], meant[0] == meant[1], "{full:?}");
});
