//! A store of bytes used through each codec passes the suite, alone and under a level of values.
#![cfg(all(
    feature = "json",
    feature = "msgpack",
    feature = "postcard",
    feature = "protobuf",
    feature = "cbor",
    feature = "rkyv"
))]

macro_rules! passes {
    ($($module:ident: $codec:ident)*) => {$(
        mod $module {
            use larder_codecs::$codec;
            use larder_testkit::{Fake, FakeBytes};

            larder_testkit::conformance!(codec, || $codec, Fake::<str, bytes::Bytes>::new, || async {
                FakeBytes::new()
            });
        }
    )*};
}

passes! {
    json: Json
    message_pack: MessagePack
    compact_message_pack: CompactMessagePack
    postcard: Postcard
    protobuf: Protobuf
    cbor: Cbor
    rkyv: Rkyv
}
