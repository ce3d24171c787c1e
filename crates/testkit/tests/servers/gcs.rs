//! Google Cloud Storage, as a client of object stores sees it.

use futures::{StreamExt, TryStreamExt};
use larder_testkit::servers::Gcs;
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ClientOptions, CopyMode, CopyOptions, Error, GetOptions, GetRange, ObjectStore,
    ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use std::collections::HashSet;

fn client(gcs: &Gcs, bucket: &str, token: &str) -> GoogleCloudStorage {
    GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        .with_base_url(&gcs.url())
        .with_bearer_token(token)
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .build()
        .unwrap()
}

fn store() -> GoogleCloudStorage {
    client(Gcs::shared(), &Gcs::shared().bucket(), Gcs::TOKEN)
}

/// Each of these tests has a runtime of its own.
fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .unwrap()
        .block_on(test);
}

async fn names(store: &GoogleCloudStorage, prefix: Option<&str>) -> Vec<String> {
    let prefix = prefix.map(Path::from);
    store.list(prefix.as_ref()).map_ok(|object| object.location.to_string()).try_collect().await.unwrap()
}

async fn read(store: &GoogleCloudStorage, path: &Path) -> Vec<u8> {
    store.get(path).await.unwrap().bytes().await.unwrap().to_vec()
}

#[test]
fn an_object_is_what_was_put_with_its_attributes_until_it_is_deleted() {
    run(async {
        let (store, path) = (store(), Path::from("a folder/größe #1 100%"));
        let attributes = Attributes::from_iter([
            (Attribute::ContentType, "text/plain"),
            (Attribute::CacheControl, "no-store"),
            (Attribute::Metadata("origin".into()), "here"),
        ]);
        let put = store.put_opts(&path, "36".into(), attributes.clone().into()).await.unwrap();

        let got = store.get(&path).await.unwrap();
        assert_eq!(got.attributes, attributes);
        assert_eq!((&got.meta.location, got.meta.size), (&path, 2));
        assert_eq!((&got.meta.e_tag, &got.meta.version), (&put.e_tag, &put.version));
        assert_eq!(got.bytes().await.unwrap(), "36");
        let head = store.head(&path).await.unwrap();
        assert_eq!((head.size, &head.version), (2, &put.version));
        assert_eq!(names(&store, None).await, [path.to_string()]);

        store.delete(&path).await.unwrap();
        assert!(matches!(store.get(&path).await, Err(Error::NotFound { .. })));
        assert!(matches!(store.head(&path).await, Err(Error::NotFound { .. })));
        assert!(matches!(store.delete(&path).await, Err(Error::NotFound { .. })));
        assert_eq!(names(&store, None).await, [""; 0]);
    });
}

#[test]
fn ranges_are_cut_out() {
    run(async {
        let (store, path) = (store(), Path::from("digits"));
        store.put(&path, "0123456789".into()).await.unwrap();

        let get = async |range: GetRange| {
            let got = store.get_opts(&path, GetOptions { range: Some(range), ..Default::default() }).await?;
            assert_eq!(got.meta.size, 10);
            got.bytes().await
        };
        assert_eq!(get(GetRange::Bounded(2..5)).await.unwrap(), "234");
        assert_eq!(get(GetRange::Offset(7)).await.unwrap(), "789");
        assert_eq!(get(GetRange::Suffix(3)).await.unwrap(), "789");
        assert!(get(GetRange::Offset(10)).await.is_err());
        assert_eq!(store.get_ranges(&path, &[0..1, 9..10]).await.unwrap(), ["0", "9"]);
    });
}

#[test]
fn reads_obey_conditions() {
    run(async {
        let (store, path) = (store(), Path::from("ada"));
        let tag = store.put(&path, "36".into()).await.unwrap().e_tag;
        let modified = store.head(&path).await.unwrap().last_modified;
        let get = |options| store.get_opts(&path, options);
        let other = || Some("\"other\"".to_owned());

        assert!(get(GetOptions { if_match: tag.clone(), ..Default::default() }).await.is_ok());
        assert!(get(GetOptions { if_none_match: other(), ..Default::default() }).await.is_ok());
        let unmodified = GetOptions { if_unmodified_since: Some(modified), ..Default::default() };
        assert!(get(unmodified).await.is_ok());

        let refused = get(GetOptions { if_match: other(), ..Default::default() }).await;
        assert!(matches!(refused, Err(Error::Precondition { .. })), "{refused:?}");
        let refused = get(GetOptions { if_none_match: tag, ..Default::default() }).await;
        assert!(matches!(refused, Err(Error::NotModified { .. })), "{refused:?}");
        let refused = get(GetOptions { if_modified_since: Some(modified), ..Default::default() }).await;
        assert!(matches!(refused, Err(Error::NotModified { .. })), "{refused:?}");
    });
}

