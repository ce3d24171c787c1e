//! The same names over `shuttle`, for the models.

use shuttle::current;
use std::any::Any;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::mem::ManuallyDrop;
use std::pin::{Pin, pin};
use std::sync::PoisonError;
use std::task::{Context, Poll};

/// Keys fall into the same parts in every run, or a schedule could not be replayed.
pub(crate) use foldhash::fast::FixedState as RandomState;
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

/// Two parts show what more of them would, in fewer steps.
pub(crate) const fn shards(_: usize) -> usize {
    2
}

/// A lock that cannot be poisoned, as that of `parking_lot`.
#[derive(Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Mutex(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cell that is set once. Others may go on before each look at it.
pub(crate) struct OnceLock<T> {
    cell: std::sync::OnceLock<T>,
    step: AtomicBool,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        OnceLock { cell: std::sync::OnceLock::new(), step: AtomicBool::new(false) }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.step();
        self.cell.get()
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        self.step();
        self.cell.set(value)
    }

    fn step(&self) {
        self.step.load(std::sync::atomic::Ordering::SeqCst);
    }
}

/// The name of the tasks for which there is no runtime.
const OUTSIDE: &str = "outside of the runtime";

/// The runtime, which everything runs in but tasks of that name.
pub(crate) struct Handle;

impl Handle {
    pub(crate) fn try_current() -> Result<Self, NoRuntime> {
        let name = current::get_name_for_task(current::me());
        if name.is_some_and(|name| String::from(name) == OUTSIDE) { Err(NoRuntime) } else { Ok(Handle) }
    }

    #[expect(clippy::unused_self, reason = "it is called as tokio's is")]
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let task = shuttle::future::spawn(future);
        // On another thread the task may run at once; shuttle goes on with this one, unless something asks it.
        shuttle::sync::atomic::AtomicBool::new(false).load(std::sync::atomic::Ordering::SeqCst);
        JoinHandle(ManuallyDrop::new(task))
    }
}

pub(crate) struct NoRuntime;

/// A task. Never dropped, which would say that nobody cares whether the task ends: the models do.
pub(crate) struct JoinHandle<T>(ManuallyDrop<shuttle::future::JoinHandle<T>>);

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.0).poll(cx).map_err(JoinError)
    }
}

/// The task was cut off. One that panics ends the whole model.
pub(crate) struct JoinError(shuttle::future::JoinError);

impl JoinError {
    pub(crate) fn is_panic(&self) -> bool {
        !matches!(self.0, shuttle::future::JoinError::Cancelled)
    }

    pub(crate) fn into_panic(self) -> Box<dyn Any + Send> {
        Box::new(self.0.to_string())
    }
}

/// Declares a task-local. Tokio's are those of the thread while a task is polled, and here another task may go on in
/// the middle of that.
macro_rules! task_local {
    (static $name:ident: $value:ty;) => {
        static $name: $crate::sync::TaskLocal<$value> = {
            shuttle::thread_local! {
                static CELL: std::cell::RefCell<Option<$value>> = const { std::cell::RefCell::new(None) };
            }
            $crate::sync::TaskLocal::new(&CELL)
        };
    };
}
pub(crate) use task_local;

pub(crate) struct TaskLocal<T: 'static>(&'static shuttle::thread::LocalKey<RefCell<Option<T>>>);

impl<T: Clone + Send> TaskLocal<T> {
    pub(crate) const fn new(cell: &'static shuttle::thread::LocalKey<RefCell<Option<T>>>) -> Self {
        TaskLocal(cell)
    }

    #[expect(clippy::future_not_send, reason = "as the future that it is given")]
    pub(crate) async fn scope<F: Future>(&'static self, value: T, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _inside =
                Inside { cell: self.0, outer: self.0.with(|cell| cell.replace(Some(value.clone()))) };
            future.as_mut().poll(cx)
        })
        .await
    }

    pub(crate) fn sync_scope<R>(&'static self, value: T, work: impl FnOnce() -> R) -> R {
        let _inside = Inside { cell: self.0, outer: self.0.with(|cell| cell.replace(Some(value))) };
        work()
    }

    pub(crate) fn try_with<R>(&'static self, look: impl FnOnce(&T) -> R) -> Result<R, ()> {
        let value = self.0.with(|cell| cell.borrow().clone());
        value.as_ref().map(look).ok_or(())
    }
}

/// Restores what was there before, also when the future panics.
struct Inside<T: 'static> {
    cell: &'static shuttle::thread::LocalKey<RefCell<Option<T>>>,
    outer: Option<T>,
}

impl<T> Drop for Inside<T> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        self.cell.with(|cell| cell.replace(outer));
    }
}
