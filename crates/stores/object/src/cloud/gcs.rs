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

    plan.check_http(said(Key::BaseUrl).as_deref(), allowed_http(plan).as_deref())?;
    // Not `skip_signature`: the driver asks for a token nevertheless when it writes.
    let has_credentials = has(Key::BearerToken)
        || has(Key::ServiceAccount)
        || has(Key::ServiceAccountKey)
        || has(Key::ApplicationCredentials)
        || is_logged_in();
    let cure = "`GOOGLE_APPLICATION_CREDENTIALS` to the file of a service account";
    plan.check_credentials(has_credentials, cure)?;

    let has_key = has(Key::ServiceAccountKey);
    let secrets = [said(Key::BearerToken)];
    match builder.build() {
        Ok(driver) => Ok(Arc::new(driver)),
        // The error of a JSON parser may quote any part of it.
        Err(_) if has_key => {
            Err(plan.error("the key of the service account cannot be read, or is said twice"))
        }
        Err(error) => Err(plan.refused(&error, &secrets)),
    }
}

/// What was said about it. The driver's own default is to allow it.
fn allowed_http(plan: &Plan<'_>) -> Option<String> {
    let said =
        ["allow_http", "google_allow_http"].into_iter().find_map(|name| plan.settings.get(name).cloned());
    said.or_else(|| if plan.reads_environment { std::env::var("GOOGLE_ALLOW_HTTP").ok() } else { None })
}

/// Whether the driver finds the credentials of the user's own tools.
fn is_logged_in() -> bool {
    let home = std::env::var_os(if cfg!(windows) { "APPDATA" } else { "HOME" });
    home.is_some_and(|home| Path::new(&home).join(LOGGED_IN).exists())
}
