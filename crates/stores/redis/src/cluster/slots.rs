//! Which of the 16384 slots of a cluster a key is in.

pub(crate) const SLOTS: usize = 16_384;

/// Returns the slot of a key: of what is between the first `{` and the next `}` if that is something, else of all.
pub(crate) fn slot_of(key: &str) -> usize {
    let key = key.as_bytes();
    let tag = key.iter().position(|byte| *byte == b'{').map(|open| &key[open + 1..]);
    let tag = tag.and_then(|rest| rest.iter().position(|byte| *byte == b'}').map(|close| &rest[..close]));
    usize::from(crc16(tag.filter(|tag| !tag.is_empty()).unwrap_or(key))) % SLOTS
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| crc << 8 ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)])
}

const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte: u16 = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte << 8, 0);
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// As `CLUSTER KEYSLOT` has them.
    #[test]
    fn slots_are_those_of_the_server() {
        for (key, slot) in [
            ("123456789", 0x31C3),
            ("foo", 12_182),
            ("{foo}.bar", 12_182),
            ("users:{foo}", 12_182),
            ("{}foo", slot_of("{}foo")),
            ("", 0),
        ] {
            assert_eq!(slot_of(key), slot, "{key}");
        }
        assert_ne!(slot_of("{}foo"), slot_of("foo"), "an empty tag is none");
        assert_eq!(slot_of("{foo}{bar}"), slot_of("foo"));
        assert_ne!(slot_of("{foo"), slot_of("foo"));
    }
}
