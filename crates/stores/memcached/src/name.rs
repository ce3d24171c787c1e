//! From a key to the names of its items. The crate's documentation describes them.

use bytes::Bytes;
use twox_hash::{XxHash3_64, XxHash3_128};

/// "larder" and the number of this layout. Another seed would orphan all that is stored.
const SEED: u64 = 0x6C61_7264_6572_0001;
/// memcached takes no longer name.
const LONGEST: usize = 250;

/// What belongs to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The item that has the value.
    pub(crate) item: Bytes,
    /// The item that says which values of the namespace are alive.
    pub(crate) generation: Bytes,
    /// Tells which server has the key, and whose turn it waits for.
    pub(crate) hash: [u8; 16],
}

impl Name {
    /// Returns the names for `key`, which is `NAMESPACE:TEXT`.
    pub(crate) fn of(key: &str) -> Self {
        let hash = XxHash3_128::oneshot_with_seed(SEED, key.as_bytes());
        // A name of ours has no colon, so one with a colon is none of ours.
        let as_it_is =
            key.contains(':') && key.len() <= LONGEST && key.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
        let item = if as_it_is { Bytes::from(key.to_owned()) } else { format!("larder#{hash:032x}").into() };
        let namespace = key.split_once(':').map(|(namespace, _)| namespace);
        Name { item, generation: generation(namespace), hash: hash.to_be_bytes() }
    }

    /// Returns which of `servers` has the key: the one that draws the highest number for it. So a server more or less
    /// moves only the keys that it gets or had.
    pub(crate) fn place<'a>(&self, servers: impl Iterator<Item = &'a str>) -> usize {
        let key = self.hash.last_chunk().map_or(0, |half| u64::from_be_bytes(*half));
        let drawn = servers.map(|server| XxHash3_64::oneshot_with_seed(key, server.as_bytes()));
        drawn.enumerate().max_by_key(|(_, number)| *number).map_or(0, |(place, _)| place)
    }
}

/// Returns the name of the item that says which values of a namespace are alive; of keys without one, too.
pub(crate) fn generation(namespace: Option<&str>) -> Bytes {
    match namespace {
        Some(namespace) => {
            format!("larder@{:032x}", XxHash3_128::oneshot_with_seed(SEED, namespace.as_bytes())).into()
        }
        None => Bytes::from_static(b"larder@"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn awkward() -> Vec<String> {
        let texts = [
            "ada", "Ada", "", " ", "a b", "a\0b", "a\nb", "a\r\n", "ä", "\u{7f}", "a:b", "larder#", "larder@",
        ];
        let mut keys: Vec<String> = texts.map(|text| format!("users:{text}")).into();
        keys.extend(texts.map(String::from));
        keys.extend([243, 244, 245, 100_000].map(|length| format!("users:{}", "x".repeat(length))));
        // The name of one, as the key of another.
        keys.push(String::from_utf8(Name::of("users:a b").item.to_vec()).unwrap());
        keys
    }

    #[test]
    fn keys_that_differ_have_items_that_differ_and_memcached_takes() {
        let names: HashSet<_> = awkward().iter().map(|key| Name::of(key).item).collect();
        assert_eq!(names.len(), awkward().len());
        for name in names {
            assert!(!name.is_empty() && name.len() <= 250, "{name:?}");
            assert!(name.iter().all(|byte| matches!(byte, b'!'..=b'~')), "{name:?}");
        }
    }

    #[test]
    fn no_item_is_called_as_a_generation() {
        let generations: HashSet<_> =
            [None, Some(""), Some("users"), Some("Users"), Some("a b")].map(generation).into();
        assert_eq!(generations.len(), 5);
        for key in awkward() {
            assert!(!Name::of(&key).item.starts_with(b"larder@"), "{key:?}");
        }
        for generation in &generations {
            let key = std::str::from_utf8(generation).unwrap();
            assert!(!generations.contains(&Name::of(key).item), "{key}");
        }
    }

    /// What is stored is found again by every release.
    #[test]
    fn names_stay_as_they_were_released() {
        assert_eq!(Name::of("users:ada").item, "users:ada");
        assert_eq!(Name::of("Users v2:ada").item, "larder#66300371bbf6379cabb2ff4e3172dd4c");
        assert_eq!(generation(Some("users")), "larder@eca9002b3d190f090d311dec7d78e493");
        let servers = ["a.test:11211", "b.test:11211", "c.test:11211"];
        let places: Vec<_> =
            (0..8).map(|number| Name::of(&format!("users:{number}")).place(servers.into_iter())).collect();
        assert_eq!(places, PLACES);
    }

    const PLACES: [usize; 8] = [0, 1, 0, 2, 0, 2, 0, 1];

    #[test]
    fn a_server_more_takes_its_share_and_moves_no_other_key() {
        let three = ["a.test:11211", "b.test:11211", "c.test:11211"];
        let four = ["a.test:11211", "b.test:11211", "c.test:11211", "d.test:11211"];
        let mut counts = [0; 4];
        for number in 0..10_000 {
            let name = Name::of(&format!("users:{number}"));
            let (before, after) = (name.place(three.into_iter()), name.place(four.into_iter()));
            assert!(after == 3 || after == before);
            counts[after] += 1;
        }
        assert!(counts.iter().all(|count| (2_300..2_700).contains(count)), "{counts:?}");
    }
}
