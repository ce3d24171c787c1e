//! From a key to the path of its object. The crate's documentation describes the names byte by byte.

use object_store::path::Path;
use std::fmt::Write;
use twox_hash::XxHash3_128;

/// "larder" and the number of this layout. Another seed would orphan all that is stored.
const SEED: u64 = 0x6C61_7264_6572_0001;
/// So long may an escaped namespace be. With the rest, a path stays well below the 260 characters of Windows.
const LONGEST: usize = 64;
const SHORT: &str = "larder-";
const LONG: &str = "larder=";
/// Keys without a namespace, which caches never ask for, have a folder that no `clear` reaches.
const NO_NAMESPACE: &str = "larder";
const SHARD_DIGITS: usize = 2;
const FILE_DIGITS: usize = 32;

/// Returns where the object of `key` is.
pub(crate) fn path(key: &str) -> Path {
    let folder = key.split_once(':').map_or(NO_NAMESPACE.into(), |(namespace, _)| folder(namespace));
    let file = hash(key);
    [folder.as_str(), &file[..SHARD_DIGITS], &file].into_iter().collect()
}

/// Returns the folder that has the objects of `namespace` and no others.
pub(crate) fn folder(namespace: &str) -> String {
    let mut name = String::from(SHORT);
    for byte in namespace.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(name, "={byte:02x}");
            }
        }
        if name.len() > SHORT.len() + LONGEST {
            return format!("{LONG}{}", hash(namespace));
        }
    }
    name
}

/// Tells whether a path looks like one that [`path`] made, which none of anybody else's does by chance.
pub(crate) fn is_object(path: &Path) -> bool {
    let parts: Vec<_> = path.parts().collect();
    let [folder, shard, file] = &parts[..] else { return false };
    is_folder(folder.as_ref()) && is_file(shard.as_ref(), file.as_ref())
}

/// Returns the folder of an object and the number that its name is.
pub(crate) fn parts(path: &Path) -> Option<(String, u128)> {
    let file = u128::from_str_radix(path.filename()?, 16).ok()?;
    is_object(path).then_some((path.parts().next()?.as_ref().to_owned(), file))
}

/// Returns the path of an object by its [`parts`].
pub(crate) fn from_parts(folder: &str, file: u128) -> Path {
    let file = format!("{file:032x}");
    [folder, &file[..SHARD_DIGITS], &file].into_iter().collect()
}

/// Returns a path in the folder without a namespace, for an object that is nobody's.
pub(crate) fn nobodys(number: u128) -> Path {
    from_parts(NO_NAMESPACE, number)
}

pub(crate) fn is_folder(name: &str) -> bool {
    name == NO_NAMESPACE || name.starts_with(SHORT) || name.starts_with(LONG)
}

pub(crate) fn is_shard(name: &str) -> bool {
    name.len() == SHARD_DIGITS && is_hexadecimal(name)
}

fn is_file(shard: &str, name: &str) -> bool {
    is_shard(shard) && name.len() == FILE_DIGITS && is_hexadecimal(name) && name.starts_with(shard)
}

