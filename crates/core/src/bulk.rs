//! Many keys at once: each goes the way that it would go alone, and what they ask of the stores is asked together.
//!
//! A bulk operation is as many single ones in one task. Where one of them would ask a store it asks here; when none of them
//! can go on without an answer, everything of one sort that was asked at one level goes to its store in one call:
//!
//! ```text
//! ada ── miss in L1 ── ask L2 ─┐                            ┌─ hit ── copy to L1 ── answer
//! bob ── miss in L1 ── ask L2 ─┼─ get_many([ada, bob, eve]) ─┼─ hit ── copy to L1 ── answer
//! eve ── miss in L1 ── ask L2 ─┘                            └─ miss ── answer
//! ```
//!
//! So nothing of what is promised for one key is written a second time: turns, eras, what is judged and promoted, who
//! joins whose load. A key that must wait, for its turn or for another one's load, keeps no other waiting: it goes with a
//! later call. What may not stop with its caller (a load, a write that has begun) is *adopted*: it would be a task of its
//! own, and runs here to its end.

mod distinct;
mod gather;
mod loader;

pub(crate) use distinct::Distinct;
pub(crate) use gather::Gather;
pub(crate) use loader::BulkLoader;

use crate::behind::Sealed;
use crate::block_on::{is_blocking, is_runtime_driven};
use crate::crowd::{BoxFuture, Crowd};
use crate::record::{Record, Token};
use crate::shared_log::Name;
use crate::spawn::{catch_panic, in_turn, queued, runtime_in_background, runtime_to_wait_for};
use crate::sync::{Handle, Mutex};
use crate::{Cache, Error, ErrorKind, Lookup, Result, load};
use bytes::Bytes;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;
use tokio::task::unconstrained;

/// How many keys go into one call of a store. More make several calls at the same time.
pub(crate) const MOST: usize = 1_000;

/// What the keys of one bulk operation share.
pub(crate) struct Bulk {
    /// Held to add something or to take all of it.
    state: Mutex<State>,
    levels: Box<[Questions]>,
    /// What is to be invalidated where no level numbers it.
    pub(crate) names: Gather<Name, Result<()>>,
}

#[derive(Default)]
struct State {
    adopted: Vec<BoxFuture<'static, ()>>,
    /// Calls for which something was gathered.
    due: Vec<Due>,
    has_ended: bool,
}

type Due = Box<dyn FnOnce() -> Vec<BoxFuture<'static, ()>> + Send>;

/// What the keys ask of the store of one level.
#[derive(Default)]
pub(crate) struct Questions {
    pub(crate) reads: Gather<String, Result<Option<Bytes>>>,
    /// Reads through the log, and whether a guard is to be planted.
    pub(crate) records: Gather<(String, bool), Result<Record>>,
    pub(crate) writes: Gather<(String, Sealed), Result<()>>,
    pub(crate) removals: Gather<String, Result<()>>,
    /// Records to void, and the names to mark.
    pub(crate) voids: Gather<(String, Name), Result<Option<Token>>>,
}

/// What a key came to: the message, if code of the user or of a store panicked.
pub(crate) type Done<T> = std::result::Result<T, Arc<str>>;

impl Bulk {
    fn new(depth: usize) -> Self {
        let levels = (0..depth).map(|_| Questions::default()).collect();
        Bulk { state: Mutex::default(), levels, names: Gather::default() }
    }

    /// What is asked at this level.
    pub(crate) fn at(&self, level: usize) -> &Questions {
        &self.levels[level]
    }

    fn is_due(&self, call: Due) {
        let mut state = self.state.lock();
        if !state.has_ended {
            state.due.push(call);
            return;
        }
        drop(state);
        // Those who asked learn that there is nobody to do it.
        drop(call());
    }

