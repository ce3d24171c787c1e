//! The store over Azure, by azurite.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod cloud;
}

mod conformance {
    larder_testkit::conformance!(bytes, || async { crate::support::cloud::azure() });
}

mod json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || async {
        crate::support::cloud::azure()
    });
}

mod message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, bytes::Bytes>::new(2_000),
        || async { crate::support::cloud::azure() }
    );
}

use larder_core::{ByteStore, ErrorKind, SystemClock};
use larder_object::{Object, PurgePosition};
use larder_testkit::servers::Azurite;
use support::cloud::{azure, azure_options};

#[tokio::test]
async fn a_container_is_opened_and_checked_by_its_address() {
    let url = format!("az://{}/some/prefix", Azurite::shared().container());
    let store = azure_options().open(&url).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let again: Object = azure_options().open(&url).await.unwrap();
    assert_eq!(again.get("users:ada").await.unwrap(), Some("1815".into()));
    assert_eq!(again.purge_expired(&SystemClock).await.unwrap().examined, 1, "the check left something");
}

#[tokio::test]
async fn a_container_that_is_not_there_is_told_of_at_open() {
    let error = azure_options().open("az://larder-test-missing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("az://larder-test-missing: there is no such bucket"), "{error}");
}

#[tokio::test]
async fn a_wrong_key_is_told_of_and_not_shown() {
    // Any bytes, in base64.
    let wrong = "aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg==";
    let url = format!("az://{}", Azurite::shared().container());
    let options = azure_options().with_account(Azurite::ACCOUNT, wrong);
    let error = options.open(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the credentials are not accepted"), "{error} {error:?}");
    assert!(!format!("{error} {error:?} {options:?}").contains(wrong), "{error:?}");
}

/// The emulator begins each listing at the beginning, wherever it is asked to begin.
#[tokio::test]
async fn pages_of_a_purge_follow_each_other() {
    let store = azure();
    for number in 0..25 {
        store.put(&format!("users:{number}"), "no envelope".into(), None).await.unwrap();
    }
    let mut from = PurgePosition::default();
    for (examined, goes_on) in [(10, true), (10, true), (5, false)] {
        let (purged, next) = store.purge_page(&SystemClock, &from, 10).await.unwrap();
        assert_eq!((purged.examined, next.is_some()), (examined, goes_on));
        from = next.unwrap_or_default();
    }
}
