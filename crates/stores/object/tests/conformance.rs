//! The suite that every store passes, on both backends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use larder_object::Object;

mod in_memory {
    use super::Object;

    larder_testkit::conformance!(bytes, || async { Object::in_memory() });
}

mod local {
    use super::Object;

    larder_testkit::conformance!(bytes, || async {
        // Kept until the process ends; the system empties its folder for temporary files.
        let folder = tempfile::tempdir().unwrap().keep();
        Object::local(folder).unwrap()
    });
}
