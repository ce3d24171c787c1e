//! What an address says. Nothing of it but scheme, bucket and prefix is ever printed: it may have secrets.

use larder_core::{Error, ErrorKind, Result};
use object_store::path::Path;
use std::collections::BTreeMap;
use std::path::PathBuf;
use url::Url;

/// An address, taken apart.
pub(crate) struct Address {
    pub(crate) scheme: Scheme,
    /// Scheme, bucket and prefix, to be printed.
    pub(crate) shown: String,
    pub(crate) bucket: String,
    pub(crate) prefix: Option<Path>,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) settings: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    File,
    Memory,
    Cloud(Cloud),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cloud {
    S3,
    Gcs,
    Azure,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let Ok(url) = Url::parse(text) else { return Err(unknown()) };
        let scheme = match url.scheme() {
            "file" => Scheme::File,
            "memory" => Scheme::Memory,
            "s3" => Scheme::Cloud(Cloud::S3),
            "gs" => Scheme::Cloud(Cloud::Gcs),
            "az" => Scheme::Cloud(Cloud::Azure),
            _ => return Err(unknown()),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(config(
                "an address has no user and password; say credentials by the environment or by `ObjectOptions`",
            ));
        }
        if url.port().is_some() || url.fragment().is_some() {
            return Err(config("an address has neither a port nor a `#`; `endpoint` says which server"));
        }
        let mut address = Address {
            scheme,
            shown: format!("{}://", url.scheme()),
            bucket: url.host_str().unwrap_or_default().to_owned(),
            prefix: None,
            folder: None,
            settings: url
                .query_pairs()
                .map(|(name, value)| (name.to_lowercase(), value.into_owned()))
                .collect(),
        };
        match scheme {
            Scheme::Memory if !address.bucket.is_empty() || !matches!(url.path(), "" | "/") => {
                return Err(config("memory has one place only, `memory:///`"));
            }
            Scheme::Memory => address.shown.push('/'),
            Scheme::File => {
                let Ok(folder) = url.to_file_path() else {
                    return Err(config("a folder is `file:///` and its absolute path"));
                };
                address.shown.push_str(&folder.to_string_lossy());
                address.folder = Some(folder);
            }
            Scheme::Cloud(_) => {
                if address.bucket.is_empty() {
                    return Err(config("the address names no bucket; it is `SCHEME://BUCKET/PREFIX`"));
                }
                let Ok(prefix) = Path::from_url_path(url.path()) else {
                    return Err(config("what follows the bucket is no path of an object"));
                };
                address.shown.push_str(&address.bucket);
                if !prefix.is_root() {
                    address.shown.push('/');
                    address.shown.push_str(prefix.as_ref());
                    address.prefix = Some(prefix);
                }
            }
        }
        Ok(address)
    }
}

fn unknown() -> Error {
    config(
        "this is no address of a store; they are `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, \
         `az://CONTAINER/PREFIX`, `file:///FOLDER`, `memory:///`",
    )
}

fn config(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let address = Address::parse("s3://Pages/a%20b/c/?Region=x&secret_access_key=p%26q").unwrap();
        assert_eq!(address.scheme, Scheme::Cloud(Cloud::S3));
        assert_eq!((&*address.shown, &*address.bucket), ("s3://Pages/a b/c", "Pages"));
        assert_eq!(address.prefix, Some(Path::parse("a b/c").unwrap()));
        assert_eq!(address.settings["region"], "x");
        assert_eq!(address.settings["secret_access_key"], "p&q");

        for root in ["gs://pages", "gs://pages/"] {
            let address = Address::parse(root).unwrap();
            assert_eq!((&*address.shown, address.prefix), ("gs://pages", None));
        }
        assert_eq!(Address::parse("memory:///").unwrap().scheme, Scheme::Memory);
        assert_eq!(Address::parse("file:///a%20b/c").unwrap().folder, Some("/a b/c".into()));
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for wrong in [
            "",
            "hunter2",
            "/hunter2",
            "https://hunter2@pages",
            "s3://",
            "s3:///hunter2",
            "s3://ada:hunter2@pages/x",
            "s3://hunter2@pages",
            "gs://pages:80/hunter2",
            "gs://pages#hunter2",
            "az://pages/a//hunter2",
            "memory://hunter2",
            "memory:///hunter2",
            "file://hunter2/x",
        ] {
            let Err(error) = Address::parse(wrong) else { panic!("{wrong} is taken for an address") };
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
