//! Archives of rkyv.
//!
//! It is the low-level API, in which there are no shared pointers, that makes hostile bytes harmless. Each pointer
//! has a part of the bytes to itself, so nothing is read twice and there are no cycles. Shared ones may lie on one
//! another, and only the archived type of what they lie on is compared, which `Arc<u32>` and
//! `Arc<usize>` have in common: rkyv 0.8.18 hands out the one as the other.

use ::rkyv::api::access_with_context;
use ::rkyv::api::low::{LowDeserializer, LowSerializer, LowValidator, deserialize, to_bytes_in_with_alloc};
use ::rkyv::bytecheck::CheckBytes;
use ::rkyv::primitive::FixedIsize;
use ::rkyv::rancor::{Source, Trace};
use ::rkyv::ser::allocator::ArenaHandle;
use ::rkyv::ser::{Positional, Writer};
use ::rkyv::util::{AlignedVec, with_arena};
use ::rkyv::validation::{Validator, archive::ArchiveValidator};
use ::rkyv::{Archive, Deserialize, Serialize};
use bytes::Bytes;
use larder_core::{Codec, Error, ErrorKind, Format};
use std::fmt;
use std::num::NonZeroUsize;

/// Encodes values as archives of [rkyv](https://rkyv.org) 0.8, the fastest to write and to read.
///
/// For values of 0.2 to 500 kB it is measured (the bench `travel`) to write 1.1 to 1.5 times and to read 1.1 to 1.3 times
/// as fast as [`Postcard`](crate::Postcard). It costs this:
/// - Derives of rkyv on the type and on every type in it. Those of serde do not help, nor are they needed.
/// - About twice the bytes of Postcard where there are many numbers: these have their full width, and parts are aligned.
/// - **A type must not change while values of it are stored**, in no way: the bytes hold nothing that tells what they
///   are, and the old ones may be read as a *wrong value*. Give each form of it another
///   [`version`](larder_core::Cache::version), for which the others' bytes are not there, or are
///   [migrated](larder_core::Cache::migrate).
/// - Nor must the features of rkyv that change the layout (`big_endian`, `unaligned`, `pointer_width_64` and so
///   on), of which the whole program has one set: any of its crates can turn them on.
///
/// What is read is a value of its own, no view of the bytes. They are copied first if they are not aligned, which
/// they seldom are.
///
/// `NaN` and the infinities come back, maps may have any keys, and `Some(None)` is not `None`. Not taken:
/// - Shared pointers, `Arc` and `Rc`: they [do not compile](Archivable), as they cannot be read safely from bytes that
///   anyone may have written.
/// - A `usize` or `isize` beyond 32 bits. rkyv **cuts it without a word**; use `u64` and `i64`.
/// - Alignments of more than 16 bytes (`#[rkyv(attr(repr(align(64))))]`): such a value is an error when read.
///
/// A value is read from the end of its bytes. With others after them it is an error or another value; others in front,
/// which no part of it points to, are not noticed.
///
/// # What is not bounded
///
/// Reading takes no more memory than a multiple of the bytes, which depends on the type, and of time as well. It is
/// not so for three sorts of fields, because rkyv does not let its reading be counted. Do not use this codec for them where
/// others can write to the store:
/// - a `Vec`, `Box<[T]>` or `VecDeque` of elements **whose archive takes no bytes**, as `Vec<()>` or that of a struct whose
///   fields all have `#[rkyv(with = rkyv::with::Skip)]`: eight bytes can declare four billion of them, which take time
///   in a debug build, and memory if what is skipped has a size
/// - `#[rkyv(with = rkyv::with::AsUnixTime)]`, which **panics** on a time that the system does not know
/// - those in a `Box` or `Vec` whose own code refuses what it reads: rkyv then **leaks** the memory of these
///
/// # Errors
///
/// [`ErrorKind::Codec`], without the value:
/// - encoding: more than 2 GiB; a value whose own `Serialize` fails
/// - decoding: visibly no archive of this type; nested deeper than 128 levels, of which each is a pointer: a
///   `Box`, `Vec`, `String` of more than 8 bytes, or a node of a map
///
/// # Examples
///
/// ```
/// use larder_codecs::Rkyv;
/// use larder_core::Codec;
///
/// #[derive(Debug, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
/// struct User {
///     name: String,
///     born: u16,
/// }
///
/// let ada = User { name: "ada".into(), born: 1815 };
/// let mut out = Vec::new();
/// Rkyv.encode(&ada, &mut out)?;
/// assert_eq!(&out[..], b"ada\xff\xff\xff\xff\xff\x17\x07\0\0");
///
/// let mut bytes = bytes::Bytes::from(out);
/// assert_eq!(ada, Rkyv.decode(&bytes)?);
/// assert!(Codec::<User>::decode(&Rkyv, &bytes.split_to(7)).is_err());
/// # larder_core::Result::Ok(())
/// ```
///
/// A type that holds itself tells rkyv what its own derives cannot find out:
///
/// ```
/// use larder_codecs::Rkyv;
/// use larder_core::Codec;
///
/// #[derive(Debug, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
/// #[rkyv(
///     serialize_bounds(__S: rkyv::ser::Writer + rkyv::ser::Allocator, __S::Error: rkyv::rancor::Source),
///     deserialize_bounds(__D::Error: rkyv::rancor::Source),
///     bytecheck(bounds(__C: rkyv::validation::ArchiveContext, __C::Error: rkyv::rancor::Source))
/// )]
/// enum Tree {
///     Leaf(u32),
///     Node(#[rkyv(omit_bounds)] Vec<Tree>),
/// }
///
/// let tree = Tree::Node(vec![Tree::Leaf(18), Tree::Node(vec![Tree::Leaf(15)])]);
/// let mut out = Vec::new();
/// Rkyv.encode(&tree, &mut out)?;
/// assert_eq!(tree, Rkyv.decode(&out.into())?);
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Rkyv;

