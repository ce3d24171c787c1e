//! A key of any type that the core has texts for, in tuples of any mixture. Its text is the core's.

use super::key_text::Meaning;
use bytes::Bytes;
use larder_core::{ByteStore, Cache, Capabilities, Key, Raw, Result};
use std::borrow::Cow;
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AnyKey {
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    Usize(usize),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    Isize(isize),
    NonZeroU64(NonZero<u64>),
    NonZeroI128(NonZero<i128>),
    Text(String),
    SharedText(Arc<str>),
    BoxedText(Box<str>),
    Flag(bool),
    Letter(char),
    Bytes(Vec<u8>),
    #[cfg(feature = "uuid")]
    Uuid(uuid::Uuid),
    Maybe(Box<Option<AnyKey>>),
    Nothing,
    One(Box<(AnyKey,)>),
    Two(Box<(AnyKey, AnyKey)>),
    Three(Box<(AnyKey, AnyKey, AnyKey)>),
    Four(Box<(AnyKey, AnyKey, AnyKey, AnyKey)>),
    Five(Box<(AnyKey, AnyKey, AnyKey, AnyKey, AnyKey)>),
    Six(Box<(AnyKey, AnyKey, AnyKey, AnyKey, AnyKey, AnyKey)>),
    Seven(Box<(AnyKey, AnyKey, AnyKey, AnyKey, AnyKey, AnyKey, AnyKey)>),
    Eight(Box<(AnyKey, AnyKey, AnyKey, AnyKey, AnyKey, AnyKey, AnyKey, AnyKey)>),
}

impl AnyKey {
    /// As many sorts of integers as there are.
    pub(crate) const INTEGERS: usize = 14;

    /// Makes an integer of one of the sorts, of as many of the `bits` as it takes.
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "that is what it says")]
    pub(crate) fn integer(sort: usize, bits: u128) -> Self {
        match sort {
            0 => AnyKey::U8(bits as u8),
            1 => AnyKey::U16(bits as u16),
            2 => AnyKey::U32(bits as u32),
            3 => AnyKey::U64(bits as u64),
            4 => AnyKey::U128(bits),
            5 => AnyKey::Usize(bits as usize),
            6 => AnyKey::I8(bits as i8),
            7 => AnyKey::I16(bits as i16),
            8 => AnyKey::I32(bits as i32),
            9 => AnyKey::I64(bits as i64),
            10 => AnyKey::I128(bits as i128),
            11 => AnyKey::Isize(bits as isize),
            // None of them is zero.
            12 => AnyKey::NonZeroU64(NonZero::new(bits as u64).unwrap_or(NonZero::<u64>::MIN)),
            _ => AnyKey::NonZeroI128(NonZero::new(bits as i128).unwrap_or(NonZero::<i128>::MIN)),
        }
    }

    /// Makes a text of one of three types.
    pub(crate) fn text_of(sort: usize, text: String) -> Self {
        match sort {
            0 => AnyKey::Text(text),
            1 => AnyKey::SharedText(text.into()),
            _ => AnyKey::BoxedText(text.into()),
        }
    }

    /// Makes a tuple of none to eight parts.
    pub(crate) fn tuple(parts: Vec<AnyKey>) -> Self {
        let length = parts.len();
        let mut parts = parts.into_iter();
        let mut part = || parts.next().expect("there are as many as were counted");
        match length {
            0 => AnyKey::Nothing,
            1 => AnyKey::One(Box::new((part(),))),
            2 => AnyKey::Two(Box::new((part(), part()))),
            3 => AnyKey::Three(Box::new((part(), part(), part()))),
            4 => AnyKey::Four(Box::new((part(), part(), part(), part()))),
            5 => AnyKey::Five(Box::new((part(), part(), part(), part(), part()))),
            6 => AnyKey::Six(Box::new((part(), part(), part(), part(), part(), part()))),
            7 => AnyKey::Seven(Box::new((part(), part(), part(), part(), part(), part(), part()))),
            8 => AnyKey::Eight(Box::new((part(), part(), part(), part(), part(), part(), part(), part()))),
            other => panic!("no tuple of {other} parts is a key"),
        }
    }

    /// What its text has to say.
    pub(crate) fn meaning(&self) -> Meaning {
        let integer = |number: &dyn ToString| Meaning::Integer(number.to_string());
        let tuple = |parts: &[&AnyKey]| Meaning::Tuple(parts.iter().map(|part| part.meaning()).collect());
        match self {
            AnyKey::U8(number) => integer(number),
            AnyKey::U16(number) => integer(number),
            AnyKey::U32(number) => integer(number),
            AnyKey::U64(number) => integer(number),
            AnyKey::U128(number) => integer(number),
            AnyKey::Usize(number) => integer(number),
            AnyKey::I8(number) => integer(number),
            AnyKey::I16(number) => integer(number),
            AnyKey::I32(number) => integer(number),
            AnyKey::I64(number) => integer(number),
            AnyKey::I128(number) => integer(number),
            AnyKey::Isize(number) => integer(number),
            AnyKey::NonZeroU64(number) => integer(number),
            AnyKey::NonZeroI128(number) => integer(number),
            AnyKey::Text(text) => Meaning::Text(text.clone()),
            AnyKey::SharedText(text) => Meaning::Text(text.to_string()),
            AnyKey::BoxedText(text) => Meaning::Text(text.to_string()),
            AnyKey::Flag(flag) => Meaning::Flag(*flag),
            AnyKey::Letter(letter) => Meaning::Letter(*letter),
            AnyKey::Bytes(bytes) => Meaning::Bytes(bytes.clone()),
            #[cfg(feature = "uuid")]
            AnyKey::Uuid(id) => Meaning::Uuid(*id.as_bytes()),
            AnyKey::Maybe(key) => Meaning::Maybe(key.as_ref().as_ref().map(|key| Box::new(key.meaning()))),
            AnyKey::Nothing => tuple(&[]),
            AnyKey::One(of) => tuple(&[&of.0]),
            AnyKey::Two(of) => tuple(&[&of.0, &of.1]),
            AnyKey::Three(of) => tuple(&[&of.0, &of.1, &of.2]),
            AnyKey::Four(of) => tuple(&[&of.0, &of.1, &of.2, &of.3]),
            AnyKey::Five(of) => tuple(&[&of.0, &of.1, &of.2, &of.3, &of.4]),
            AnyKey::Six(of) => tuple(&[&of.0, &of.1, &of.2, &of.3, &of.4, &of.5]),
            AnyKey::Seven(of) => tuple(&[&of.0, &of.1, &of.2, &of.3, &of.4, &of.5, &of.6]),
            AnyKey::Eight(of) => tuple(&[&of.0, &of.1, &of.2, &of.3, &of.4, &of.5, &of.6, &of.7]),
        }
    }
}

