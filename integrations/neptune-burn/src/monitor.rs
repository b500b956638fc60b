//! [`GradientMonitor`]: gradients and weights, by one line in the step of the optimizer.
//!
//! Invariant: nothing is computed, and no device is waited for, in the steps between those that are logged.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use burn::{module::Module, optim::GradientsParams, train::ApplicationLoggerInstaller};
use neptune_core::{ExperimentHandle, LostReason, Series, Step};

use crate::{
    histograms,
    names::Namespace,
    norms::{self, Norms},
};

/// How often norms are logged unless it is said: each costs one wait for the device.
const EVERY: u64 = 50;

/// Logs norms, and histograms if it is asked to, of gradients and weights:
///
/// | what | where |
/// |---|---|
/// | the norm of all gradients, of all weights | `gradients/total_norm`, `weights/total_norm` |
/// | the norms of one parameter and its gradient | `gradients/fc1/weight/norm`, `weights/fc1/weight/norm` |
/// | their distributions | `gradients/fc1/weight/histogram`, `weights/fc1/weight/histogram` |
///
/// Their steps count the steps of the optimizer, from 1: those of `train/loss`, unless gradients are accumulated. In
/// data-parallel training each peer counts.
///
/// Cheap to clone. [`Hooks`](crate::Hooks) makes the one that [`log_gradients`] uses.
#[derive(Clone)]
pub struct GradientMonitor {
    shared: Arc<Shared>,
}

struct Shared {
    handle: ExperimentHandle,
    namespace: Namespace,
    every: u64,
    histograms_every: Option<u64>,
    /// Steps of the optimizer so far.
    steps: AtomicU64,
    series: Mutex<HashMap<String, Result<Series<f64>, LostReason>>>,
}

thread_local! {
    /// The monitor of the training that this thread attached or launched last.
    static OF_THREAD: RefCell<Weak<Shared>> = const { RefCell::new(Weak::new()) };
}

/// The monitors of the trainings of this process, for threads that set none up.
static OF_PROCESS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Logs norms of the gradients and weights of `module` to the experiment of the training that runs, every so many steps.
/// Does nothing when there is none. One line in the model:
///
/// ```
/// # use burn::{module::Module, nn::Linear, optim::*, optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate, tensor::Tensor};
/// # use burn::train::{TrainStep, TrainOutput};
/// # #[derive(Module, Debug)] struct Model { fc: Linear }
/// impl TrainStep for Model {
/// #   type Input = Tensor<2>; type Output = ();
/// #   fn step(&self, item: Tensor<2>) -> TrainOutput<()> { TrainOutput::new(self, self.fc.forward(item).sum().backward(), ()) }
///     // fn step ...
///     fn optimize(self, optim: &mut ModuleOptimizer, lr: ModuleLearningRate, grads: GradientsParams) -> Self {
///         neptune_burn::log_gradients(&self, &grads);
///         optim.step(lr, self, grads)
///     }
/// }
/// ```
///
/// The training that runs is the one that this thread launched last or, on other threads, the only one of the process. Where
/// several run at once on other threads, give each model its own [`GradientMonitor`] in a field with `#[module(skip)]`.
pub fn log_gradients<M: Module>(module: &M, grads: &GradientsParams) {
    if let Some(monitor) = GradientMonitor::current() {
        monitor.log(module, grads);
    }
}

