//! Opening a place by its address: `open` and its options.

use crate::address::{Address, Scheme};
use crate::cloud::{self, Plan};
use crate::object::Place;
use crate::{Object, duration};
use larder_core::{Error, ErrorKind, Result};
use object_store::ObjectStore;
use object_store::prefix::PrefixStore;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

impl Object {
    /// Opens the place at `url` and [checks](Object::check) that it can be used.
    ///
    /// | address | what | feature |
    /// |---|---|---|
    /// | `s3://BUCKET/PREFIX` | S3, and servers that speak its protocol | `s3` |
    /// | `gs://BUCKET/PREFIX` | Google Cloud Storage | `gcs` |
    /// | `az://CONTAINER/PREFIX` | Azure Blob Storage | `azure` |
    /// | `file:///FOLDER` | as [`local`](Object::local) | |
    /// | `memory:///` | as [`in_memory`](Object::in_memory) | |
    ///
    /// Settings of clouds are taken from the environment (`AWS_ACCESS_KEY_ID`, `AWS_REGION`,
    /// `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_NAME`, ..: all that [`object_store`] reads), and
    /// from the address, which wins: `s3://pages/v2?region=eu-central-1&endpoint=https://..`. The names are those
    /// of [`object_store`] in lower case, with or without their prefix `aws_`, `google_`, `azure_`; and `timeout`
    /// (`500ms`, `10s`). Say secrets by the environment or by [`ObjectOptions`], which also says what else there
    /// is; in an address they work, and are not printed.
    ///
    /// The file of profiles that other tools read (`~/.aws/credentials`) is not read. The address at which a machine of
    /// a cloud tells its own credentials is asked only with
    /// [`with_instance_credentials`](ObjectOptions::with_instance_credentials).
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`] with the cure: an address that is none, a feature that is off, no credentials, and
    ///   what [`check`](Object::check) finds
    /// - [`ErrorKind::Store`], [`ErrorKind::Timeout`]: the place cannot be reached. For a program that is to start
    ///   without it, [`ObjectOptions::build`] makes the store and checks nothing.
    ///
    /// # Cancel safety
    ///
    /// As [`check`](Object::check).
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::{ByteStore, ErrorKind};
    /// use larder_object::Object;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let store = Object::open("memory:///").await?;
    /// store.put("users:ada", "1815".into(), None).await?;
    ///
    /// let error = Object::open("ftp://pages").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// assert!(error.to_string().contains("s3://BUCKET/PREFIX"));
    /// # larder_core::Result::Ok(()) }).unwrap();
    /// ```
    pub async fn open(url: &str) -> Result<Self> {
        ObjectOptions::new().open(url).await
    }
}

/// Settings for [`Object::open`] beside the address. They win over the address and the environment.
///
/// # Default
///
/// - time-out: 10 s
/// - the environment is read; the credentials of the machine are not asked for
///
/// # Examples
///
/// ```
/// use larder_object::{Object, ObjectOptions};
/// use std::time::Duration;
///
/// let options = ObjectOptions::new()
///     .with_endpoint("https://objects.example.org")
///     .with_region("eu-central-1")
///     .with_access_key("larder", "secret")
///     .with_timeout(Duration::from_secs(5));
/// assert!(!format!("{options:?}").contains("secret\""), "secrets are not printed");
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until something is opened with them"]
pub struct ObjectOptions {
    settings: BTreeMap<String, String>,
    timeout: Option<Duration>,
    reads_environment: bool,
    asks_instance: bool,
}

impl ObjectOptions {
    /// Makes options that say nothing.
    pub const fn new() -> Self {
        ObjectOptions {
            settings: BTreeMap::new(),
            timeout: None,
            reads_environment: true,
            asks_instance: false,
        }
    }

    /// Sets any setting of [`object_store`] by its name, see [`Object::open`].
    pub fn with(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.settings.insert(name.as_ref().to_lowercase(), value.into());
        self
    }

    /// Sets the server, for one that is not the cloud's own. `http://` needs
    /// [`with_allow_http`](Self::with_allow_http) as well.
    pub fn with_endpoint(self, url: impl Into<String>) -> Self {
        self.with("endpoint", url)
    }

    /// Sets the region of an S3 bucket.
    pub fn with_region(self, region: impl Into<String>) -> Self {
        self.with("region", region)
    }

    /// Allows a connection without TLS, on which everybody on the way reads the values.
    pub fn with_allow_http(self, allowed: bool) -> Self {
        self.with("allow_http", allowed.to_string())
    }

