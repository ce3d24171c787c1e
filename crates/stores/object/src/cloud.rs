//! The drivers of the clouds, each behind its feature.

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "s3")]
mod s3;

use crate::address::Cloud;
use larder_core::Result;
use object_store::ObjectStore;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a driver is made of.
#[cfg_attr(
    not(any(feature = "s3", feature = "gcs", feature = "azure")),
    expect(dead_code, reason = "no driver is compiled in")
)]
pub(crate) struct Plan<'a> {
    pub(crate) shown: &'a str,
    pub(crate) bucket: &'a str,
    pub(crate) settings: &'a BTreeMap<String, String>,
    pub(crate) reads_environment: bool,
    pub(crate) asks_instance: bool,
    pub(crate) timeout: Duration,
}

/// Makes the driver, without asking the cloud anything.
pub(crate) fn driver(cloud: Cloud, plan: &Plan<'_>) -> Result<Arc<dyn ObjectStore>> {
    match cloud {
        #[cfg(feature = "s3")]
        Cloud::S3 => s3::driver(plan),
        #[cfg(not(feature = "s3"))]
        Cloud::S3 => Err(off(plan, "s3")),
        #[cfg(feature = "gcs")]
        Cloud::Gcs => gcs::driver(plan),
        #[cfg(not(feature = "gcs"))]
        Cloud::Gcs => Err(off(plan, "gcs")),
        #[cfg(feature = "azure")]
        Cloud::Azure => azure::driver(plan),
        #[cfg(not(feature = "azure"))]
        Cloud::Azure => Err(off(plan, "azure")),
    }
}

#[cfg(not(all(feature = "s3", feature = "gcs", feature = "azure")))]
fn off(plan: &Plan<'_>, feature: &str) -> larder_core::Error {
    let shown = plan.shown;
    let message = format!("{shown} needs the feature `{feature}` of `larder` (or of `larder-object`)");
    larder_core::Error::new(larder_core::ErrorKind::Config, message)
}

#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
mod common {
    use super::Plan;
    use larder_core::{Error, ErrorKind, Result};
    use object_store::{BackoffConfig, RetryConfig};
    use std::time::Duration;

    impl Plan<'_> {
        /// Hands each setting over.
        pub(crate) fn apply<B, K: std::str::FromStr>(
            &self,
            builder: B,
            set: impl Fn(B, K, &str) -> B,
        ) -> Result<B> {
            self.settings.iter().try_fold(builder, |builder, (name, value)| match name.parse() {
                Ok(key) => Ok(set(builder, key, value)),
                Err(_) => Err(self.error(&format!("`{name}` is no setting of it"))),
            })
        }

        /// Few and short, because a cache has better to do than to wait: a miss is never wrong.
        pub(crate) fn retry(&self) -> RetryConfig {
            let backoff = BackoffConfig {
                init_backoff: Duration::from_millis(50),
                max_backoff: Duration::from_secs(1),
                base: 2.0,
            };
            RetryConfig { backoff, max_retries: 3, retry_timeout: self.timeout }
        }

        pub(crate) fn timeout_text(&self) -> String {
            format!("{}ms", self.timeout.as_millis())
        }

        /// Checks that values may go over the wire in the clear, if they would.
        pub(crate) fn check_http(&self, endpoint: Option<&str>, allowed: Option<&str>) -> Result<()> {
            if endpoint.is_some_and(|url| url.starts_with("http://")) && allowed != Some("true") {
                return Err(self.error(
                    "the endpoint is `http://`, where everybody on the way reads the values; say \
                     `allow_http=true` if that is meant",
                ));
            }
            Ok(())
        }

        /// Checks that somebody said by what to sign: else the driver would ask the machine.
        pub(crate) fn check_credentials(&self, has_any: bool, cure: &str) -> Result<()> {
            if has_any || self.asks_instance {
                return Ok(());
            }
            let message = format!(
                "no credentials are set; set {cure}, or say `.with_instance_credentials()` on a machine of the \
                 cloud that has a role"
            );
            Err(self.error(&message))
        }

        /// Makes an error of what the driver says about its settings, without their secrets.
        pub(crate) fn refused(&self, error: &object_store::Error, secrets: &[Option<String>]) -> Error {
            let mut text = error.to_string();
            for secret in secrets.iter().flatten().filter(|secret| !secret.is_empty()) {
                text = text.replace(secret.as_str(), "…");
            }
            self.error(&text)
        }

        pub(crate) fn error(&self, what: &str) -> Error {
            Error::new(ErrorKind::Config, format!("{}: {what}", self.shown))
        }
    }
}

#[cfg(all(test, any(feature = "s3", feature = "gcs", feature = "azure")))]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_says_of_its_settings_is_repeated_without_secrets() {
        let settings = BTreeMap::new();
        let plan = Plan {
            shown: "s3://pages",
            bucket: "pages",
            settings: &settings,
            reads_environment: false,
            asks_instance: false,
            timeout: Duration::from_secs(1),
        };
        let said = object_store::Error::Generic { store: "S3", source: "bad key hunter2, hunter2!".into() };
        let secrets = [None, Some(String::new()), Some("hunter2".to_owned())];
        let error = plan.refused(&said, &secrets);
        assert!(error.to_string().ends_with("s3://pages: Generic S3 error: bad key …, …!"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