impl Format for Rkyv {
    const ID: u8 = 7;
}

impl<V: Archivable> Codec<V> for Rkyv {
    fn encode(&self, value: &V, out: &mut Vec<u8>) -> larder_core::Result<()> {
        value.write(out).map_err(|refused| match refused {
            Refused::TooLong => failed("longer than 2 GiB"),
            _ => failed("the value cannot be written: its own rkyv code failed"),
        })
    }

    fn decode(&self, bytes: &Bytes) -> larder_core::Result<V> {
        let read = if bytes.as_ptr().addr().is_multiple_of(ALIGNMENT) {
            V::read(bytes)
        } else {
            // Never without room, as the pointer would then be aligned to nothing.
            let mut aligned = AlignedVec::<ALIGNMENT>::with_capacity(bytes.len().max(1));
            aligned.extend_from_slice(bytes);
            V::read(&aligned)
        };
        read.map_err(|refused| match refused {
            Refused::TooDeep => failed("nested deeper than 128 levels"),
            _ => failed("the bytes are no such value; the details may show them and are withheld"),
        })
    }
}

/// What [`Rkyv`] encodes: every type that derives `Archive`, `Serialize` and `Deserialize` of rkyv and holds no
/// shared pointers.
///
/// It is implemented for these, stands for the bounds, and has no methods of its own.
///
/// A field that is shared is written as if it were not, and what it points to once for each pointer, with
/// `#[rkyv(with = rkyv::with::Unshare)]`, or `Map<Unshare>` for a list. For `Arc<str>` there is no such way in rkyv.
///
/// ```
/// # use larder_codecs::Rkyv;
/// # use larder_core::Codec;
/// # use std::sync::Arc;
/// #[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
/// struct Country {
///     #[rkyv(with = rkyv::with::Unshare)]
///     name: Arc<String>,
/// }
///
/// Rkyv.encode(&Country { name: Arc::new("Wales".into()) }, &mut Vec::new())?;
/// # larder_core::Result::Ok(())
/// ```
///
/// ```compile_fail,E0277
/// # use larder_codecs::Rkyv;
/// # use larder_core::Codec;
/// # use std::sync::Arc;
/// #[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
/// struct Country {
///     name: Arc<String>,
/// }
///
/// Rkyv.encode(&Country { name: Arc::new("Wales".into()) }, &mut Vec::new())?;
/// # larder_core::Result::Ok(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be archived by rkyv",
    note = "derive `rkyv::Archive`, `rkyv::Serialize` and `rkyv::Deserialize` on it and on what it holds",
    note = "a field that is an `Arc` or `Rc` needs `#[rkyv(with = rkyv::with::Unshare)]`"
)]
pub trait Archivable: sealed::Sealed {}

