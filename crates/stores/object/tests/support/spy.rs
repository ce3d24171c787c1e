//! A driver in memory that counts, fails on demand, and has a password that it would tell.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

#[allow(dead_code, reason = "no test uses all of it")]
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
    /// Every request and what it was about: `GET 0..67`, `PUT Create 28`.
    pub(crate) requests: Mutex<Vec<String>>,
    /// Conditions are ignored, as some servers do.
    pub(crate) is_blind: AtomicBool,
    /// Listings are in the wrong order.
    pub(crate) lists_backwards: AtomicBool,
    /// Reads find nothing.
    pub(crate) is_hidden: AtomicBool,
    /// Of the conditions, the one that there be nothing is ignored.
    pub(crate) is_blind_to_creation: AtomicBool,
    /// Nothing is answered, for ever.
    pub(crate) is_stuck: AtomicBool,
    /// So many puts are done, and their answer is that the condition does not hold: as if it had been lost and the
    /// driver had tried again.
    pub(crate) lost_answers: AtomicU64,
    /// So many objects have changed when their second part is read.
    pub(crate) changes_between_parts: AtomicU64,
    /// Puts and reads that are under way, and were at most.
    pub(crate) busy: AtomicU64,
    pub(crate) most_busy: AtomicU64,
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

#[allow(dead_code, reason = "no test uses all of it")]
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

    /// Returns the requests since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.counts.requests.lock().unwrap())
    }

    fn note(&self, request: impl Into<String>) {
        self.counts.requests.lock().unwrap().push(request.into());
    }

    /// Lets others come in, as a network would.
    async fn travel(&self) {
        if self.counts.is_stuck.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        let busy = self.counts.busy.fetch_add(1, SeqCst) + 1;
        self.counts.most_busy.fetch_max(busy, SeqCst);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.counts.busy.fetch_sub(1, SeqCst);
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
    async fn put_opts(&self, at: &Path, payload: PutPayload, mut options: PutOptions) -> Result<PutResult> {
        let mode = match options.mode {
            PutMode::Overwrite => "",
            PutMode::Create => "Create ",
            PutMode::Update(_) => "Update ",
        };
        self.note(format!("PUT {mode}{}", payload.content_length()));
        self.travel().await;
        self.check()?;
        let is_creation = matches!(options.mode, PutMode::Create);
        if self.counts.is_blind.load(SeqCst) || is_creation && self.counts.is_blind_to_creation.load(SeqCst) {
            options.mode = PutMode::Overwrite;
        }
        let put = self.inner.put_opts(at, payload, options).await?;
        if self.counts.lost_answers.load(SeqCst) > 0 {
            self.counts.lost_answers.fetch_sub(1, SeqCst);
            return Err(Error::Precondition { path: at.to_string(), source: "changed".into() });
        }
        Ok(put)
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(broken())
    }

    async fn get_opts(&self, at: &Path, mut options: GetOptions) -> Result<GetResult> {
        self.note(match &options.range {
            _ if options.head => "HEAD".into(),
            Some(GetRange::Bounded(range)) => format!("GET {}..{}", range.start, range.end),
            _ => "GET".to_owned(),
        });
        self.travel().await;
        self.check()?;
        if self.counts.is_hidden.load(SeqCst) {
            return Err(Error::NotFound { path: at.to_string(), source: "hidden".into() });
        }
        let is_second = matches!(&options.range, Some(GetRange::Bounded(range)) if range.start > 0);
        if is_second && self.counts.changes_between_parts.load(SeqCst) > 0 {
            self.counts.changes_between_parts.fetch_sub(1, SeqCst);
            // As long as before, and other bytes behind what is in front of every object.
            let mut changed = self.inner.get(at).await?.bytes().await?.to_vec();
            changed[20..].fill(9);
            self.inner.put(at, changed.into()).await?;
        }
        if self.counts.is_blind.load(SeqCst) {
            options.if_match = None;
        }
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
        self.note(format!("GET {}..{}", ranges[0].start, ranges[0].end));
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
        let checked = at.then(move |path| {
            let spy = spy.clone();
            async move {
                spy.note("DELETE");
                spy.travel().await;
                spy.check().and(path)
            }
        });
        self.inner.delete_stream(checked.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.note("LIST");
        let counts = Arc::clone(&self.counts);
        if counts.lists_backwards.load(SeqCst) {
            let mut all: Vec<_> = futures::executor::block_on(self.inner.list(prefix).collect());
            all.reverse();
            return futures::stream::iter(all).boxed();
        }
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
