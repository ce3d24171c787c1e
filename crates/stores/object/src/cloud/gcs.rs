//! Google Cloud Storage.

use super::Plan;
use larder_core::Result;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as Key};
use object_store::{ClientConfigKey, ObjectStore};
use std::path::Path;
use std::sync::Arc;

/// Where `gcloud auth application-default login` leaves credentials, below the home folder.
const LOGGED_IN: &str = if cfg!(windows) {
    "gcloud/application_default_credentials.json"
} else {
    ".config/gcloud/application_default_credentials.json"
};

pub(super) fn driver(plan: &Plan<'_>) -> Result<Arc<dyn ObjectStore>> {
    let begin = if plan.reads_environment {
        GoogleCloudStorageBuilder::from_env()
    } else {
        GoogleCloudStorageBuilder::new()
    };
    let settings = plan.settings.iter().map(|(name, value)| {
        // The word that the other clouds have for it.
        let name = if name == "endpoint" { "base_url" } else { name };
        (name.to_owned(), value.clone())
    });
    let settings = settings.collect();
    let builder = Plan { settings: &settings, ..*plan }
        .apply(begin, |builder, key: Key, value| builder.with_config(key, value))?
        .with_bucket_name(plan.bucket)
        .with_config(Key::Client(ClientConfigKey::Timeout), plan.timeout_text())
        .with_retry(plan.retry());
    let said = |key| builder.get_config_value(&key);
    let has = |key| said(key).is_some();

    let allow_http = said(Key::Client(ClientConfigKey::AllowHttp));
    plan.check_http(said(Key::BaseUrl).as_deref(), allow_http.as_deref())?;
    // Not `skip_signature`: the driver asks for a token nevertheless when it writes.
    let has_credentials = has(Key::BearerToken)
        || has(Key::ServiceAccount)
        || has(Key::ServiceAccountKey)
        || has(Key::ApplicationCredentials)
        || is_logged_in();
    let cure = "`GOOGLE_APPLICATION_CREDENTIALS` to the file of a service account";
    plan.check_credentials(has_credentials, cure)?;

    let secrets = [said(Key::BearerToken), said(Key::ServiceAccountKey)];
    match builder.build() {
        Ok(driver) => Ok(Arc::new(driver)),
        Err(error) => Err(plan.refused(&error, &secrets)),
    }
}

/// Whether the driver finds the credentials of the user's own tools.
fn is_logged_in() -> bool {
    let home = std::env::var_os(if cfg!(windows) { "APPDATA" } else { "HOME" });
    home.is_some_and(|home| Path::new(&home).join(LOGGED_IN).exists())
}
