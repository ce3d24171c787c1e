//! Azure Blob Storage.

use super::Plan;
use larder_core::Result;
use object_store::azure::{AzureConfigKey as Key, MicrosoftAzureBuilder};
use object_store::{ClientConfigKey, ObjectStore};
use std::sync::Arc;

pub(super) fn driver(plan: &Plan<'_>) -> Result<Arc<dyn ObjectStore>> {
    let begin =
        if plan.reads_environment { MicrosoftAzureBuilder::from_env() } else { MicrosoftAzureBuilder::new() };
    let builder = plan
        .apply(begin, |builder, key: Key, value| builder.with_config(key, value))?
        .with_container_name(plan.bucket)
        .with_config(Key::Client(ClientConfigKey::Timeout), plan.timeout_text())
        .with_retry(plan.retry());
    let said = |key| builder.get_config_value(&key);
    let has = |key| said(key).is_some();
    let is_true = |key| said(key).as_deref() == Some("true");

    let allow_http = said(Key::Client(ClientConfigKey::AllowHttp));
    plan.check_http(said(Key::Endpoint).as_deref(), allow_http.as_deref())?;
    let has_credentials = has(Key::AccessKey)
        || has(Key::Token)
        || has(Key::SasKey)
        || has(Key::ClientId)
            && has(Key::AuthorityId)
            && (has(Key::ClientSecret) || has(Key::FederatedTokenFile))
        || has(Key::FabricTokenServiceUrl)
        || [Key::UseAzureCli, Key::UseEmulator, Key::SkipSignature].into_iter().any(is_true)
        // Whoever names the kind means it.
        || said(Key::CredentialType).is_some_and(|kind| kind != "auto");
    plan.check_credentials(has_credentials, "`AZURE_STORAGE_ACCOUNT_NAME` and `AZURE_STORAGE_ACCOUNT_KEY`")?;

    let secrets = [Key::AccessKey, Key::Token, Key::SasKey, Key::ClientSecret, Key::EncryptionKey].map(said);
    match builder.build() {
        Ok(driver) => Ok(Arc::new(driver)),
        Err(error) => Err(plan.refused(&error, &secrets)),
    }
}