    /// Runs `task` to its end, whatever becomes of the caller.
    fn adopt(&self, task: impl Future<Output: Send> + Send + 'static) {
        let task: BoxFuture<'static, ()> = Box::pin(async move {
            // Whoever waits for it notices.
            let _ = catch_panic(pin!(task)).await;
        });
        let mut state = self.state.lock();
        if !state.has_ended {
            state.adopted.push(task);
            return;
        }
        drop(state);
        drop(task);
    }

    fn take_adopted(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut self.state.lock().adopted)
    }

    fn take_due(&self) -> Vec<Due> {
        std::mem::take(&mut self.state.lock().due)
    }

    fn is_idle(&self) -> bool {
        let state = self.state.lock();
        state.adopted.is_empty() && state.due.is_empty()
    }

    /// Does all of `jobs`, as [`run`](Self::run). One that panics, or is cut off, has failed.
    pub(crate) async fn run_all<T: Send + 'static>(
        self: Arc<Self>,
        jobs: Vec<BoxFuture<'static, Result<T>>>,
    ) -> Vec<Result<T>> {
        let many = jobs.len();
        match self.run(jobs).await {
            Some(done) => {
                done.into_iter().map(|end| end.unwrap_or_else(|message| Err(panicked(&message)))).collect()
            }
            None => (0..many).map(|_| Err(cut_off())).collect(),
        }
    }

    /// Does all of `jobs` in one task, and returns what each came to. `None` where the runtime ended before.
    ///
    /// If the caller is dropped, so are the jobs; what they had adopted goes on.
    pub(crate) async fn run<T: Send + 'static>(
        self: Arc<Self>,
        jobs: Vec<BoxFuture<'static, T>>,
    ) -> Option<Vec<Done<T>>> {
        let jobs = jobs.into_iter().map(|job| -> BoxFuture<'static, Done<T>> {
            // What the jobs are given counts for the load that this call is made in.
            let job = load::current().scope(job);
            Box::pin(async move { catch_panic(pin!(job)).await })
        });
        let mut crowd = Crowd::default();
        let mut done: Vec<Option<Done<T>>> = Vec::new();
        for mut job in jobs {
            // Most of what is done in memory is done at once.
            match job.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(end) => done.push(Some(end)),
                Poll::Pending => {
                    let number = done.len();
                    done.push(None);
                    crowd.add(Box::pin(async move { (number, job.await) }));
                }
            }
        }
        if crowd.is_empty() && self.is_idle() {
            return Some(done.into_iter().flatten().collect());
        }
        let (answer, answered) = oneshot::channel();
        // Without the budget that tokio gives to a task: it would hold some keys back, which were not gathered with the
        // others. The task yields after each round.
        let driven = Box::pin(unconstrained(drive(Driving(self), crowd, done, answer)));
        match runtime_to_wait_for() {
            Some(runtime) => {
                runtime.spawn(driven);
                answered.await.ok()
            }
            None => drive_here(driven, answered).await,
        }
    }
}

/// Has the caller drive it until there is an answer; and to the end, where nothing else would go on with what is left.
async fn drive_here<T>(
    mut driven: Pin<Box<impl Future<Output = ()> + Send + 'static>>,
    mut answered: oneshot::Receiver<T>,
) -> Option<T> {
    let (answer, is_over) = poll_fn(|cx| {
        let is_over = driven.as_mut().poll(cx).is_ready();
        Pin::new(&mut answered).poll(cx).map(|answer| (answer.ok(), is_over))
    })
    .await;
    if !is_over {
        match runtime_in_background() {
            Some(runtime) => drop(runtime.spawn(driven)),
            None => driven.await,
        }
    }
    answer
}

