//! What processes tell each other: which names were marked, with which numbers, and what was published.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | magic `4C` |
//! | 1 | version, 1 |
//! | 8 | who sends it, a random number; little-endian, as all |
//! | 8 | era of the log |
//! | 1–7 | marks in it; LEB128, as all numbers that follow |
//!
//! then for each mark
//!
//! | bytes | what |
//! |---|---|
//! | 1–7 | its number |
//! | 1–7 | names with it |
//! | 1–7 | for each, its length, then the name |
//!
//! and at the end
//!
//! | bytes | what |
//! |---|---|
//! | 1–7 | keys that were published |
//! | 1–7 | for each, its length, then its address |

use crate::envelope::{Reader, put_text, put_varint};
use crate::shared_log::Name;

const HEAD: [u8; 2] = [b'L', 1];

/// What a message says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) era: u64,
    pub(crate) marks: Vec<(u64, Vec<Name>)>,
    /// Keys whose records were written, for those who hold copies.
    pub(crate) published: Vec<String>,
}

/// Returns messages of at most `most` bytes that together say this. What does not fit in any is left out: the log has it, and
/// copies are read anew at their interval.
pub(super) fn messages(sender: u64, heard: &Heard, most: usize) -> Vec<Vec<u8>> {
    let mut head = HEAD.to_vec();
    head.extend(sender.to_le_bytes());
    head.extend(heard.era.to_le_bytes());
    let counted = |count: u64, body: &[u8]| {
        let mut out = Vec::new();
        put_varint(count, &mut out);
        out.extend(body);
        out
    };
    let room = most.saturating_sub(head.len() + counted(u64::from(u32::MAX), &counted(0, &[])).len());
    let marks = heard.marks.iter().map(|(number, names)| {
        let mut mark = Vec::new();
        put_varint(*number, &mut mark);
        put_varint(names.len() as u64, &mut mark);
        for name in names {
            put_text(name.as_str(), &mut mark);
        }
        mark
    });
    let published = heard.published.iter().map(|address| {
        let mut key = Vec::new();
        put_text(address, &mut key);
        key
    });
    let of_marks = packed(marks, room).map(|(count, body)| [counted(count, &body), counted(0, &[])].concat());
    let of_keys =
        packed(published, room).map(|(count, body)| [counted(0, &[]), counted(count, &body)].concat());
    of_marks.chain(of_keys).map(|body| [&head[..], &body].concat()).collect()
}

/// Puts as many together as there is room for, again and again. Returns how many they are, and what they are.
fn packed(parts: impl Iterator<Item = Vec<u8>>, room: usize) -> impl Iterator<Item = (u64, Vec<u8>)> {
    let mut parts = parts.filter(move |part| part.len() <= room).peekable();
    std::iter::from_fn(move || {
        let (mut count, mut body) = (1, parts.next()?);
        while let Some(part) = parts.next_if(|part| body.len() + part.len() <= room) {
            body.extend(part);
            count += 1;
        }
        Some((count, body))
    })
}

/// What a message is to who hears it.
pub(crate) enum Hearing {
    /// It is one's own.
    Own,
    Heard(Heard),
    /// This release cannot read it.
    Unreadable,
}

pub(crate) fn hear(message: &[u8], own: u64) -> Hearing {
    match read(message) {
        None => Hearing::Unreadable,
        Some((sender, _)) if sender == own => Hearing::Own,
        Some((_, heard)) => Hearing::Heard(heard),
    }
}

fn read(message: &[u8]) -> Option<(u64, Heard)> {
    let (head, rest) = message.split_at_checked(HEAD.len())?;
    let (sender, rest) = rest.split_first_chunk()?;
    let (era, rest) = rest.split_first_chunk()?;
    if head != HEAD {
        return None;
    }
    let mut reader = Reader { bytes: rest, position: 0 };
    let mut marks = Vec::new();
    for _ in 0..reader.varint().ok()? {
        let (number, count) = (reader.varint().ok()?, reader.varint().ok()?);
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(Name::parse(reader.text("", "").ok()?).ok()?);
        }
        marks.push((number, names));
    }
    let mut published = Vec::new();
    for _ in 0..reader.varint().ok()? {
        published.push(reader.text("", "").ok()?.to_string());
    }
    let heard = Heard { era: u64::from_le_bytes(*era), marks, published };
    (reader.position == rest.len()).then_some((u64::from_le_bytes(*sender), heard))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Heard {
        let marks = vec![
            (7, vec![Name::key("users:ada"), Name::tag("a").expiring()]),
            (8, vec![]),
            (9, vec![Name::namespace("u:")]),
        ];
        Heard { era: 0xE4A, marks, published: Vec::new() }
    }

    fn published() -> Heard {
        Heard { era: 0xE4A, marks: Vec::new(), published: vec!["rates:EUR".into(), "rates:CHF".into()] }
    }

    #[test]
    fn a_message_comes_back_and_ones_own_is_not_heard() {
        for said in [marks(), published()] {
            let [message] = &messages(1, &said, 1_000)[..] else { panic!("it is one") };
            assert_eq!(read(message).unwrap(), (1, said));
            assert!(matches!(hear(message, 1), Hearing::Own));
        }
    }

    /// What a release sends, later ones read.
    #[test]
    fn the_bytes_of_a_message_are_these() {
        let golden = b"L\x01\x01\0\0\0\0\0\0\0\x4A\x0E\0\0\0\0\0\0\x03\x07\x02\x0Bk-users:ada\x03t~a\x08\0\x09\x01\x04n-u:\0";
        assert_eq!(messages(1, &marks(), 1_000), [golden.to_vec()]);
        let golden = b"L\x01\x01\0\0\0\0\0\0\0\x4A\x0E\0\0\0\0\0\0\0\x02\x09rates:EUR\x09rates:CHF";
        assert_eq!(messages(1, &published(), 1_000), [golden.to_vec()]);
    }

    #[test]
    fn what_is_too_long_for_one_message_goes_in_several_and_what_is_for_any_in_none() {
        let marks: Vec<_> = (1..=100).map(|number| (number, vec![Name::tag(&"x".repeat(20))])).collect();
        let said = Heard { era: 2, marks: marks.clone(), published: vec!["x".repeat(20); 100] };
        let messages = messages(1, &said, 128);
        assert!(messages.len() > 10 && messages.iter().all(|message| message.len() <= 128));
        let heard: Vec<_> = messages.iter().flat_map(|message| read(message).unwrap().1.marks).collect();
        assert_eq!(heard, marks);
        let published = messages.iter().map(|message| read(message).unwrap().1.published.len());
        assert_eq!(published.sum::<usize>(), 100);
        let long = "x".repeat(200);
        let said = Heard { era: 2, marks: vec![(1, vec![Name::tag(&long)])], published: vec![long] };
        assert!(super::messages(1, &said, 128).is_empty());
    }

    #[test]
    fn whatever_comes_is_read_or_refused() {
        for message in [marks(), published()].map(|said| messages(1, &said, 1_000).remove(0)) {
            for length in 0..message.len() {
                assert!(matches!(hear(&message[..length], 2), Hearing::Unreadable), "cut at {length}");
            }
            for byte in 0..message.len() {
                let mut changed = message.clone();
                changed[byte] ^= 0xFF;
                let _ = hear(&changed, 2);
            }
            let mut many = message[..18].to_vec();
            many.extend([0xFF, 0xFF, 0xFF, 0xFF, 0x7F]);
            assert!(matches!(hear(&many, 2), Hearing::Unreadable));
        }
    }
}
