//! Opening a folder: it is made, or the error says at once what is wrong.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use larder_core::{ByteStore, ErrorKind};
use larder_object::Object;

#[test]
fn a_folder_that_cannot_be_made_is_an_error_with_its_path_and_the_cure() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    std::fs::write(&file, "in the way").unwrap();

    for path in [file.clone(), file.join("below")] {
        let error = Object::local(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(error.to_string().contains("choose another path, or create the folder"), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"in the way");
}

#[tokio::test]
async fn what_lies_in_the_folder_already_is_left_alone() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("notes.txt"), "mine").unwrap();

    let store = Object::local(scratch.path()).unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    store.remove("users:ada").await.unwrap();

    assert_eq!(std::fs::read(scratch.path().join("notes.txt")).unwrap(), b"mine");
}
