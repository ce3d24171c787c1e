//! Opening by address: what is wrong is said at once, with the cure and without secrets.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
mod support {
    pub(crate) mod canned;
}

use larder_core::{ByteStore, ErrorKind};
use larder_object::{Object, ObjectOptions};

const SECRET: &str = "aHVudGVyMmh1bnRlcjI=";

fn options() -> ObjectOptions {
    ObjectOptions::new().without_environment()
}

/// The features that are off, one by one.
#[test]
fn a_feature_that_is_off_is_named() {
    let clouds = [
        ("s3", "s3", cfg!(feature = "s3")),
        ("gs", "gcs", cfg!(feature = "gcs")),
        ("az", "azure", cfg!(feature = "azure")),
    ];
    for (scheme, feature, is_on) in clouds {
        let error = options().build(&format!("{scheme}://pages/x?token={SECRET}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        let named = format!("{scheme}://pages/x needs the feature `{feature}` of `larder`");
        assert_eq!(text.contains(&named), !is_on, "{text}");
        assert!(!text.contains(SECRET));
    }
}

#[tokio::test]
async fn a_folder_is_opened_by_its_address() {
    let scratch = tempfile::tempdir().unwrap();
    let url = format!("file://{}/a%20b", scratch.path().display());
    let store = Object::open(&url).await.unwrap();
    store.put("users:ada", "1815".into(), None).await.unwrap();
    let local = Object::local(scratch.path().join("a b")).unwrap();
    assert_eq!(local.get("users:ada").await.unwrap(), Some("1815".into()));
}

#[test]
fn a_folder_that_cannot_be_made_is_told_of() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("file"), "in the way").unwrap();
    let error = options().build(&format!("file://{}/file", scratch.path().display())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
}

#[test]
fn settings_that_nobody_reads_are_an_error() {
    for url in ["memory:///?region=x", "file:///pages?region=x"] {
        let error = options().build(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("`region`"), "{error}");
    }
}

#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
mod clouds {
    use super::support::canned::Canned;
    use super::{SECRET, options};
    use larder_core::{ByteStore, ErrorKind};
    use larder_object::ObjectOptions;
    use larder_testkit::{MockClock, settle};
    use std::time::Duration;

    /// Each cloud that is compiled in, with credentials and its address.
    fn clouds() -> Vec<(ObjectOptions, &'static str)> {
        vec![
            #[cfg(feature = "s3")]
            (options().with_access_key("larder", SECRET), "s3://pages/v2"),
            #[cfg(feature = "gcs")]
            (options().with_bearer_token(SECRET), "gs://pages/v2"),
            #[cfg(feature = "azure")]
            (options().with_account("larder", SECRET), "az://pages/v2"),
        ]
    }

    /// Opens each cloud at a server that answers so, and returns what the errors say.
    async fn errors(status: u16, body: &'static str) -> Vec<(ErrorKind, String)> {
        let mut errors = Vec::new();
        for (options, url) in clouds() {
            let server = Canned::new(Some(status), body);
            let options = options.with_endpoint(server.url()).with_allow_http(true);
            let store = options.build(url).unwrap();
            let error = options.open(url).await.unwrap_err();
            let other = store.put("users:ada", "1815".into(), None).await.unwrap_err();
            let shown = format!("{error} {error:?} {other} {other:?} {store:?} {options:?}");
            assert!(!shown.contains(SECRET), "{shown}");
            assert!(error.to_string().contains(url), "{error}");
            assert!(std::error::Error::source(&error).is_some(), "the driver's own words");
            errors.push((error.kind(), error.to_string()));
        }
        errors
    }

    #[tokio::test]
    async fn answers_are_explained() {
        let table = [
            (404, "<Code>NoSuchBucket</Code>", ErrorKind::Config, "create it"),
            (403, "<Code>InvalidAccessKeyId</Code>", ErrorKind::Config, "are not accepted; correct the key"),
            (
                403,
                "<Code>SignatureDoesNotMatch</Code>",
                ErrorKind::Config,
                "are not accepted; correct the key",
            ),
            (
                403,
                "<Code>AuthenticationFailed</Code>",
                ErrorKind::Config,
                "are not accepted; correct the key",
            ),
            (401, "", ErrorKind::Config, "are not accepted; correct the key"),
            (403, "<Code>AccessDenied</Code>", ErrorKind::Config, "cannot write: these credentials may not"),
            (400, "<Code>AuthorizationHeaderMalformed</Code>", ErrorKind::Config, "another region"),
            (400, "<Code>Whatever</Code>", ErrorKind::Store, "cannot write"),
        ];
        for (status, body, kind, words) in table {
            for (found, text) in errors(status, body).await {
                assert_eq!(found, kind, "{status} {body}: {text}");
                assert!(text.contains(words), "{status} {body}: {text}");
            }
        }
    }

    #[tokio::test]
    async fn a_failing_server_is_asked_four_times_and_no_more() {
        for (options, url) in clouds() {
            let server = Canned::new(Some(503), "");
            let store = options.with_endpoint(server.url()).with_allow_http(true).build(url).unwrap();
            let error = store.get("users:ada").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store);
            assert_eq!(server.requests().len(), 4, "{:?}", server.requests());
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_a_time_out() {
        for (options, url) in clouds() {
            let (server, clock) = (Canned::new(None, ""), MockClock::new());
            let options = options.with_endpoint(server.url()).with_allow_http(true);
            let store = options.build(&format!("{url}?timeout=700s")).unwrap().clock(clock.clone());
            let call = tokio::spawn(async move { store.get("users:ada").await });
            while server.requests().is_empty() {
                settle().await;
            }
            clock.advance(Duration::from_secs(700) - Duration::from_millis(1));
            settle().await;
            assert!(!call.is_finished());
            clock.advance(Duration::from_millis(1));
            assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_an_error_of_the_store() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        for (options, url) in clouds() {
            let error = options.with_endpoint(&nobody).with_allow_http(true).open(url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store, "{error:?}");
            assert!(error.to_string().contains("cannot write"), "{error}");
        }
    }

    #[test]
    fn a_setting_that_is_none_is_named() {
        for (options, url) in clouds() {
            let error = options.build(&format!("{url}?colour={SECRET}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = error.to_string();
            assert!(text.contains("`colour` is no setting") && !text.contains(SECRET), "{text}");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_understood_is_an_error_without_its_secrets() {
        for (options, url) in clouds() {
            for setting in ["timeout=soon", "allow_http=perhaps", "connect_timeout=soon"] {
                let error = options.build(&format!("{url}?{setting}"));
                let Err(error) = error else { continue };
                assert_eq!(error.kind(), ErrorKind::Config, "{setting}");
                assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
            }
            assert!(options.build(&format!("{url}?timeout=soon")).is_err());
        }
        #[cfg(feature = "azure")]
        {
            let wrong = options().with_account("larder", "hunter2 is no base64");
            let error = wrong.build("az://pages").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
        #[cfg(feature = "gcs")]
        {
            for key in [
                "{\"private_key\": \"hunter2\"}",
                "{\"private_key\": [\"hunter2\"]}",
                "\"hunter2\"",
                "hunter2",
            ] {
                let error = options().with("service_account_key", key).build("gs://pages").unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config);
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
            }
        }
        #[cfg(feature = "s3")]
        {
            let half = options().with("secret_access_key", SECRET);
            let error = half.build("s3://pages").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
        }
    }

    #[test]
    fn values_do_not_go_over_the_wire_in_the_clear_unless_that_is_said() {
        for (options, url) in clouds() {
            let error = options.with_endpoint("http://127.0.0.1:1").build(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains("say `allow_http=true`"), "{error}");
        }
    }

    #[test]
    fn a_time_out_can_be_said_by_address_or_by_option_and_is_ten_seconds_else() {
        for (options, url) in clouds() {
            let shown = |options: &ObjectOptions, url: &str| format!("{:?}", options.build(url).unwrap());
            assert!(shown(&options, url).contains("Some(10s)"));
            assert!(shown(&options, &format!("{url}?timeout=500ms")).contains("Some(500ms)"));
            let options = options.with_timeout(Duration::from_secs(3));
            assert!(shown(&options, &format!("{url}?timeout=500ms")).contains("Some(3s)"));
        }
    }
}