impl<V: sealed::Sealed> Archivable for V {}

mod sealed {
    use super::Refused;

    pub trait Sealed: Sized {
        fn write(&self, out: &mut Vec<u8>) -> Result<(), Refused>;
        fn read(bytes: &[u8]) -> Result<Self, Refused>;
    }
}

impl<V> sealed::Sealed for V
where
    V: Archive + for<'o, 'a> Serialize<LowSerializer<Appended<'o>, ArenaHandle<'a>, Refused>>,
    V::Archived: for<'b> CheckBytes<LowValidator<'b, Refused>> + Deserialize<V, LowDeserializer<Refused>>,
{
    fn write(&self, out: &mut Vec<u8>) -> Result<(), Refused> {
        let out = Appended { start: out.len(), out, max_length: MAX_LENGTH };
        with_arena(|arena| to_bytes_in_with_alloc(self, out, arena.acquire()).map(drop))
    }

    fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let archive = ArchiveValidator::with_max_depth(bytes, MAX_DEPTH);
        let archived = access_with_context::<V::Archived, _, _>(bytes, &mut Validator::new(archive, ()))?;
        deserialize(archived)
    }
}

/// The largest of what rkyv archives by itself, `u128`.
const ALIGNMENT: usize = 16;

/// 128 levels below the value, which is one, and the count must not come to nothing.
const MAX_DEPTH: Option<NonZeroUsize> = NonZeroUsize::new(128 + 2);

/// How far apart a pointer and what it points to may be. rkyv would panic.
const MAX_LENGTH: usize = FixedIsize::MAX as usize;

/// Writes to the end of a buffer. Positions count from where the value begins, and so does the alignment.
struct Appended<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    max_length: usize,
}

impl Positional for Appended<'_> {
    fn pos(&self) -> usize {
        self.out.len() - self.start
    }
}

impl Writer<Refused> for Appended<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        if bytes.len() > self.max_length - self.pos() {
            return Err(Refused::TooLong);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

/// Why rkyv did not go on. Its own words have addresses and values in them, and take memory.
#[derive(Debug)]
pub enum Refused {
    TooDeep,
    TooLong,
    Otherwise,
}

impl Source for Refused {
    fn new<T: std::error::Error + Send + Sync + 'static>(_: T) -> Self {
        Refused::Otherwise
    }
}

impl Trace for Refused {
    fn trace<R: fmt::Debug + fmt::Display + Send + Sync + 'static>(self, trace: R) -> Self {
        self.because(&trace)
    }
}

impl Refused {
    /// Not inlined into each of the many places where rkyv might come upon an error.
    #[cold]
    #[inline(never)]
    fn because(self, trace: &dyn fmt::Display) -> Self {
        // The type of this trace is private to rkyv.
        let is_depth = || trace.to_string().ends_with("exceeded the maximum subtree depth");
        if matches!(self, Refused::Otherwise) && is_depth() { Refused::TooDeep } else { self }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Refused {}

fn failed(why: &'static str) -> Error {
    Error::new(ErrorKind::Codec, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_its_pointers_could_not_reach_over_is_not_written() {
        let written = |max_length| {
            let mut out = b"header".to_vec();
            let appended = Appended { start: out.len(), out: &mut out, max_length };
            let done = with_arena(|arena| {
                to_bytes_in_with_alloc(&vec![7_u64; 100], appended, arena.acquire()).map(drop)
            });
            (done, out.len())
        };
        assert!(matches!(written(807), (Err(Refused::TooLong), _)));
        assert!(matches!(written(808), (Ok(()), 814)));
    }
}
