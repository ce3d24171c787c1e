//! The objects of all namespaces, in the order of their names, from any place on.
//!
//! A folder is read shard by shard. Object storage lists in that order by itself; where a listing begins is asked of
//! it and checked (Azure's emulator begins anew each time). A driver that was given may list in any order, which
//! does for a listing of everything.

use crate::folder::{self, Shard};
use crate::object::Place;
use crate::{Object, name};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt, future};
use larder_core::{Error, ErrorKind, Result};
use object_store::path::Path;
use object_store::{Error as DriverError, ObjectStore};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// All names of ours begin with it, and no name of ours is it: a listing of ours begins after it.
const BEFORE_OURS: &str = "larder";

/// How far a purge has come, see [`Object::purge_page`].
///
/// It can be kept as text: another process may go on with it. The default is the beginning.
///
/// # Examples
///
/// ```
/// use larder_object::PurgePosition;
///
/// let kept = PurgePosition::default().to_string();
/// assert_eq!(kept.parse::<PurgePosition>()?, PurgePosition::default());
/// assert!("somebody's/file".parse::<PurgePosition>().is_err());
/// # larder_core::Result::Ok(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurgePosition(
    /// The name of the last object that was looked at, or nothing.
    String,
);

impl PurgePosition {
    pub(crate) fn after(path: &Path) -> Self {
        PurgePosition(path.to_string())
    }

    pub(crate) fn is_start(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_behind(&self, path: &Path) -> bool {
        path.as_ref() > self.0.as_str()
    }
}

impl fmt::Display for PurgePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PurgePosition {
    type Err = Error;

    /// Reads what `Display` wrote.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for anything else.
    fn from_str(text: &str) -> Result<Self> {
        match Path::parse(text) {
            Ok(path) if text.is_empty() || name::is_object(&path) => Ok(PurgePosition(text.into())),
            _ => Err(Error::new(ErrorKind::Config, "this is no position of a purge")),
        }
    }
}

/// An object that was listed.
pub(crate) struct Listed {
    pub(crate) path: Path,
    pub(crate) bytes: u64,
}

impl Object {
    /// Lists what is an object of ours by its name and comes after `from`.
    pub(crate) async fn list_from(
        &self,
        from: &PurgePosition,
    ) -> BoxStream<'static, object_store::Result<Listed>> {
        let from = from.clone();
        match &self.place {
            Place::Folder(root) => list_folder(Arc::clone(root), from).await,
            Place::Memory | Place::Bucket(_) => {
                let begin = if from.is_start() { BEFORE_OURS } else { &from.0 };
                // In order, so what comes after the last of ours need not be seen.
                let listed = self.driver.list_with_offset(None, &Path::from(begin));
                let ours = listed.try_take_while(|meta| future::ok(meta.location.as_ref() < "larder\u{7f}"));
                only_ours(ours.boxed(), from)
            }
            Place::Given if from.is_start() => only_ours(self.driver.list(None), from),
            Place::Given => only_ours(self.driver.list_with_offset(None, &Path::from(&*from.0)), from),
        }
    }
}

fn only_ours(
    listed: BoxStream<'static, object_store::Result<object_store::ObjectMeta>>,
    from: PurgePosition,
) -> BoxStream<'static, object_store::Result<Listed>> {
    listed
        .try_filter(move |meta| {
            future::ready(from.is_behind(&meta.location) && name::is_object(&meta.location))
        })
        .map_ok(|meta| Listed { path: meta.location, bytes: meta.size })
        .boxed()
}

async fn list_folder(
    root: Arc<std::path::Path>,
    from: PurgePosition,
) -> BoxStream<'static, object_store::Result<Listed>> {
    let last = from.clone();
    let shards = folder::blocking(move || {
        let mut shards = Shard::all(&root);
        shards.retain(|shard| !shard.is_before(&last.0));
        shards
    });
    // Cut off with its runtime, it has found nothing.
    stream::iter(shards.await.unwrap_or_default())
        .then(|shard| async move { folder::blocking(move || shard.files()).await.unwrap_or(Ok(Vec::new())) })
        .map_err(|error| DriverError::Generic { store: "folder", source: error.into() })
        .map_ok(|files| stream::iter(files.into_iter().map(Ok)))
        .try_flatten()
        .try_filter(move |file| future::ready(from.is_behind(&file.path)))
        .map_ok(|file| Listed { path: file.path, bytes: file.bytes })
        .boxed()
}
