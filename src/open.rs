//! A store that a URL names: [`open`].

use larder_core::{BoxedBytes, Error, ErrorKind, Result};

/// Opens the store that `url` names, to be the level of a cache. What is needed is made; that it works is tried.
///
/// For programs that are told their store when they start. What a store can be told beside its URL, such as time-outs, is
/// told to its own type.
///
/// | URL | store | feature |
/// |---|---|---|
/// | `redis://[user:password@]host[:6379][/db]` | Redis, Valkey | `redis` |
/// | `rediss://..` | the same over TLS | `redis-tls` |
/// | `redis+cluster://host:port,host:port` | Redis Cluster | `redis` |
/// | `redis+sentinel://host:port,host:port/service[/db]` | Redis, found by its sentinels | `redis` |
/// | `postgres://user[:password]@host[:5432]/database` | PostgreSQL | `postgres` |
/// | `memcached://host[:11211][,host]` | memcached | `memcached` |
/// | `file:///folder` | files | `object` |
/// | `memory:///` | the memory of this process, for tests: it has no bound | `object` |
/// | `s3://bucket[/folder]` | S3, and what speaks like it | `s3` |
/// | `gs://bucket[/folder]` | Google Cloud Storage | `gcs` |
/// | `az://container[/folder]` | Azure Blob Storage | `azure` |
///
/// # Errors
///
/// - [`ErrorKind::Config`]: it is no URL, nobody knows its scheme, or its store refuses what it says
/// - [`ErrorKind::Unsupported`]: the feature is off, which the error names
/// - [`ErrorKind::Store`], [`ErrorKind::Timeout`]: the store cannot be reached
///
/// None of them shows the URL, which may hold a password.
///
/// # Cancel safety
///
/// Dropping the future changes nothing.
///
/// # Examples
///
/// ```
/// use larder::prelude::*;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # #[cfg(feature = "object")] {
/// let store = larder::open("memory:///").await?;
/// let ages: Cache<str, u32> = Cache::new(store).codec(Json).namespace("ages").boxed();
/// ages.insert("ada", 36).await?;
/// assert_eq!(ages.get("ada").await?, Some(36));
/// # }
///
/// let error = larder::open("rodis://:hunter2@localhost").await.unwrap_err();
/// assert!(error.to_string().contains("`rodis`"));
/// assert!(!format!("{error:?}").contains("hunter2"));
/// # larder::Result::Ok(()) }).unwrap();
/// ```
pub async fn open(url: &str) -> Result<BoxedBytes> {
    let Some((scheme, _)) = url.split_once("://") else {
        return Err(Error::new(ErrorKind::Config, no_url()));
    };
    match scheme {
        #[cfg(feature = "redis")]
        "redis" | "rediss" | "redis+cluster" | "rediss+cluster" | "redis+sentinel" | "rediss+sentinel" => {
            crate::Redis::connect(url).await.map(BoxedBytes::new)
        }
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => crate::Postgres::connect(url).await.map(BoxedBytes::new),
        #[cfg(feature = "memcached")]
        "memcached" => crate::Memcached::connect(url).await.map(BoxedBytes::new),
        #[cfg(feature = "object")]
        "s3" | "gs" | "az" | "file" | "memory" => crate::Object::open(url).await.map(BoxedBytes::new),
        _ => Err(unknown(scheme)),
    }
}

/// The schemes, and the feature that each wants.
const SCHEMES: [(&str, &str); 14] = [
    ("redis", "redis"),
    ("rediss", "redis-tls"),
    ("redis+cluster", "redis"),
    ("rediss+cluster", "redis-tls"),
    ("redis+sentinel", "redis"),
    ("rediss+sentinel", "redis-tls"),
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("memcached", "memcached"),
    ("file", "object"),
    ("memory", "object"),
    ("s3", "s3"),
    ("gs", "gcs"),
    ("az", "azure"),
];

/// Why [`open`] would not even try this URL, whatever the features.
#[cfg(feature = "memory")]
pub(crate) fn refusal(url: &str) -> Option<String> {
    match url.split_once("://") {
        None => Some(no_url()),
        Some((scheme, _)) if SCHEMES.iter().all(|(known, _)| *known != scheme) => Some(stranger(scheme)),
        Some(_) => None,
    }
}

fn no_url() -> String {
    format!("this is no URL; one begins with {}", known())
}

fn stranger(scheme: &str) -> String {
    // What stands before `://` may be anything, also a part of a secret that was put in the wrong place.
    let plain = scheme.len() <= 20 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
    let scheme = if plain { format!("the scheme `{scheme}`") } else { "this scheme".to_owned() };
    format!("nobody knows {scheme}; known are {}", known())
}

fn known() -> String {
    let schemes: Vec<_> = SCHEMES.iter().map(|(scheme, _)| format!("`{scheme}://`")).collect();
    schemes.join(", ")
}

fn unknown(scheme: &str) -> Error {
    if let Some((_, feature)) = SCHEMES.iter().find(|(known, _)| *known == scheme) {
        let cure = format!("enable it: larder = {{ version = \"..\", features = [\"{feature}\"] }}");
        let message = format!("`{scheme}://` wants the feature `{feature}` of the crate `larder`; {cure}");
        return Error::new(ErrorKind::Unsupported, message);
    }
    Error::new(ErrorKind::Config, stranger(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_is_off_is_named() {
        for (scheme, feature) in SCHEMES {
            let error = unknown(scheme);
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(&format!("features = [\"{feature}\"]")), "{error}");
        }
    }

    #[test]
    fn what_is_no_scheme_is_not_repeated() {
        let error = unknown("my secret: hunter2");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(error.to_string().contains("`redis+cluster://`"), "{error}");
    }
}
