//! The store over GCS, by the test kit's own server, which keeps generations.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod cloud;
}

mod conformance {
    larder_testkit::conformance!(bytes, || async { crate::support::cloud::gcs() });
}

mod json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || async {
        crate::support::cloud::gcs()
    });
}

mod message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, bytes::Bytes>::new(2_000),
        || async { crate::support::cloud::gcs() }
    );
}

use larder_core::{ByteStore, ErrorKind, SystemClock};
use larder_object::PurgePosition;
use larder_testkit::servers::Gcs;
use support::cloud::{gcs, gcs_options};

#[tokio::test]
async fn a_bucket_is_opened_and_checked_by_its_address() {
    let url = format!("gs://{}/some/prefix", Gcs::shared().bucket());
    let store = gcs_options().open(&url).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let again = gcs_options().open(&url).await.unwrap();
    assert_eq!(again.get("users:ada").await.unwrap(), Some("1815".into()));
    assert_eq!(again.purge_expired(&SystemClock).await.unwrap().examined, 1, "the check left something");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told_of_at_open() {
    let error = gcs_options().open("gs://larder-test-missing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("gs://larder-test-missing: there is no such bucket"), "{error}");
}

#[tokio::test]
async fn a_wrong_token_is_told_of_and_not_shown() {
    let url = format!("gs://{}", Gcs::shared().bucket());
    let error = gcs_options().with_bearer_token("hunter2").open(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the credentials are not accepted"), "{error} {error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn pages_of_a_purge_follow_each_other() {
    let store = gcs();
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
