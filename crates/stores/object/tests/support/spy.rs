//! A driver in memory that counts, fails on demand, and has a password that it would tell.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

#[derive(Default)]
pub(crate) struct Counts {
    /// Objects that a listing gave out.
    pub(crate) listed: AtomicU64,
    /// Reads of a range that began, are under way, and were at most.
    pub(crate) reads: AtomicU64,
    pub(crate) reading: AtomicU64,
    pub(crate) most_reading: AtomicU64,
    /// By how many objects a listing was ahead of the reads, at most.
    pub(crate) most_ahead: AtomicU64,
    /// The longest range that was asked for.
    pub(crate) most_bytes: AtomicU64,
    /// All but listings fails.
    pub(crate) broken: AtomicBool,
    /// Objects are gone when they are read or removed, though they are listed.
    pub(crate) vanished: AtomicBool,
    /// Listings fail after this many objects, if it is not 0.
    pub(crate) listing_breaks_after: AtomicU64,
}

#[derive(Clone)]
pub(crate) struct Spy {
    pub(crate) inner: Arc<InMemory>,
    pub(crate) counts: Arc<Counts>,
    /// A size that is claimed for every object, whose content must then not be read.
    pub(crate) claimed_bytes: Option<u64>,
}

impl Spy {
    pub(crate) fn new() -> Self {
        Spy { inner: Arc::default(), counts: Arc::default(), claimed_bytes: None }
    }

    /// The path of the only object.
    pub(crate) async fn only_object(&self) -> Path {
        let listed: Vec<_> = self.inner.list(None).collect().await;
        assert_eq!(listed.len(), 1);
        listed.into_iter().next().unwrap().unwrap().location
    }

    fn check(&self) -> Result<()> {
        if self.counts.vanished.load(SeqCst) {
            return Err(Error::NotFound { path: "?".into(), source: "gone".into() });
        }
        if self.counts.broken.load(SeqCst) { Err(broken()) } else { Ok(()) }
    }
}

fn broken() -> Error {
    Error::Generic { store: "Spy", source: "connection refused".into() }
}

impl fmt::Debug for Spy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spy(https://ada:hunter2@bucket)")
    }
}

impl fmt::Display for Spy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spy(https://ada:hunter2@bucket)")
    }
}

#[async_trait]
impl ObjectStore for Spy {
    async fn put_opts(&self, at: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.check()?;
        self.inner.put_opts(at, payload, options).await
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(broken())
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.check()?;
        let mut result = self.inner.get_opts(at, options).await?;
        if let Some(bytes) = self.claimed_bytes {
            result.meta.size = bytes;
            result.range = 0..bytes;
            let content = futures::stream::once(async { panic!("the content was read") });
            result.payload = GetResultPayload::Stream(content.boxed());
        }
        Ok(result)
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        let counts = &self.counts;
        counts.reads.fetch_add(1, SeqCst);
        let reading = counts.reading.fetch_add(1, SeqCst) + 1;
        counts.most_reading.fetch_max(reading, SeqCst);
        for range in ranges {
            assert!(range.start < range.end, "S3 has no empty ranges");
            counts.most_bytes.fetch_max(range.end - range.start, SeqCst);
        }
        // Lets the others come in, as a network would.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        counts.reading.fetch_sub(1, SeqCst);
        self.check()?;
        self.inner.get_ranges(at, ranges).await
    }

    fn delete_stream(&self, at: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let spy = self.clone();
        let checked = at.map(move |path| spy.check().and(path));
        self.inner.delete_stream(checked.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let counts = Arc::clone(&self.counts);
        let counted = self.inner.list(prefix).map(move |listed| {
            let number = counts.listed.fetch_add(1, SeqCst) + 1;
            counts.most_ahead.fetch_max(number - counts.reads.load(SeqCst), SeqCst);
            match counts.listing_breaks_after.load(SeqCst) {
                most if most > 0 && number > most => Err(broken()),
                _ => listed,
            }
        });
        counted.boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(broken())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(broken())
    }
}
