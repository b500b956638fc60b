//! Which experiment a thread logs to: the one that it entered last, across `.await` as well.

use std::{
    cell::{Cell, RefCell},
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use neptune_core::ExperimentHandle;
use pin_project_lite::pin_project;

thread_local! {
    static ENTERED: RefCell<Vec<(u64, ExperimentHandle)>> = const { RefCell::new(Vec::new()) };
    /// Changes whenever `ENTERED` does.
    static VERSION: Cell<u64> = const { Cell::new(0) };
}

/// Where threads log that entered nothing, through layers without a running experiment of their own.
static EVERYWHERE: RwLock<Option<ExperimentHandle>> = RwLock::new(None);

/// Changes whenever `EVERYWHERE` does, and when an experiment ends.
static EVERYWHERE_VERSION: AtomicU64 = AtomicU64::new(0);

/// Numbers that change when what this thread logs to may have; no two states of a thread have the same.
#[inline]
pub(crate) fn version() -> (u64, u64) {
    (VERSION.try_with(Cell::get).unwrap_or(0), EVERYWHERE_VERSION.load(Ordering::Acquire))
}

/// The experiment that this thread has entered.
pub(crate) fn entered() -> Option<ExperimentHandle> {
    ENTERED.try_with(|entered| entered.borrow().last().map(|(_, experiment)| experiment.clone())).ok().flatten()
}

/// The experiment of the process.
pub(crate) fn everywhere() -> Option<ExperimentHandle> {
    EVERYWHERE.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Has every thread log to `experiment` that has not entered another: through layers that were made without an experiment,
/// and those whose experiment has ended. `None` takes that back.
///
/// For programs that run one experiment behind the other under one subscriber; threads that were there before follow.
pub fn set_experiment(experiment: Option<&ExperimentHandle>) {
    let mut everywhere = EVERYWHERE.write().unwrap_or_else(PoisonError::into_inner);
    let before = std::mem::replace(&mut *everywhere, experiment.cloned());
    changed();
    drop(everywhere);
    drop(before);
}

/// Has every thread find out anew where it logs to: an experiment has ended.
pub(crate) fn changed() {
    EVERYWHERE_VERSION.fetch_add(1, Ordering::Release);
}

/// The next version of this thread; `None` when the thread is going away.
fn change() -> Option<u64> {
    let next = |version: &Cell<u64>| {
        version.set(version.get() + 1);
        version.get()
    };
    VERSION.try_with(next).ok()
}

/// Has this thread log to `experiment` until the guard is dropped, through whatever neptune layer is installed.
///
/// Guards nest. For a future use [`InExperiment::in_experiment`]: a guard that is held across `.await` would stay with the
/// thread.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let session = neptune_core::Session::builder().folder(folder.path()).open()?;
/// use tracing_subscriber::prelude::*;
/// let _subscriber = tracing_subscriber::registry().with(neptune_tracing::builder().layer()).set_default();
/// for rate in [0.1, 0.01] {
///     let experiment = session.experiment().start()?;
///     let entered = neptune_tracing::enter(&experiment);
///     tracing::info!(param.rate = rate);
///     drop(entered);
///     experiment.stop()?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn enter(experiment: &ExperimentHandle) -> Entered {
    // A thread that is going away has nothing to enter any more.
    let number = change().unwrap_or(0);
    ENTERED.try_with(|entered| entered.borrow_mut().push((number, experiment.clone()))).ok();
    Entered { number, _of_this_thread: PhantomData }
}

/// The guard of [`enter`].
#[must_use = "the experiment is left when the guard is dropped"]
pub struct Entered {
    number: u64,
    /// It must be dropped by the thread that entered.
    _of_this_thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        // Fails only in a thread that is going away. Guards may be dropped in any order.
        let left = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let place = entered.iter().rposition(|(number, _)| *number == self.number);
            place.map(|place| entered.remove(place))
        });
        // The handle may be the last of its experiment: dropped when nothing is borrowed any more.
        drop(left);
        change();
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

/// Futures that log to an experiment, whichever thread polls them.
pub trait InExperiment: Sized {
    /// This future, logging to `experiment` while it is polled and dropped.
    fn in_experiment(self, experiment: &ExperimentHandle) -> Inside<Self> {
        Inside { future: Some(self), experiment: experiment.clone() }
    }
}

impl<F: Future> InExperiment for F {}

pin_project! {
    /// The future of [`InExperiment::in_experiment`].
    #[must_use = "a future does nothing unless it is polled"]
    pub struct Inside<F> {
        // Always there until it is dropped.
        #[pin]
        future: Option<F>,
        experiment: ExperimentHandle,
    }

    impl<F> PinnedDrop for Inside<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = enter(this.experiment);
            this.future.set(None);
        }
    }
}

impl<F> fmt::Debug for Inside<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside").field("experiment", &self.experiment).finish_non_exhaustive()
    }
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = enter(this.experiment);
        match this.future.as_pin_mut() {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        }
    }
}