/// Polls the jobs, and what they have adopted, until all have ended; makes calls when none can go on.
async fn drive<T: Send>(
    driving: Driving,
    jobs: Crowd<'static, (usize, Done<T>)>,
    mut done: Vec<Option<Done<T>>>,
    answer: oneshot::Sender<Vec<Done<T>>>,
) {
    let bulk = &driving.0;
    let mut tasks = Crowd::default();
    let mut waiting = Some((jobs, answer));
    poll_fn(move |cx| {
        if let Some((jobs, answer)) = &mut waiting {
            let has_left = answer.poll_closed(cx).is_ready();
            if !has_left {
                jobs.poll_woken(cx, |(number, end)| done[number] = Some(end));
            }
            if has_left || jobs.is_empty() {
                let answers = std::mem::take(&mut done).into_iter().flatten().collect();
                // Dropped here if the caller has left, which drops the jobs.
                let _ = waiting.take().map(|(_, answer)| answer.send(answers));
            }
        }
        bulk.take_adopted().into_iter().for_each(|task| tasks.add(task));
        tasks.poll_woken(cx, |()| ());
        let may_go_on = tasks.has_woken()
            || !bulk.state.lock().adopted.is_empty()
            || waiting.as_ref().is_some_and(|(jobs, _)| jobs.has_woken());
        if !may_go_on {
            // Nobody can ask for more before somebody is answered.
            let calls = bulk.take_due();
            if calls.is_empty() {
                let is_over = waiting.is_none() && tasks.is_empty();
                return if is_over { Poll::Ready(()) } else { Poll::Pending };
            }
            calls.into_iter().flat_map(|call| call()).for_each(|call| tasks.add(call));
        }
        // The runtime's other tasks have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Somebody makes the calls; until dropped, however that comes.
struct Driving(Arc<Bulk>);

impl Drop for Driving {
    fn drop(&mut self) {
        let (adopted, due) = {
            let mut state = self.0.state.lock();
            state.has_ended = true;
            (std::mem::take(&mut state.adopted), std::mem::take(&mut state.due))
        };
        drop(adopted);
        // Those who asked learn that there is nobody to do it.
        for call in due {
            drop(call());
        }
    }
}

impl std::fmt::Debug for Bulk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bulk").finish_non_exhaustive()
    }
}

/// Where what may not stop with its caller goes on.
pub(crate) enum Place {
    Runtime(Handle),
    Bulk(Arc<Bulk>),
}

impl Place {
    pub(crate) fn start(self, task: impl Future<Output: Send> + Send + 'static) {
        match self {
            Place::Runtime(runtime) => drop(runtime.spawn(task)),
            Place::Bulk(bulk) => bulk.adopt(task),
        }
    }
}

impl<K: ?Sized + Lookup, V, S, C> Cache<K, V, S, C> {
    /// A handle whose calls are made together, and what they share.
    pub(crate) fn in_bulk(&self) -> (Self, Arc<Bulk>) {
        let bulk = Arc::new(Bulk::new(self.inner.counters.levels.len()));
        let call = self.call.as_deref().cloned().unwrap_or_default();
        (self.clone().calling(Some(Arc::new(call.together(&bulk)))), bulk)
    }

    pub(crate) fn bulk(&self) -> Option<&Arc<Bulk>> {
        self.call.as_ref()?.bulk.as_ref()
    }

    /// Where what the caller of this handle waits for can go on without it, if anywhere.
    pub(crate) fn place_to_wait_for(&self) -> Option<Place> {
        match self.bulk() {
            Some(bulk) => Some(Place::Bulk(Arc::clone(bulk))),
            None => runtime_to_wait_for().map(Place::Runtime),
        }
    }

    /// Where what nobody waits for can go on.
    pub(crate) fn place_in_background(&self) -> Option<Place> {
        match self.bulk() {
            // A blocking call is not to wait for it either.
            Some(_) if is_blocking() && !is_runtime_driven() => None,
            Some(bulk) => Some(Place::Bulk(Arc::clone(bulk))),
            None => runtime_in_background().map(Place::Runtime),
        }
    }

    /// As [`in_turn`], where the calls of this handle go on.
    pub(crate) fn in_turn<W, T, Fut>(
        &self,
        turn: impl Future<Output = W> + Send + 'static,
        work: impl FnOnce(W) -> Fut + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send
    where
        W: Send + 'static,
        T: Send + 'static,
        Fut: Future<Output = Result<T>> + Send,
    {
        let bulk = self.bulk().map(Arc::clone);
        async move {
            let Some(bulk) = bulk else { return in_turn(turn, work).await };
            let work = async move |turn| {
                let work = pin!(async { work(turn).await });
                catch_panic(work).await
            };
            let (task, answered) = queued(turn, work);
            bulk.adopt(task);
            match answered.await {
                Ok(Ok(result)) => result,
                Ok(Err(message)) => Err(panicked(&message)),
                Err(_) => Err(cut_off()),
            }
        }
    }
}

/// What becomes of a key whose operation panicked: the others go on.
pub(crate) fn panicked(message: &str) -> Error {
    Error::new(ErrorKind::Closed, format!("it panicked: {message}"))
}

pub(crate) fn cut_off() -> Error {
    Error::new(ErrorKind::Closed, "the runtime ended before the store had answered")
}
