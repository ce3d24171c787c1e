//! Settings from the environment, each tried in a process of its own that has it.

#![cfg(all(unix, feature = "s3", feature = "gcs", feature = "azure"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail the test")]

use larder_core::{ByteStore, ErrorKind};
use larder_object::{Object, ObjectOptions};
use larder_testkit::servers::{Azurite, Moto};
use std::process::Command;

const URL: &str = "LARDER_TEST_URL";
const WANTED: &str = "LARDER_TEST_WANTED";

/// Not a test of its own: what is started with an environment.
#[tokio::test]
async fn opener() {
    let (Ok(url), Ok(wanted)) = (std::env::var(URL), std::env::var(WANTED)) else { return };
    if wanted.is_empty() {
        let store = Object::open(&url).await.unwrap();
        store.put("users:ada", "1815".into(), None).await.unwrap();
        assert_eq!(store.get("users:ada").await.unwrap(), Some("1815".into()));
        assert!(
            ObjectOptions::new().without_environment().build(&url).is_err(),
            "the environment is not read"
        );
        return;
    }
    // The address of the machine's own credentials is not asked: the store is not even made.
    let error = ObjectOptions::new().build(&url).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains(&wanted), "{error}");
    assert!(error.to_string().contains(".with_instance_credentials()"), "{error}");
    assert!(ObjectOptions::new().with_instance_credentials().build(&url).is_ok(), "that was meant");
}

/// Opens the address with nothing else in the environment; or has an error with those words.
fn opens(url: &str, environment: &[(&str, &str)], wanted: &str) {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opener", "--nocapture"])
        .env_clear()
        .env("HOME", home.path())
        .env(URL, url)
        .env(WANTED, wanted)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 passed"), "{told}");
}

#[test]
fn a_bucket_of_s3() {
    let environment = [
        ("AWS_ACCESS_KEY_ID", Moto::ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", Moto::SECRET_KEY),
        ("AWS_REGION", Moto::REGION),
        ("AWS_ENDPOINT", Moto::shared().url()),
        ("AWS_ALLOW_HTTP", "true"),
    ];
    opens(&format!("s3://{}", Moto::shared().bucket()), &environment, "");
}

#[test]
fn a_container_of_azure() {
    let environment = [
        ("AZURE_STORAGE_ACCOUNT_NAME", Azurite::ACCOUNT),
        ("AZURE_STORAGE_ACCOUNT_KEY", Azurite::KEY),
        ("AZURE_STORAGE_ENDPOINT", Azurite::shared().url()),
        ("AZURE_ALLOW_HTTP", "true"),
    ];
    opens(&format!("az://{}", Azurite::shared().container()), &environment, "");
}

#[test]
fn without_credentials_nobody_is_asked_for_some() {
    opens("s3://pages", &[], "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`");
    opens("gs://pages", &[("GOOGLE_SKIP_SIGNATURE", "true")], "set `GOOGLE_APPLICATION_CREDENTIALS`");
    let account = [("AZURE_STORAGE_ACCOUNT_NAME", "pages")];
    opens("az://pages", &account, "set `AZURE_STORAGE_ACCOUNT_NAME` and `AZURE_STORAGE_ACCOUNT_KEY`");
}