#[test]
fn of_sixteen_that_create_an_object_one_does() {
    run(async {
        let (store, path) = (store(), Path::from("lock"));
        let create = |number: usize| {
            let (store, path) = (store.clone(), path.clone());
            tokio::spawn(async move {
                (number, store.put_opts(&path, number.to_string().into(), PutMode::Create.into()).await)
            })
        };
        let created = futures::future::join_all((0..16).map(create)).await;

        let mut winners = Vec::new();
        for outcome in created {
            match outcome.unwrap() {
                (number, Ok(_)) => winners.push(number.to_string().into_bytes()),
                (_, refused) => assert!(matches!(refused, Err(Error::AlreadyExists { .. })), "{refused:?}"),
            }
        }
        assert_eq!(winners, [read(&store, &path).await]);
    });
}

#[test]
fn an_update_of_what_has_changed_is_refused() {
    run(async {
        let (store, path) = (store(), Path::from("counter"));
        let first = UpdateVersion::from(store.put(&path, "1".into()).await.unwrap());
        let update = |text: &'static str, version: &UpdateVersion| {
            let options = PutOptions::from(PutMode::Update(version.clone()));
            let (store, path) = (store.clone(), path.clone());
            async move { store.put_opts(&path, PutPayload::from_static(text.as_bytes()), options).await }
        };

        let second = UpdateVersion::from(update("2", &first).await.unwrap());
        let stale = update("3", &first).await;
        assert!(matches!(stale, Err(Error::Precondition { .. })), "{stale:?}");
        // The same content again: what the ETag could not tell apart.
        store.put(&path, "2".into()).await.unwrap();
        assert!(matches!(update("3", &second).await, Err(Error::Precondition { .. })));
        store.delete(&path).await.unwrap();
        assert!(matches!(update("3", &second).await, Err(Error::Precondition { .. })));
    });
}

#[test]
fn generations_grow_and_do_not_come_back() {
    run(async {
        let (store, path) = (store(), Path::from("ada"));
        let (mut seen, mut last) = (HashSet::new(), 0);
        for round in 0..10 {
            let put = store.put(&path, "36".into()).await.unwrap();
            let generation: u64 = put.version.unwrap().parse().unwrap();
            assert!(seen.insert(generation) && generation > last);
            last = generation;
            if round % 2 == 0 {
                store.delete(&path).await.unwrap();
            }
        }
    });
}

#[test]
fn equal_contents_have_equal_tags() {
    run(async {
        let store = store();
        let tag = async |name: &str, text: &'static str| {
            store.put(&Path::from(name), text.into()).await.unwrap().e_tag.unwrap()
        };
        assert_eq!(tag("a", "36").await, tag("b", "36").await);
        assert_ne!(tag("a", "36").await, tag("a", "37").await);
    });
}

#[test]
fn copies_are_made_and_also_only_where_nothing_is() {
    run(async {
        let store = store();
        let (from, to) = (Path::from("a folder/ä"), Path::from("to"));
        store.put(&from, "36".into()).await.unwrap();

        store.copy_if_not_exists(&from, &to).await.unwrap();
        assert_eq!(read(&store, &to).await, b"36");
        let refused = store.copy_if_not_exists(&from, &to).await;
        assert!(matches!(refused, Err(Error::AlreadyExists { .. })), "{refused:?}");
        let over = CopyOptions::default().with_mode(CopyMode::Overwrite);
        store.copy_opts(&from, &to, over).await.unwrap();
        let missing = store.copy(&Path::from("nowhere"), &to).await;
        assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    });
}

