//! From a key to its row. The crate's documentation describes the columns.

use twox_hash::{XxHash3_64, XxHash3_128};

/// "larder" and the number of this layout. Another seed would orphan all that is stored.
const SEED: u64 = 0x6C61_7264_6572_0001;
/// So long may a namespace be that is written as it is.
const LONGEST: usize = 100;
/// Begins what is no namespace as it is: the hash of one, or nothing for a key without a namespace.
const MARK: char = '#';

/// What the row of a key is found by. The order is that in which rows are locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) namespace: String,
    pub(crate) key: [u8; 16],
}

impl Name {
    /// Returns where `key`, which is `NAMESPACE:TEXT`, has its row.
    pub(crate) fn of(key: &str) -> Self {
        let namespace = key.split_once(':').map_or(MARK.into(), |(namespace, _)| self::namespace(namespace));
        Name { namespace, key: hash(key) }
    }
}

/// Returns what stands for a namespace in its column. Only printable ASCII does so itself: other characters are not
/// in every database's encoding.
pub(crate) fn namespace(namespace: &str) -> String {
    let plain = namespace.len() <= LONGEST
        && !namespace.starts_with(MARK)
        && namespace.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if plain { namespace.into() } else { format!("{MARK}{:032x}", u128::from_be_bytes(hash(namespace))) }
}

/// Returns what tells texts apart that were cut off, or that have no name of their own.
pub(crate) fn short_hash(text: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(SEED, text.as_bytes())
}

pub(crate) fn hash(text: &str) -> [u8; 16] {
    XxHash3_128::oneshot_with_seed(SEED, text.as_bytes()).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_namespace_has_a_name_of_its_own_that_every_database_can_hold() {
        let long = "x".repeat(101);
        let namespaces =
            ["users", "Users", "", " ", "#", "##", "ä", "a\0b", "a\nb", &long, &long[1..], "'\";--"];
        let names: HashSet<_> = namespaces.iter().map(|namespace| self::namespace(namespace)).collect();
        assert_eq!(names.len(), namespaces.len());
        for name in &names {
            assert!(name.len() <= LONGEST && name.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}");
        }
        // The hash of one, as the name of another.
        assert_ne!(namespace(&namespace("ä")), namespace("ä"));
    }

    #[test]
    fn keys_that_differ_have_rows_that_differ() {
        let long = ["x".repeat(100_000), "x".repeat(100_001)].map(|text| format!("users:{text}"));
        let keys =
            ["users:ada", "users:Ada", "users:ada ", "users:a\0", "users:", "users", ":users", "us:ers:ada"];
        let names: HashSet<_> =
            keys.into_iter().chain(long.iter().map(String::as_str)).map(Name::of).collect();
        assert_eq!(names.len(), 10);
    }

    /// What is stored is found again by every release.
    #[test]
    fn names_stay_as_they_were_released() {
        let ada = Name::of("users:ada");
        assert_eq!(ada.namespace, "users");
        assert_eq!(u128::from_be_bytes(ada.key), 0x118b_f66e_0e9c_eff1_9670_17b7_d485_751e);
        assert_eq!(Name::of("ada").namespace, "#");
        assert_eq!(namespace("ä"), format!("#{:032x}", XxHash3_128::oneshot_with_seed(SEED, "ä".as_bytes())));
    }
}
