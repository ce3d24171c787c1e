//! Reads the text of a key back, by the table at the top of `key.rs` alone. What can be read back stands for one key.

/// What a key is, whatever its type. Integers of all widths are one sort, as they share their texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Integer(String),
    Text(String),
    Flag(bool),
    Letter(char),
    Bytes(Vec<u8>),
    Uuid([u8; 16]),
    Maybe(Option<Box<Meaning>>),
    Tuple(Vec<Meaning>),
}

/// Reads a key of a byte store: the namespace, a colon, the text. `None` for what no cache writes.
pub(crate) fn read_full(full: &str) -> Option<(String, Meaning)> {
    let (namespace, text) = full.split_once(':')?;
    Some((unescape(namespace, "%:")?, read(text)?))
}

/// Reads a text. `None` for one that no key has.
pub(crate) fn read(text: &str) -> Option<Meaning> {
    let first = text.chars().next()?;
    let rest = &text[first.len_utf8()..];
    match first {
        '\'' => is_marked(rest).then(|| Meaning::Text(rest.to_owned())),
        '-' | '0'..='9' => is_integer(text).then(|| Meaning::Integer(text.to_owned())),
        '~' => read_marked(rest),
        '(' => {
            let parts = rest.strip_suffix(')')?;
            if parts.is_empty() {
                return Some(Meaning::Tuple(Vec::new()));
            }
            let parts = parts.split(',');
            let parts = parts.map(|part| read(&unescape(part, "%,()")?));
            parts.collect::<Option<_>>().map(Meaning::Tuple)
        }
        _ => Some(Meaning::Text(text.to_owned())),
    }
}

/// Whether a text has a `'` before it: only what would be taken for something else has.
fn is_marked(text: &str) -> bool {
    text.is_empty() || text.starts_with(|first: char| first.is_ascii_digit() || "-'~(".contains(first))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_plain && (text == "0" || !digits.starts_with('0'))
}

/// Reads what follows a `~`.
fn read_marked(text: &str) -> Option<Meaning> {
    let (sort, rest) = text.split_at_checked(1)?;
    let is_empty = rest.is_empty();
    match sort {
        "t" | "f" => is_empty.then_some(Meaning::Flag(sort == "t")),
        "c" => {
            let mut letters = rest.chars();
            letters.next().filter(|_| letters.next().is_none()).map(Meaning::Letter)
        }
        "b" => hexadecimal(rest).map(Meaning::Bytes),
        "n" => is_empty.then_some(Meaning::Maybe(None)),
        "s" => read(rest).map(|key| Meaning::Maybe(Some(Box::new(key)))),
        "u" => hexadecimal(rest)?.try_into().ok().map(Meaning::Uuid),
        _ => None,
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if odd.is_empty() { bytes.collect() } else { None }
}

/// Undoes `%` and two digits for the characters of `special`, of which none may be there as it is.
fn unescape(text: &str, special: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (character, length) = match character {
            '%' => {
                let digits = rest.get(1..3)?;
                let is_upper = !digits.bytes().any(|digit| digit.is_ascii_lowercase());
                let code = u8::from_str_radix(digits, 16).ok().filter(|_| is_upper)?;
                (special.chars().find(|special| u32::from(*special) == u32::from(code))?, 3)
            }
            character if special.contains(character) => return None,
            character => (character, character.len_utf8()),
        };
        plain.push(character);
        rest = &rest[length..];
    }
    Some(plain)
}
