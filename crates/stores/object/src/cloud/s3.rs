//! S3.

use super::Plan;
use larder_core::Result;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key};
use object_store::{ClientConfigKey, ObjectStore};
use std::sync::Arc;

pub(super) fn driver(plan: &Plan<'_>) -> Result<Arc<dyn ObjectStore>> {
    let begin = if plan.reads_environment { AmazonS3Builder::from_env() } else { AmazonS3Builder::new() };
    let builder = plan
        .apply(begin, |builder, key: Key, value| builder.with_config(key, value))?
        .with_bucket_name(plan.bucket)
        .with_config(Key::Client(ClientConfigKey::Timeout), plan.timeout_text())
        .with_retry(plan.retry());
    let said = |key| builder.get_config_value(&key);
    let has = |key| said(key).is_some();

    let allow_http = said(Key::Client(ClientConfigKey::AllowHttp));
    plan.check_http(said(Key::S3Endpoint).or(said(Key::Endpoint)).as_deref(), allow_http.as_deref())?;
    let has_credentials = has(Key::AccessKeyId)
        || has(Key::SecretAccessKey)
        || said(Key::SkipSignature).as_deref() == Some("true")
        || has(Key::WebIdentityTokenFile) && has(Key::RoleArn)
        || has(Key::ContainerCredentialsRelativeUri)
        || has(Key::ContainerCredentialsFullUri) && has(Key::ContainerAuthorizationTokenFile);
    plan.check_credentials(has_credentials, "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`")?;

    let secrets = [said(Key::SecretAccessKey), said(Key::Token)];
    match builder.build() {
        Ok(driver) => Ok(Arc::new(driver)),
        Err(error) => Err(plan.refused(&error, &secrets)),
    }
}