impl GradientMonitor {
    /// Logs to the top of the experiment, norms every 50 steps and no histograms.
    pub fn new(handle: &ExperimentHandle) -> Self {
        let shared = Shared {
            handle: handle.clone(),
            namespace: Namespace::default(),
            every: EVERY,
            histograms_every: None,
            steps: AtomicU64::new(0),
            series: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Logs below `namespace`, which may have several segments.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.within(Namespace::new(namespace))
    }

    /// Logs norms every `steps` steps of the optimizer, beginning with the first; never when that is 0.
    #[must_use]
    pub fn every(self, steps: u64) -> Self {
        self.with(|shared| shared.every = steps)
    }

    /// Logs histograms every `steps` steps, beginning with the first. Reads every parameter and gradient from its device:
    /// choose a large number for large models.
    #[must_use]
    pub fn histograms_every(self, steps: u64) -> Self {
        self.with(|shared| shared.histograms_every = Some(steps))
    }

    pub(crate) fn within(self, namespace: Namespace) -> Self {
        self.with(|shared| shared.namespace = namespace)
    }

    /// Goes on behind `steps` steps.
    pub(crate) fn resuming(self, steps: u64) -> Self {
        self.with(|shared| shared.steps = AtomicU64::new(steps))
    }

    fn with(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Arc::try_unwrap(self.shared).unwrap_or_else(|shared| Shared {
            handle: shared.handle.clone(),
            namespace: shared.namespace.clone(),
            every: shared.every,
            histograms_every: shared.histograms_every,
            steps: AtomicU64::new(shared.steps.load(Ordering::Relaxed)),
            series: Mutex::default(),
        });
        change(&mut shared);
        Self { shared: Arc::new(shared) }
    }

    /// Has [`log_gradients`] use this monitor for as long as somebody keeps it: on this thread, and on others while it is the
    /// only one.
    pub(crate) fn make_current(&self) {
        OF_THREAD.with_borrow_mut(|of_thread| *of_thread = Arc::downgrade(&self.shared));
        let mut all = OF_PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|monitor| monitor.upgrade().is_some_and(|monitor| !monitor.handle.has_ended()));
        if !all.iter().any(|monitor| monitor.ptr_eq(&Arc::downgrade(&self.shared))) {
            all.push(Arc::downgrade(&self.shared));
        }
    }

    fn current() -> Option<Self> {
        let of_thread = OF_THREAD.with_borrow(Weak::upgrade);
        let shared = of_thread.or_else(|| {
            let all = OF_PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
            let mut running = all.iter().filter_map(Weak::upgrade).filter(|monitor| !monitor.handle.has_ended());
            running.next().filter(|_| running.next().is_none())
        });
        shared.map(|shared| Self { shared })
    }

    /// The steps of the optimizer that were counted.
    pub(crate) fn steps(&self) -> u64 {
        self.shared.steps.load(Ordering::Relaxed)
    }

    /// Counts a step of the optimizer, and logs if it is one of those that are logged. Called before the step is made: the
    /// weights are those that the gradients are of.
    ///
    /// What the device cannot compute is left out: the training meets the error by itself.
    pub fn log<M: Module>(&self, module: &M, grads: &GradientsParams) {
        let shared = &*self.shared;
        let step = shared.steps.fetch_add(1, Ordering::Relaxed) + 1;
        let is_due = |every: u64| every > 0 && (step - 1).is_multiple_of(every);
        if shared.handle.has_ended() {
            return;
        }
        if is_due(shared.every)
            && let Ok((gradients, weights)) = norms::both(module, grads)
        {
            shared.log(step, "gradients", &gradients);
            shared.log(step, "weights", &weights);
        }
        if shared.histograms_every.is_some_and(is_due) {
            histograms::log(&shared.handle, &shared.namespace, step, module, grads);
        }
    }
}

/// Makes the monitor the current one when its training is launched, on the thread that launches it: several may have been
/// attached before. The application logger is what burn calls first there.
pub(crate) struct CurrentAtLaunch(pub(crate) GradientMonitor);

impl ApplicationLoggerInstaller for CurrentAtLaunch {
    fn install(&self) -> Result<(), String> {
        self.0.make_current();
        Ok(())
    }
}

impl Shared {
    fn log(&self, step: u64, kind: &str, norms: &Norms) {
        let mut known = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let named = norms.parameters.iter().map(|(name, norm)| (format!("{name}/norm"), *norm));
        let named = named.chain([("total_norm".to_owned(), norms.total)]);
        let points: Vec<(Series<f64>, f64)> = named
            .filter_map(|(name, norm)| {
                let path = self.namespace.path(&format!("{kind}/{name}"));
                let series = known.entry(path).or_insert_with_key(|path| crate::split_log::series(&self.handle, path));
                match series {
                    Ok(series) => Some((series.clone(), norm)),
                    Err(reason) => {
                        self.handle.count_lost(*reason, 1, String::new);
                        None
                    }
                }
            })
            .collect();
        self.handle.append_points(Some(Step::from(step)), points.iter().map(|(series, norm)| (series, *norm)));
    }
}

impl fmt::Debug for GradientMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GradientMonitor")
            .field("handle", &self.shared.handle)
            .field("every", &self.shared.every)
            .field("histograms_every", &self.shared.histograms_every)
            .finish_non_exhaustive()
    }
}
