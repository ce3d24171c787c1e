//! The store over S3, by moto.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

mod support {
    pub(crate) mod cloud;
}

mod conformance {
    larder_testkit::conformance!(bytes, || async { crate::support::cloud::s3() });
}

mod json {
    use larder_codecs::Json;
    use larder_memory::Memory;

    larder_testkit::conformance!(codec, || Json, || Memory::<str, bytes::Bytes>::new(2_000), || async {
        crate::support::cloud::s3()
    });
}

mod message_pack {
    use larder_codecs::MessagePack;
    use larder_memory::Memory;

    larder_testkit::conformance!(
        codec,
        || MessagePack,
        || Memory::<str, bytes::Bytes>::new(2_000),
        || async { crate::support::cloud::s3() }
    );
}

use larder_core::{ByteStore, ErrorKind, PutIf, SystemClock};
use larder_testkit::servers::Moto;
use std::time::Duration;
use support::cloud::{s3, s3_options};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_bucket_is_opened_and_checked_by_its_address() {
    let url = format!(
        "s3://{}/some/prefix?endpoint={}&allow_http=true&region=eu-central-1&access_key_id=id",
        Moto::shared().bucket(),
        Moto::shared().url()
    );
    let options = larder_object::ObjectOptions::new().without_environment().with("secret_access_key", "x");
    let store = options.open(&url).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();

    let again = options.open(&url).await.unwrap();
    assert_eq!(again.get("users:ada").await.unwrap(), Some("1815".into()));
    assert_eq!(again.purge_expired(&SystemClock).await.unwrap().examined, 1, "the check left something");
    let shown = format!("{again:?}");
    assert!(shown.contains("/some/prefix") && !shown.contains("secret") && !shown.contains("id="), "{shown}");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told_of_at_open() {
    let error = s3_options().open("s3://larder-test-missing/x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(text.contains("s3://larder-test-missing/x: there is no such bucket"), "{text}");
}

/// The entity tag of S3 is a hash of the content, and the content of the two puts is the same.
#[tokio::test]
async fn the_same_bytes_put_again_are_not_the_same_record() {
    let store = s3();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let token = store.get_with_token("users:ada", HOUR).await.unwrap().token.unwrap();

    store.remove("users:ada").await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    assert_eq!(store.put_if("users:ada", &token, "1816".into(), None).await.unwrap(), PutIf::Refused);
}

/// More than a request for removals takes, and than a page of a listing has.
#[tokio::test]
async fn many_objects_are_put_purged_in_pages_and_removed() {
    let store = s3().concurrency(8);
    let keys: Vec<String> = (0..1_100).map(|number| format!("users:{number}")).collect();
    let puts: Vec<_> =
        keys.iter().map(|key| larder_core::Put { key, bytes: "x".into(), expires_at: None }).collect();
    assert!(store.put_many(&puts).await.iter().all(Result::is_ok));

    let first =
        store.purge_page(&SystemClock, &larder_object::PurgePosition::default(), 1_050).await.unwrap();
    assert_eq!((first.0.examined, first.0.unreadable), (1_050, 1_050));
    let (second, end) = store.purge_page(&SystemClock, &first.1.unwrap(), 1_050).await.unwrap();
    assert_eq!((second.examined, end), (50, None));

    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert!(store.remove_many(&names).await.iter().all(Result::is_ok));
    assert_eq!(store.purge_expired(&SystemClock).await.unwrap().examined, 0);
}