    /// Sets the key pair for S3.
    pub fn with_access_key(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.with("access_key_id", id).with("secret_access_key", secret)
    }

    /// Sets the account of Azure and its key.
    pub fn with_account(self, name: impl Into<String>, key: impl Into<String>) -> Self {
        self.with("account_name", name).with("account_key", key)
    }

    /// Sets a token for GCS or Azure. It is used as it is and not renewed.
    pub fn with_bearer_token(self, token: impl Into<String>) -> Self {
        self.with("bearer_token", token)
    }

    /// Sets the time-out of calls, see [`Object::timeout`], and of each request to a cloud. A request that fails in a
    /// way that may pass (a server's error, a lost connection) is tried up to three times more until then. Requests of
    /// `clear` and of purges, which have no other time-out, end after twice this span at the latest.
    pub fn with_timeout(mut self, span: Duration) -> Self {
        self.timeout = Some(span);
        self
    }

    /// Asks the machine for credentials where none are set: the metadata service of a virtual machine or of a
    /// container in the cloud. Without this no request goes to that address.
    pub fn with_instance_credentials(mut self) -> Self {
        self.asks_instance = true;
        self
    }

    /// Reads nothing from the environment.
    pub fn without_environment(mut self) -> Self {
        self.reads_environment = false;
        self
    }

    /// Opens the place at `url` and checks it, as [`Object::open`].
    ///
    /// # Errors
    ///
    /// Those of [`Object::open`].
    ///
    /// # Cancel safety
    ///
    /// As [`Object::check`].
    pub async fn open(&self, url: &str) -> Result<Object> {
        let object = self.build(url)?;
        object.check().await?;
        Ok(object)
    }

    /// Makes the store for the place at `url` without asking it anything. A folder is created, with blocking I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with the cure; [`ErrorKind::Store`] for a folder that cannot be created.
    ///
    /// # Examples
    ///
    /// ```
    /// use larder_core::ErrorKind;
    /// use larder_object::ObjectOptions;
    ///
    /// let store = ObjectOptions::new().build("memory:///")?;
    /// assert_eq!(ObjectOptions::new().build("pages").unwrap_err().kind(), ErrorKind::Config);
    /// # drop(store);
    /// # larder_core::Result::Ok(())
    /// ```
    pub fn build(&self, url: &str) -> Result<Object> {
        let Address { scheme, shown, bucket, prefix, folder, mut settings } = Address::parse(url)?;
        settings.extend(self.settings.clone());
        match scheme {
            Scheme::File | Scheme::Memory if !settings.is_empty() => {
                let names: Vec<_> = settings.keys().map(String::as_str).collect();
                let message = format!("{shown} has no settings, but `{}` is said", names.join("`, `"));
                Err(Error::new(ErrorKind::Config, message))
            }
            Scheme::File => Object::local(folder.unwrap_or_default()).map(|object| self.timed(object, None)),
            Scheme::Memory => Ok(self.timed(Object::in_memory(), None)),
            Scheme::Cloud(cloud) => {
                let asked = settings.remove("timeout").map(|text| duration::parse(&text)).transpose()?;
                let timeout = self.timeout.or(asked).unwrap_or(DEFAULT_TIMEOUT);
                let plan = Plan {
                    shown: &shown,
                    bucket: &bucket,
                    settings: &settings,
                    reads_environment: self.reads_environment,
                    asks_instance: self.asks_instance,
                    timeout,
                };
                let driver = cloud::driver(cloud, &plan)?;
                let driver: Arc<dyn ObjectStore> = match prefix {
                    Some(prefix) => Arc::new(PrefixStore::new(driver, prefix)),
                    None => driver,
                };
                let object = Object::with(driver, Place::Bucket(shown.into()));
                Ok(self.timed(object, Some(timeout)))
            }
        }
    }

    fn timed(&self, object: Object, timeout: Option<Duration>) -> Object {
        match self.timeout.or(timeout) {
            Some(span) => object.timeout(span),
            None => object,
        }
    }
}

impl Default for ObjectOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ObjectOptions {
    /// Prints the names of the settings, not what they are set to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectOptions")
            .field("settings", &self.settings.keys().collect::<Vec<_>>())
            .field("timeout", &self.timeout)
            .field("reads_environment", &self.reads_environment)
            .field("asks_instance", &self.asks_instance)
            .finish()
    }
}
