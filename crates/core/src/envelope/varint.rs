//! Numbers of variable length (LEB128), and texts behind their length.

use bytes::BufMut;

pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7F {
        out.put_u8(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.put_u8(value.to_le_bytes()[0]);
}

pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) {
    put_varint(text.len() as u64, out);
    out.put_slice(text.as_bytes());
}
