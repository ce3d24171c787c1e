//! Bounds how deep a value may be nested, how many elements its sequences may have, and what lengths may ask for.
//!
//! - `rmp_serde` counts arrays and maps but not enums, whose nesting costs two bytes a level: a hundred kilobytes
//!   would overflow the stack, which ends the process. `postcard` counts nothing. No format counts `Some`, which
//!   can nest alone (`struct Chain(Option<Box<Chain>>)`) and costs a byte a level in one, and none in others.
//! - Sequences hand on whatever length they declare, and each level of a nested one may allocate for its own.
//! - What takes no bytes, as `()` in Postcard, can be declared 2^63 times in ten bytes.
//!
//! So the decoding is counted from outside, by wrapping all that serde hands on. (To look the bytes over
//! beforehand would be shorter, but a second pass, right only as long as two readers agree on every byte, and
//! impossible where the bytes do not tell what they are.)

use crate::withheld::{TOO_DEEP, TOO_MANY};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::cell::Cell;
use std::fmt;

/// As deep as JSON goes. A level takes some kilobytes of stack in a debug build, and a thread has 2 MiB.
pub(crate) const MAX_DEPTH: usize = 128;

/// How many elements may take no bytes, in all sequences together.
#[cfg(any(feature = "msgpack", feature = "postcard"))]
const EMPTY_ELEMENTS: usize = 65_536;

/// What one decoding may still take, wherever in the value it is.
pub(crate) struct Bounds {
    /// Elements of sequences and maps. An element that takes bytes has a first one, which is no other's, so
    /// there are at most as many of these as bytes.
    elements: Cell<usize>,
    /// Elements for which room may be made before they are seen: for the same reason, honest lengths never sum
    /// up to more than there are bytes.
    room: Cell<usize>,
    refused: Cell<Option<&'static str>>,
}

impl Bounds {
    #[cfg(any(feature = "msgpack", feature = "postcard"))]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let elements = bytes.len().saturating_add(EMPTY_ELEMENTS);
        Bounds { elements: Cell::new(elements), room: Cell::new(bytes.len()), refused: Cell::new(None) }
    }

    /// For bytes of unknown number, in which every element takes one: they end, and no room is made beforehand.
    #[cfg(feature = "cbor")]
    pub(crate) fn of_unknown() -> Self {
        Bounds { elements: Cell::new(usize::MAX), room: Cell::new(0), refused: Cell::new(None) }
    }

    pub(crate) fn around<T>(&self, inner: T) -> Bounded<'_, T> {
        Bounded { inner, bounds: self, levels: MAX_DEPTH, options: MAX_DEPTH, fixed: false }
    }

    /// Why this decoding was ended, if it was: for a format whose errors keep no text.
    #[cfg(feature = "postcard")]
    pub(crate) fn refused(&self) -> Option<&'static str> {
        self.refused.get()
    }

    fn refuse<E: Error>(&self, why: &'static str) -> E {
        self.refused.set(Some(why));
        E::custom(why)
    }
}

/// A part of serde's machinery, whichever, with what it may still do.
pub(crate) struct Bounded<'b, T> {
    inner: T,
    bounds: &'b Bounds,
    /// Levels of arrays, maps and enums that may still be entered.
    levels: usize,
    /// Levels of `Some`, counted apart, so that a list linked by options may be as long here as in JSON.
    options: usize,
    /// Whether it is a tuple or a struct: its type says how many elements it has, and they need not be counted.
    fixed: bool,
}

impl<'b, T> Bounded<'b, T> {
    fn pass<U>(&self, inner: U) -> Bounded<'b, U> {
        Bounded { inner, bounds: self.bounds, levels: self.levels, options: self.options, fixed: false }
    }

    fn fixed<U>(&self, inner: U) -> Bounded<'b, U> {
        Bounded { fixed: true, ..self.pass(inner) }
    }

    fn enter<U, E: Error>(&self, inner: U) -> Result<Bounded<'b, U>, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| self.bounds.refuse(TOO_DEEP))?;
        Ok(Bounded { levels, ..self.pass(inner) })
    }

    fn enter_some<U, E: Error>(&self, inner: U) -> Result<Bounded<'b, U>, E> {
        let options = self.options.checked_sub(1).ok_or_else(|| self.bounds.refuse(TOO_DEEP))?;
        Ok(Bounded { options, ..self.pass(inner) })
    }

    fn enter_elements<U, E: Error>(&self, inner: U, declared: Option<usize>) -> Result<Elements<'b, U>, E> {
        let part = self.enter(inner)?;
        if self.fixed {
            return Ok(Elements { part, counted: false, room: 0 });
        }
        let left = self.bounds.room.get();
        let room = declared.unwrap_or(0).min(left);
        self.bounds.room.set(left - room);
        Ok(Elements { part, counted: true, room })
    }
}

/// The elements of a sequence or a map.
struct Elements<'b, A> {
    part: Bounded<'b, A>,
    counted: bool,
    /// For how many of them room may be made beforehand.
    room: usize,
}

impl<A> Elements<'_, A> {
    fn count<E: Error>(&self) -> Result<(), E> {
        if self.counted {
            let bounds = self.part.bounds;
            let left = bounds.elements.get().checked_sub(1).ok_or_else(|| bounds.refuse(TOO_MANY))?;
            bounds.elements.set(left);
        }
        Ok(())
    }
}

macro_rules! deserialize {
    ($wrap:ident $($method:ident($($name:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.$wrap(visitor);
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    deserialize! { pass
        deserialize_any() deserialize_bool()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char()
        deserialize_string() deserialize_byte_buf()
        deserialize_option() deserialize_unit() deserialize_seq() deserialize_map()
        deserialize_identifier() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    deserialize! { fixed
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
    }

    // Nothing borrows from the bytes, so these may ask for what is owned. `ciborium` reads only short texts
    // and runs of bytes otherwise.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_byte_buf(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Expected::fmt(&self.inner, f)
    }

    visit! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128)
        visit_f32(f32) visit_f64(f64) visit_char(char)
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.enter_some(deserializer)?;
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.pass(deserializer);
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        let declared = seq.size_hint();
        let seq = self.enter_elements(seq, declared)?;
        self.inner.visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let declared = map.size_hint();
        let map = self.enter_elements(map, declared)?;
        self.inner.visit_map(map)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        let data = self.enter(data)?;
        self.inner.visit_enum(data)
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let deserializer = self.pass(deserializer);
        self.inner.deserialize(deserializer)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let seed = self.part.pass(seed);
        let element = self.part.inner.next_element_seed(seed)?;
        if element.is_some() {
            self.count()?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.part.inner.size_hint().map(|left| left.min(self.room)).filter(|room| *room > 0)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let seed = self.part.pass(seed);
        let key = self.part.inner.next_key_seed(seed)?;
        if key.is_some() {
            self.count()?;
        }
        Ok(key)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        let seed = self.part.pass(seed);
        self.part.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.part.inner.size_hint().map(|left| left.min(self.room)).filter(|room| *room > 0)
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = A::Error;
    type Variant = Bounded<'b, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        let (seed, rest) = (self.pass(seed), self.pass(()));
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((value, rest.pass(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        let seed = self.pass(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.fixed(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.fixed(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}
