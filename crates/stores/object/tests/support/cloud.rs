//! Stores in the clouds' stand-ins, each in a place of its own. Credentials are always given: a client without any
//! would ask the machine it runs on.

#![allow(dead_code, reason = "no test uses all of it")]

use larder_object::{Object, ObjectOptions};

#[cfg(feature = "s3")]
pub(crate) fn s3_options() -> ObjectOptions {
    use larder_testkit::servers::Moto;
    ObjectOptions::new()
        .without_environment()
        .with_endpoint(Moto::shared().url())
        .with_region(Moto::REGION)
        .with_access_key(Moto::ACCESS_KEY, Moto::SECRET_KEY)
        .with_allow_http(true)
}

#[cfg(feature = "s3")]
pub(crate) fn s3() -> Object {
    let bucket = larder_testkit::servers::Moto::shared().bucket();
    s3_options().build(&format!("s3://{bucket}")).unwrap()
}

#[cfg(feature = "azure")]
pub(crate) fn azure_options() -> ObjectOptions {
    use larder_testkit::servers::Azurite;
    ObjectOptions::new()
        .without_environment()
        .with_endpoint(Azurite::shared().url())
        .with_account(Azurite::ACCOUNT, Azurite::KEY)
        .with_allow_http(true)
}

#[cfg(feature = "azure")]
pub(crate) fn azure() -> Object {
    let container = larder_testkit::servers::Azurite::shared().container();
    azure_options().build(&format!("az://{container}/with/a prefix")).unwrap()
}

#[cfg(feature = "gcs")]
pub(crate) fn gcs_options() -> ObjectOptions {
    use larder_testkit::servers::Gcs;
    ObjectOptions::new()
        .without_environment()
        .with_endpoint(Gcs::shared().url())
        .with_bearer_token(Gcs::TOKEN)
        .with_allow_http(true)
}

#[cfg(feature = "gcs")]
pub(crate) fn gcs() -> Object {
    let bucket = larder_testkit::servers::Gcs::shared().bucket();
    gcs_options().build(&format!("gs://{bucket}/a prefix")).unwrap()
}
