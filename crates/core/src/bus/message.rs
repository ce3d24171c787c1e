//! What processes tell each other: which names were marked, with which numbers.
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

use crate::envelope::{Reader, put_text, put_varint};
use crate::shared_log::Name;

const HEAD: [u8; 2] = [b'L', 1];

/// What a message says.
pub(crate) struct Heard {
    pub(crate) era: u64,
    pub(crate) marks: Vec<(u64, Vec<Name>)>,
}

/// Returns messages of at most `most` bytes that together say this. What does not fit in any is left out: the log has it.
pub(super) fn messages(sender: u64, era: u64, marks: &[(u64, Vec<Name>)], most: usize) -> Vec<Vec<u8>> {
    let head = |count: u64| {
        let mut out = HEAD.to_vec();
        out.extend(sender.to_le_bytes());
        out.extend(era.to_le_bytes());
        put_varint(count, &mut out);
        out
    };
    let longest_head = head(u64::from(u32::MAX)).len();
    let (mut messages, mut body, mut count) = (Vec::new(), Vec::new(), 0);
    for (number, names) in marks {
        let mut mark = Vec::new();
        put_varint(*number, &mut mark);
        put_varint(names.len() as u64, &mut mark);
        for name in names {
            put_text(name.as_str(), &mut mark);
        }
        if longest_head + mark.len() > most {
            continue;
        }
        if count > 0 && longest_head + body.len() + mark.len() > most {
            messages.push([head(count), std::mem::take(&mut body)].concat());
            count = 0;
        }
        body.extend(mark);
        count += 1;
    }
    if count > 0 {
        messages.push([head(count), body].concat());
    }
    messages
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
    let heard = Heard { era: u64::from_le_bytes(*era), marks };
    (reader.position == rest.len()).then_some((u64::from_le_bytes(*sender), heard))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Vec<(u64, Vec<Name>)> {
        vec![
            (7, vec![Name::key("users:ada"), Name::tag("a").expiring()]),
            (8, vec![]),
            (9, vec![Name::namespace("u:")]),
        ]
    }

    #[test]
    fn a_message_comes_back_and_ones_own_is_not_heard() {
        let [message] = &messages(1, 0xE4A, &marks(), 1_000)[..] else { panic!("it is one") };
        let (sender, heard) = read(message).unwrap();
        assert_eq!(sender, 1);
        assert_eq!((heard.era, heard.marks), (0xE4A, marks()));
        assert!(matches!(hear(message, 1), Hearing::Own));
    }

    /// What a release sends, later ones read.
    #[test]
    fn the_bytes_of_a_message_are_these() {
        let golden = b"L\x01\x01\0\0\0\0\0\0\0\x4A\x0E\0\0\0\0\0\0\x03\x07\x02\x0Bk-users:ada\x03t~a\x08\0\x09\x01\x04n-u:";
        assert_eq!(messages(1, 0xE4A, &marks(), 1_000), [golden.to_vec()]);
    }

    #[test]
    fn what_is_too_long_for_one_message_goes_in_several_and_what_is_for_any_in_none() {
        let marks: Vec<_> = (1..=100).map(|number| (number, vec![Name::tag(&"x".repeat(20))])).collect();
        let messages = messages(1, 2, &marks, 128);
        assert!(messages.len() > 10 && messages.iter().all(|message| message.len() <= 128));
        let heard: Vec<_> = messages.iter().flat_map(|message| read(message).unwrap().1.marks).collect();
        assert_eq!(heard, marks);
        assert!(super::messages(1, 2, &[(1, vec![Name::tag(&"x".repeat(200))])], 128).is_empty());
    }

    #[test]
    fn whatever_comes_is_read_or_refused() {
        let message = messages(1, 2, &marks(), 1_000).remove(0);
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
