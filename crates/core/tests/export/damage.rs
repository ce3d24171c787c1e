//! What is damaged, foreign, or cut off.

use crate::{SECOND, counts, process, three, wire};
use larder::{Json, MessagePack};
use larder_core::{ErrorKind, Wire};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::Duration;

/// What an export of three came to be, if none of them may be wrong.
#[track_caller]
fn none_is_wrong(file: &[u8], damage: &str) {
    let (ages, _) = process(SECOND);
    let Ok(imported) = ages.import(&wire(), file) else { return };
    let right = BTreeMap::from([("ada", 36), ("bob", 12), ("cleo", 9)]);
    let there: Vec<_> = right.iter().filter(|(name, _)| ages.get_now(name).is_some()).collect();
    assert!(there.iter().all(|(name, age)| ages.get_now(name) == Some(**age)), "{damage}: {imported:?}");
    assert_eq!(there.len() as u64, imported.imported, "{damage}");
    assert!(imported.imported < 3 || !imported.is_complete, "{damage}: it is damaged");
}

#[test]
fn every_cut_and_every_flipped_bit_leaves_something_out_and_brings_nothing_wrong() {
    let file = three();
    for length in 0..file.len() {
        none_is_wrong(&file[..length], &format!("cut at {length}"));
    }
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        none_is_wrong(&flipped, &format!("bit {bit}"));
    }
}

#[test]
fn one_that_is_damaged_harms_no_other_and_one_that_is_cut_off_none_before() {
    let file = three();
    let (ages, _) = process(SECOND);
    let mut damaged = file.clone();
    damaged[40] ^= 1;
    assert_eq!(counts(ages.import(&wire(), &damaged[..]).unwrap()), (2, 0, 0, 1, true));
    let (ages, _) = process(SECOND);
    let cut = ages.import(&wire(), &file[..file.len() - 20]).unwrap();
    assert_eq!(counts(cut), (2, 0, 0, 0, false));
    assert!(cut.to_string().ends_with("and then cut off"), "{cut}");
}

#[test]
fn an_entry_that_claims_to_be_huge_takes_no_room() {
    let mut file = three();
    let length = u32::MAX.to_le_bytes();
    file[4..8].copy_from_slice(&length);
    let sum = twox_hash::XxHash3_64::oneshot_with_seed(0, &length);
    file[8..12].copy_from_slice(&sum.to_le_bytes()[..4]);
    let (ages, _) = process(SECOND);
    assert_eq!(counts(ages.import(&wire(), &file[..]).unwrap()), (0, 0, 0, 0, false));
    let small = Wire::new(Json).max_value_bytes(10);
    assert_eq!(counts(ages.import(&small, &three()[..]).unwrap()), (0, 0, 0, 3, true));
}

#[test]
fn what_is_no_export_or_one_of_another_release_is_an_error() {
    let (ages, _) = process(SECOND);
    let mut newer = three();
    newer[3] = 2;
    for (file, why) in [(&b""[..], "too short"), (b"no export", "no export"), (&newer, "another release")] {
        let error = ages.import(&wire(), file).unwrap_err();
        assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains(why), "{error}");
    }
}

#[test]
fn what_another_codec_another_cache_or_a_newer_schema_wrote_is_passed_over() {
    let unread = (0, 0, 0, 3, true);
    let (ages, _) = process(SECOND);
    assert_eq!(counts(ages.import(&Wire::new(MessagePack), &three()[..]).unwrap()), unread);
    assert_eq!(counts(ages.clone().name("years").import(&wire(), &three()[..]).unwrap()), unread);
    let mut newer = Vec::new();
    process(Duration::ZERO).0.export(&wire().version(2), &mut newer).unwrap();
    let (old, _) = process(Duration::ZERO);
    old.import(&wire(), &three()[..]).unwrap();
    let mut newer = Vec::new();
    old.export(&wire().version(2), &mut newer).unwrap();
    assert_eq!(counts(ages.import(&wire(), &newer[..]).unwrap()), unread);
    assert_eq!(counts(ages.import(&wire().version(2), &newer[..]).unwrap()), (3, 0, 0, 0, true));
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("a scratch"))
    }
}

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("a scratch"))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_fails_is_an_error() {
    let (ages, _) = process(SECOND);
    let errors = [ages.export(&wire(), Broken).unwrap_err(), ages.import(&wire(), Broken).unwrap_err()];
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Store), "{errors:?}");
    let file = three();
    let error = ages.import(&wire(), file[..100].chain(Broken)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(
        ages.get_now("ada").or(ages.get_now("bob")).or(ages.get_now("cleo")).is_some(),
        "what came before stays"
    );
}