impl Key for AnyKey {
    fn text(&self) -> Cow<'_, str> {
        match self {
            AnyKey::U8(number) => number.text(),
            AnyKey::U16(number) => number.text(),
            AnyKey::U32(number) => number.text(),
            AnyKey::U64(number) => number.text(),
            AnyKey::U128(number) => number.text(),
            AnyKey::Usize(number) => number.text(),
            AnyKey::I8(number) => number.text(),
            AnyKey::I16(number) => number.text(),
            AnyKey::I32(number) => number.text(),
            AnyKey::I64(number) => number.text(),
            AnyKey::I128(number) => number.text(),
            AnyKey::Isize(number) => number.text(),
            AnyKey::NonZeroU64(number) => number.text(),
            AnyKey::NonZeroI128(number) => number.text(),
            AnyKey::Text(text) => text.text(),
            AnyKey::SharedText(text) => text.text(),
            AnyKey::BoxedText(text) => text.text(),
            AnyKey::Flag(flag) => flag.text(),
            AnyKey::Letter(letter) => letter.text(),
            AnyKey::Bytes(bytes) => bytes.text(),
            #[cfg(feature = "uuid")]
            AnyKey::Uuid(id) => id.text(),
            AnyKey::Maybe(key) => (**key).text(),
            AnyKey::Nothing => ().text(),
            AnyKey::One(of) => (**of).text(),
            AnyKey::Two(of) => (**of).text(),
            AnyKey::Three(of) => (**of).text(),
            AnyKey::Four(of) => (**of).text(),
            AnyKey::Five(of) => (**of).text(),
            AnyKey::Six(of) => (**of).text(),
            AnyKey::Seven(of) => (**of).text(),
            AnyKey::Eight(of) => (**of).text(),
        }
    }
}

thread_local! {
    /// A cache of every test's own; to make one for each key would be most of the work.
    static CACHE: (Asked, Cache<AnyKey, Bytes, Asked, Raw>) = {
        let asked = Asked::default();
        (asked.clone(), Cache::new(asked))
    };
}

/// Returns what a cache of this namespace asks its store for.
pub(crate) fn full_key(namespace: &str, key: &AnyKey) -> String {
    CACHE.with(|(asked, cache)| {
        let found = futures::executor::block_on(cache.clone().namespace(namespace).get(key));
        assert_eq!(found.expect("the store does not fail"), None);
        let full = asked.0.lock().expect("nobody panics with it").take();
        full.expect("the store was asked")
    })
}

/// Holds nothing, and keeps what it was asked for last.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Option<String>>>);

impl ByteStore for Asked {
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        *self.0.lock().expect("nobody panics with it") = Some(key.to_owned());
        Ok(None)
    }
    async fn put(&self, _: &str, _: Bytes, _: Option<SystemTime>) -> Result<()> {
        Ok(())
    }
    async fn remove(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.immediate()
    }
}
