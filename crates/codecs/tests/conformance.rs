//! A store of bytes used through each codec passes the suite, alone and under a level of values.
#![cfg(all(feature = "json", feature = "msgpack"))]

mod json {
    use larder_codecs::Json;
    use larder_testkit::{Fake, FakeBytes};

    larder_testkit::conformance!(codec, || Json, Fake::<str, bytes::Bytes>::new, || async {
        FakeBytes::new()
    });
}

mod message_pack {
    use larder_codecs::MessagePack;
    use larder_testkit::{Fake, FakeBytes};

    larder_testkit::conformance!(codec, || MessagePack, Fake::<str, bytes::Bytes>::new, || async {
        FakeBytes::new()
    });
}