/// Tells whether a file is what a put of the local driver stages before it renames: the name of an object,
/// `#`, and a number.
pub(crate) fn is_staged(shard: &str, name: &str) -> bool {
    name.split_once('#').is_some_and(|(file, number)| {
        is_file(shard, file) && !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

fn hash(text: &str) -> String {
    format!("{:032x}", XxHash3_128::oneshot_with_seed(SEED, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn awkward() -> Vec<String> {
        let mut texts: Vec<String> =
            ["users", "Users", "USERS", "user", "users2", "users-", "users_", "", " ", ".", "..", "..."]
                .into_iter()
                .chain([
                    "../users", "/users", "users/", "a/b", "a\\b", "=", "=55sers", "users=", "larder", "con",
                    "nul.txt",
                ])
                .chain([
                    "COM1", "-rf", "~", "$HOME", "%3A", "a%3Ab", "a#1", "a*?", "a\0b", "a\nb", "a ", "a.",
                    "ä", "a\u{308}",
                ])
                .chain(["Å", "\u{212B}", "ﬁ", "fi", "İ", "i", "\u{1F980}", "\u{202E}users"])
                .map(String::from)
                .collect();
        for length in [62, 63, 64, 65, 66, 255, 256, 5_000] {
            texts.push("x".repeat(length));
            texts.push("X".repeat(length));
            texts.push(format!("{}y", "x".repeat(length)));
        }
        // What the long form of one would be as the short form of another.
        texts.push(hash(&"x".repeat(65)));
        texts.push(format!("={}", hash(&"x".repeat(65))));
        texts
    }

    #[test]
    fn a_folder_stands_for_one_namespace_whatever_the_file_system_folds() {
        let mut seen = HashMap::new();
        for namespace in awkward() {
            let name = folder(&namespace).to_lowercase();
            if let Some(other) = seen.insert(name.clone(), namespace.clone()) {
                assert_eq!(other, namespace, "both are {name}");
            }
        }
        assert_eq!(seen.len(), awkward().iter().collect::<std::collections::HashSet<_>>().len());
    }

    #[test]
    fn a_name_is_harmless_everywhere() {
        for namespace in awkward() {
            let path = path(&format!("{namespace}:key"));
            assert_eq!(Path::parse(path.as_ref()).unwrap(), path, "the driver escapes nothing");
            assert!(path.as_ref().len() <= 71 + 1 + 2 + 1 + 32, "{path}");
            assert!(path.as_ref().starts_with("larder"), "{path}");
            let allowed =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_=/".contains(&byte);
            assert!(path.as_ref().bytes().all(allowed), "{path}");
            assert!(is_object(&path), "{path}");
            let (folder, file) = parts(&path).unwrap();
            assert_eq!(from_parts(&folder, file), path);
        }
    }

    /// The table in the crate's documentation, and the hash: what is stored is found again by every release.
    #[test]
    fn names_stay_as_they_were_released() {
        assert_eq!(path("users:ada").as_ref(), "larder-users/11/118bf66e0e9ceff1967017b7d485751e");
        assert_eq!(path("Users v2:ada").as_ref(), "larder-=55sers=20v2/66/66300371bbf6379cabb2ff4e3172dd4c");
        assert_eq!(folder("Users v2"), "larder-=55sers=20v2");
        assert_eq!(folder(""), "larder-");
        assert_eq!(folder(".."), "larder-=2e=2e");
        assert_eq!(folder("ä"), "larder-=c3=a4");
        assert_eq!(folder(&"x".repeat(64)), format!("larder-{}", "x".repeat(64)));
        assert_eq!(folder(&"x".repeat(65)), "larder=ebe0501ff433614d462be510e503f07f");
    }

    #[test]
    fn keys_that_differ_have_paths_that_differ() {
        let keys =
            ["users:ada", "users:Ada", "users:ada ", "users:", "users", ":users", "user:s:ada", "users:a:da"];
        let long = ["x".repeat(100_000), "x".repeat(100_001)].map(|text| format!("users:{text}"));
        let paths: std::collections::HashSet<_> =
            keys.into_iter().chain(long.iter().map(String::as_str)).map(path).collect();
        assert_eq!(paths.len(), 10);
    }

    #[test]
    fn what_others_put_there_is_not_taken_for_ours() {
        let ours = path("users:ada").to_string();
        let file = ours.rsplit('/').next().unwrap();
        let shard = &file[..2];
        for foreign in [
            format!("users/{shard}/{file}"),
            format!("larder/users/{shard}/{file}"),
            format!("larder-users/{file}"),
            format!("larder-users/zz/{file}"),
            format!("larder-users/{shard}/{}", &file[1..]),
            format!("larder-users/{shard}/{file}.txt"),
            format!("larder-users/{shard}/{}", file.to_uppercase()),
            format!("larder-users/{shard}/README"),
            format!("larders/{shard}/{file}"),
        ] {
            assert!(!is_object(&Path::parse(&foreign).unwrap()), "{foreign}");
        }
        assert!(is_staged(shard, &format!("{file}#1")));
        for foreign in [file.to_string(), format!("{file}#"), format!("{file}#x"), "notes#1".into()] {
            assert!(!is_staged(shard, &foreign), "{foreign}");
        }
    }
}