#[test]
fn lists_are_in_order_and_complete_over_pages() {
    run(async {
        let store = store();
        let keys: Vec<_> = (0..1_100).map(|number| format!("keys/{number:04}")).collect();
        let put = |key: &String| {
            let (store, path) = (store.clone(), Path::from(&**key));
            async move { store.put(&path, "".into()).await.map(drop) }
        };
        let puts = futures::stream::iter(keys.iter().map(put));
        puts.buffer_unordered(16).try_collect::<()>().await.unwrap();
        store.put(&Path::from("other"), "".into()).await.unwrap();

        assert_eq!(names(&store, Some("keys")).await, keys);
        assert_eq!(names(&store, None).await.len(), 1_101);
        let behind = store.list_with_offset(None, &Path::from("keys/1098"));
        let behind: Vec<_> = behind.map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
        assert_eq!(behind, ["keys/1099", "other"]);

        let pages = PaginatedListOptions { max_keys: Some(2), ..Default::default() };
        let first = store.list_paginated(Some("keys/"), pages.clone()).await.unwrap();
        let next = PaginatedListOptions { page_token: first.page_token, ..pages };
        let second = store.list_paginated(Some("keys/"), next).await.unwrap();
        let told: Vec<_> = second.result.objects.iter().map(|object| object.location.to_string()).collect();
        assert_eq!(told, ["keys/0002", "keys/0003"]);
    });
}

#[test]
fn folders_are_told_apart_from_what_is_in_them() {
    run(async {
        let store = store();
        for key in ["a", "b/1", "b/2/x", "c & d/1", "e"] {
            store.put(&Path::from(key), "".into()).await.unwrap();
        }
        let list = store.list_with_delimiter(None).await.unwrap();
        let objects: Vec<_> = list.objects.iter().map(|object| object.location.as_ref()).collect();
        let folders: Vec<_> = list.common_prefixes.iter().map(AsRef::as_ref).collect();
        assert_eq!((objects, folders), (vec!["a", "e"], vec!["b", "c & d"]));

        let list = store.list_with_delimiter(Some(&Path::from("b"))).await.unwrap();
        assert_eq!((list.objects.len(), list.common_prefixes.len()), (1, 1));
    });
}

#[test]
fn uploads_in_parts_become_one_object() {
    run(async {
        let (store, path) = (store(), Path::from("large"));
        let part = |byte: u8, length: usize| PutPayload::from(vec![byte; length]);
        let id = store.create_multipart(&path).await.unwrap();
        let second = store.put_part(&path, &id, 1, part(b'b', 10)).await.unwrap();
        let first = store.put_part(&path, &id, 0, part(b'a', 5 << 20)).await.unwrap();
        assert!(
            matches!(store.head(&path).await, Err(Error::NotFound { .. })),
            "it is not there before its end"
        );

        let put = store.complete_multipart(&path, &id, vec![first, second]).await.unwrap();

        let content = read(&store, &path).await;
        assert_eq!(content.len(), (5 << 20) + 10);
        assert!(content.starts_with(b"aaa") && content.ends_with(b"abbbbbbbbbb"));
        assert_eq!(store.head(&path).await.unwrap().version, put.version);
        let again = store.complete_multipart(&path, &id, Vec::new()).await;
        assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
    });
}

#[test]
fn uploads_can_be_given_up_and_parts_cannot_be_small() {
    run(async {
        let (store, path) = (store(), Path::from("large"));
        let id = store.create_multipart(&path).await.unwrap();
        let first = store.put_part(&path, &id, 0, "a".into()).await.unwrap();
        let second = store.put_part(&path, &id, 1, "b".into()).await.unwrap();
        let refused = store.complete_multipart(&path, &id, vec![first, second]).await;
        assert!(refused.unwrap_err().to_string().contains("EntityTooSmall"));

        store.abort_multipart(&path, &id).await.unwrap();
        let refused = store.put_part(&path, &id, 0, "a".into()).await;
        assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
        assert_eq!(names(&store, None).await, [""; 0]);
    });
}

#[test]
fn who_has_no_token_and_what_has_no_bucket_is_turned_away() {
    run(async {
        let (gcs, path) = (Gcs::shared(), Path::from("ada"));
        let bucket = gcs.bucket();
        let stranger = client(gcs, &bucket, "other").put(&path, "36".into()).await;
        assert!(matches!(stranger, Err(Error::Unauthenticated { .. })), "{stranger:?}");
        let nowhere = client(gcs, "no-such-bucket", Gcs::TOKEN).put(&path, "36".into()).await;
        assert!(nowhere.unwrap_err().to_string().contains("NoSuchBucket"));
    });
}

#[test]
fn a_dropped_server_is_gone() {
    let gcs = Gcs::start();
    let port = gcs.port();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(gcs);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
