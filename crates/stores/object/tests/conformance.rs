//! The suite that every store passes, on both backends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_object::Object;
use larder_testkit::Together;
use tempfile::TempDir;

mod in_memory {
    use super::Object;

    larder_testkit::conformance!(bytes, || async { Object::in_memory() });
}

mod local {
    use super::in_folder;

    larder_testkit::conformance!(bytes, || async { in_folder(|folder| folder) });
}

mod in_memory_json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || async {
        larder_object::Object::in_memory()
    });
}

mod in_memory_message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, bytes::Bytes>::new(2_000),
        || async { larder_object::Object::in_memory() }
    );
}

mod local_json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || async {
        crate::in_folder(|folder| folder)
    });
}

mod local_message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, bytes::Bytes>::new(2_000),
        || async { crate::in_folder(|folder| folder) }
    );
}

/// With all that can be said of a folder.
mod local_with_options {
    use super::in_folder;

    larder_testkit::conformance!(bytes, || async {
        in_folder(|folder| {
            let bounded = folder.max_bytes_on_disk(64 << 20).unwrap().rewrite_after(0.5).unwrap();
            bounded.head_first(100).concurrency(3).timeout(std::time::Duration::from_secs(60))
        })
    });
}

mod given_with_tokens {
    use super::Object;
    use object_store::memory::InMemory;
    use std::sync::Arc;

    larder_testkit::conformance!(bytes, || async {
        Object::from_store(Arc::new(InMemory::new())).compare_and_set(true).head_first(100)
    });
}

/// A store and the folder that it is in, which goes with it.
fn in_folder(options: impl FnOnce(Object) -> Object) -> Together<Object, TempDir> {
    let folder = tempfile::tempdir().unwrap();
    Together::new(options(Object::local(folder.path()).unwrap()), folder)
}
