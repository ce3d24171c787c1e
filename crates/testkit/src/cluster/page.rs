//! What the nodes of a simulated cluster cache: pages made of rows of a database.

use bytes::Bytes;
use larder_core::{Codec, Error, ErrorKind, Format, Result};
use std::fmt;
use std::sync::Arc;

/// The value that a simulated cluster caches: a page, made of versions of rows. Cloning it copies a pointer.
///
/// It knows for which key it was made, by which load or insertion, and from what, so that a checker can tell whether it
/// may still be served.
#[derive(Clone, PartialEq, Eq)]
pub struct Page(Arc<Content>);

#[derive(PartialEq, Eq)]
struct Content {
    key: u64,
    number: u64,
    rows: Vec<(u64, u64)>,
}

impl Page {
    pub(crate) fn new(key: u64, number: u64, rows: Vec<(u64, u64)>) -> Self {
        Page(Arc::new(Content { key, number, rows }))
    }

    /// Returns the key that it was made for.
    pub fn key(&self) -> u64 {
        self.0.key
    }

    /// Returns its number: every load and every insertion makes another page.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// Returns the rows that it was made from, each with its version.
    pub fn rows(&self) -> &[(u64, u64)] {
        &self.0.rows
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {} of key {}, made from", self.number(), self.key())?;
        for (row, version) in self.rows() {
            write!(f, " row {row} v{version}")?;
        }
        Ok(())
    }
}

/// The codec of [`Page`]: numbers of eight bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pages;

impl Format for Pages {
    const ID: u8 = 201;
}

impl Codec<Page> for Pages {
    fn encode(&self, page: &Page, out: &mut Vec<u8>) -> Result<()> {
        let mut number = |number: u64| out.extend_from_slice(&number.to_be_bytes());
        number(page.key());
        number(page.number());
        for (row, version) in page.rows() {
            number(*row);
            number(*version);
        }
        Ok(())
    }

    fn decode(&self, bytes: &Bytes) -> Result<Page> {
        let (chunks, rest) = bytes.as_chunks::<8>();
        let numbers: Vec<_> = chunks.iter().map(|chunk| u64::from_be_bytes(*chunk)).collect();
        match &numbers[..] {
            [key, number, rows @ ..] if rest.is_empty() && rows.len() % 2 == 0 => {
                let rows = rows.chunks(2).map(|row| (row[0], row[1])).collect();
                Ok(Page::new(*key, *number, rows))
            }
            _ => Err(Error::new(ErrorKind::Codec, "no page of a simulated cluster")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_survives_its_codec_and_nothing_else_does() {
        let page = Page::new(3, 7, vec![(0, 1), (2, 5)]);
        let mut bytes = Vec::new();
        Pages.encode(&page, &mut bytes).unwrap();
        assert_eq!(Pages.decode(&bytes.clone().into()).unwrap(), page);
        for length in [0, 8, 17, bytes.len() - 8, bytes.len() - 1] {
            assert!(Pages.decode(&bytes[..length].to_vec().into()).is_err(), "{length} bytes");
        }
    }
}
