//! Which experiment a thread logs to: the one that it entered last, across `.await` as well.

use std::{
    cell::{Cell, RefCell},
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use neptune_core::ExperimentHandle;
use pin_project_lite::pin_project;

thread_local! {
    static ENTERED: RefCell<Vec<(u64, ExperimentHandle)>> = const { RefCell::new(Vec::new()) };
    /// Changes whenever `ENTERED` does.
    static VERSION: Cell<u64> = const { Cell::new(0) };
}

/// A number that changes when the experiment does that this thread has entered; no two states have the same.
#[inline]
pub(crate) fn version() -> u64 {
    VERSION.try_with(Cell::get).unwrap_or(0)
}

/// The experiment that this thread has entered.
pub(crate) fn current() -> Option<ExperimentHandle> {
    ENTERED.try_with(|entered| entered.borrow().last().map(|(_, experiment)| experiment.clone())).ok().flatten()
}

fn change() -> u64 {
    VERSION.with(|version| {
        version.set(version.get() + 1);
        version.get()
    })
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
    let number = change();
    ENTERED.with(|entered| entered.borrow_mut().push((number, experiment.clone())));
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
        VERSION.try_with(|version| version.set(version.get() + 1)).ok();
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
        Inside { future: self, experiment: experiment.clone() }
    }
}

impl<F: Future> InExperiment for F {}

pin_project! {
    /// The future of [`InExperiment::in_experiment`].
    #[must_use = "a future does nothing unless it is polled"]
    pub struct Inside<F> {
        #[pin]
        future: F,
        experiment: ExperimentHandle,
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
        this.future.poll(context)
    }
}
