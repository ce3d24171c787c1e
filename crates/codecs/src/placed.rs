//! Refuses to leave out a field where fields are known by their place.
//!
//! `#[serde(skip_serializing_if = "..")]` moves the fields that follow, and where no name stands beside them, what is
//! read is another value that nothing can notice. Serde tells the format of each such field that has a name, and the
//! formats ignore it. So the encoding is watched from outside, by wrapping all that serde hands on. Of
//! `skip_serializing` alone, and of a skip in a tuple struct or variant, serde tells nobody.

use crate::withheld::LEFT_OUT;
use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::fmt::Display;

/// A part of serde's machinery, whichever, that is told of each field.
pub(crate) struct Placed<T>(pub(crate) T);

impl<T: Serialize + ?Sized> Serialize for Placed<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Placed(serializer))
    }
}

macro_rules! serialize {
    ($($method:ident($($name:ident: $type:ty),*))*) => {$(
        fn $method(self, $($name: $type),*) -> Result<S::Ok, S::Error> {
            self.0.$method($($name),*)
        }
    )*};
}

macro_rules! begin {
    ($($method:ident($($name:ident: $type:ty),*) -> $part:ident)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<Placed<S::$part>, S::Error> {
            self.0.$method($($name),*).map(Placed)
        }
    )*};
}

impl<S: Serializer> Serializer for Placed<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Placed<S::SerializeSeq>;
    type SerializeTuple = Placed<S::SerializeTuple>;
    type SerializeTupleStruct = Placed<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Placed<S::SerializeTupleVariant>;
    type SerializeMap = Placed<S::SerializeMap>;
    type SerializeStruct = Placed<S::SerializeStruct>;
    type SerializeStructVariant = Placed<S::SerializeStructVariant>;

    serialize! {
        serialize_bool(v: bool)
        serialize_i8(v: i8) serialize_i16(v: i16) serialize_i32(v: i32) serialize_i64(v: i64) serialize_i128(v: i128)
        serialize_u8(v: u8) serialize_u16(v: u16) serialize_u32(v: u32) serialize_u64(v: u64) serialize_u128(v: u128)
        serialize_f32(v: f32) serialize_f64(v: f64) serialize_char(v: char) serialize_str(v: &str)
        serialize_bytes(v: &[u8]) serialize_none() serialize_unit() serialize_unit_struct(name: &'static str)
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str)
    }

    begin! {
        serialize_seq(len: Option<usize>) -> SerializeSeq
        serialize_tuple(len: usize) -> SerializeTuple
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeTupleVariant
        serialize_map(len: Option<usize>) -> SerializeMap
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeStructVariant
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Placed(value))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Placed(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, index, variant, &Placed(value))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! elements {
    ($($part:ident($($method:ident)*))*) => {$(
        impl<S: $part> $part for Placed<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            $(
                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                    self.0.$method(&Placed(value))
                }
            )*

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )*};
}

elements! {
    SerializeSeq(serialize_element)
    SerializeTuple(serialize_element)
    SerializeTupleStruct(serialize_field)
    SerializeTupleVariant(serialize_field)
    SerializeMap(serialize_key serialize_value)
}

macro_rules! fields {
    ($($part:ident)*) => {$(
        impl<S: $part> $part for Placed<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                self.0.serialize_field(name, &Placed(value))
            }

            fn skip_field(&mut self, _: &'static str) -> Result<(), S::Error> {
                Err(S::Error::custom(LEFT_OUT))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }
