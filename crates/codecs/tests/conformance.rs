//! A store of bytes used through each codec passes the suite, alone and under a level of values.
#![cfg(all(
    feature = "json",
    feature = "msgpack",
    feature = "postcard",
    feature = "protobuf",
    feature = "cbor",
    feature = "rkyv",
    feature = "zstd",
    feature = "encryption"
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

/// Everything that can be said about how values travel, said at once.
mod in_layers {
    use bytes::Bytes;
    use larder_codecs::{Compressing, EncryptionKeys, Json, MessagePack};
    use larder_core::{Cache, Codec};
    use larder_testkit::{Fake, FakeBytes, MockClock};

    fn layered(store: FakeBytes, clock: &MockClock) -> Cache<str, Bytes> {
        Cache::new(store)
            .codec(MessagePack)
            .also_reads(Json)
            .version(2)
            .migrate(|_, bytes| MessagePack.decode(bytes))
            .encrypted(EncryptionKeys::new(1, [7; 32]))
            .zstd(1)
            .clock(clock.clone())
            .boxed()
    }

    mod alone {
        use super::{FakeBytes, layered};

        larder_testkit::conformance!(@behaviours || async { FakeBytes::new() }, layered,
            empty_and_mebibyte_values_come_back);
    }

    mod under_memory {
        use super::{Bytes, Cache, Fake, FakeBytes, layered};

        larder_testkit::conformance!(@behaviours || async { FakeBytes::new() }, |store, clock| {
            Cache::new(Fake::<str, Bytes>::new()).chain(layered(store, clock)).clock(clock.clone()).boxed()
        }, empty_and_mebibyte_values_come_back);
    }
}
