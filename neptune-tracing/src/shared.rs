//! [`Shared`]: what all threads share of a layer.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use foldhash::fast::RandomState;
use neptune_core::ExperimentHandle;
use tracing_core::Metadata;

use crate::{
    plan::{Callsite, Plan},
    route,
    settings::Settings,
    spans::{self, OpenSpans, Positions},
    splits::Splits,
    target::Target,
    thread as threads,
    timing::{Collector, LOOK, Log},
};

/// The layers of this process, for the panic hook.
static LAYERS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

pub(crate) struct Shared {
    /// Its number among the layers of this process; no two have the same.
    pub(crate) number: u64,
    pub(crate) settings: Settings,
    plans: Mutex<HashMap<Callsite, Arc<Plan>, RandomState>>,
    /// The experiment of the layer itself.
    own: Option<Arc<Target>>,
    /// Every experiment that was logged to, while it runs.
    targets: Mutex<Vec<Arc<Target>>>,
    next_target: AtomicU64,
    /// The thread that collects timings.
    looker: OnceLock<Thread>,
    me: Weak<Self>,
    pub(crate) splits: Splits,
    pub(crate) open: OpenSpans,
    pub(crate) positions: Positions,
    pub(crate) collector: Collector,
}

impl Shared {
    pub(crate) fn new(settings: Settings, experiment: Option<ExperimentHandle>, window: Duration) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let collector = Collector::new(window, settings.keep_every);
        let shared = Arc::new_cyclic(|me: &Weak<Self>| {
            let own = experiment.map(|handle| Arc::new(Target::new(0, handle)));
            Self {
                number: NEXT.fetch_add(1, Ordering::Relaxed),
                settings,
                plans: Mutex::default(),
                targets: Mutex::new(own.iter().cloned().collect()),
                own,
                next_target: AtomicU64::new(1),
                looker: OnceLock::new(),
                me: me.clone(),
                splits: Splits::default(),
                open: OpenSpans::default(),
                positions: Positions::default(),
                collector,
            }
        });
        if let Some(own) = &shared.own {
            shared.flush_with(own);
        }
        let mut layers = lock(&LAYERS);
        layers.retain(|layer| layer.strong_count() > 0);
        layers.push(Arc::downgrade(&shared));
        drop(layers);
        look_now_and_then(&shared);
        shared
    }

    /// What becomes of a callsite; decided at its first use.
    pub(crate) fn plan(&self, metadata: &'static Metadata<'static>) -> Arc<Plan> {
        let mut plans = lock(&self.plans);
        let plan = plans.entry(Callsite::of(metadata));
        Arc::clone(plan.or_insert_with(|| Arc::new(Plan::new(metadata, &self.settings))))
    }

    /// The plan of a callsite that was met before; nothing while somebody is at another.
    pub(crate) fn known_plan(&self, callsite: &Callsite) -> Option<Arc<Plan>> {
        self.plans.try_lock().ok()?.get(callsite).cloned()
    }

    /// Where this thread logs to outside of spans, and whether it has entered that itself.
    /// `known` are targets that the thread keeps, so that entering an experiment again and again takes no lock.
    pub(crate) fn target(&self, known: &mut Vec<Arc<Target>>) -> (Option<Arc<Target>>, bool) {
        if self.settings.is_routed
            && let Some(experiment) = route::entered()
        {
            return (self.known_target_of(experiment, known), true);
        }
        let everywhere = || route::everywhere().filter(|_| self.settings.is_routed);
        match (self.own.as_ref().filter(|own| own.is_running()), everywhere()) {
            (None, Some(experiment)) => (self.known_target_of(experiment, known), false),
            _ => (self.own.clone(), false),
        }
    }

    fn known_target_of(&self, experiment: ExperimentHandle, known: &mut Vec<Arc<Target>>) -> Option<Arc<Target>> {
        const MOST: usize = 4;
        if let Some(target) = known.iter().find(|target| target.handle.is_same_writer(&experiment)) {
            return Some(Arc::clone(target));
        }
        let target = self.target_of(experiment)?;
        known.retain(|target| target.is_running());
        known.truncate(MOST - 1);
        known.insert(0, Arc::clone(&target));
        Some(target)
    }

    /// The target of this number, while it is known.
    pub(crate) fn target_numbered(&self, number: u32) -> Option<Arc<Target>> {
        lock(&self.targets).iter().find(|target| target.number == number).cloned()
    }

    fn target_of(&self, experiment: ExperimentHandle) -> Option<Arc<Target>> {
        let mut targets = lock(&self.targets);
        if let Some(target) = targets.iter().find(|target| target.handle.is_same_writer(&experiment)) {
            return Some(Arc::clone(target));
        }
        let number = u32::try_from(self.next_target.fetch_add(1, Ordering::Relaxed)).ok()?;
        let target = Arc::new(Target::new(number, experiment));
        // What is kept of those that are over is forgotten by the thread that collects.
        let mut over = Vec::new();
        targets.retain(|target| {
            let is_done = target.is_done.load(Ordering::Acquire);
            if is_done {
                over.push(target.number);
            }
            !is_done
        });
        targets.push(Arc::clone(&target));
        drop(targets);
        self.collector.forget_soon(over);
        self.flush_with(&target);
        Some(target)
    }

    /// Has the timings of an experiment written before it is flushed or ends.
    fn flush_with(&self, target: &Arc<Target>) {
        let (me, of) = (self.me.clone(), Arc::downgrade(target));
        target.handle.before_flush(move || {
            let (Some(shared), Some(target)) = (me.upgrade(), of.upgrade()) else { return };
            let has_ended = target.handle.has_ended();
            if has_ended {
                route::changed();
                threads::with(&shared, |thread| spans::release_all(&shared, thread, target.number));
            }
            shared.collector.collect(&shared.positions, Log::Of(target.number));
            target.is_done.store(has_ended, Ordering::Release);
        });
    }

    /// The layers of this process; `None` where somebody is about to add one.
    pub(crate) fn all() -> Option<Vec<Arc<Self>>> {
        Some(LAYERS.try_lock().ok()?.iter().filter_map(Weak::upgrade).collect())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.collector.collect(&self.positions, Log::All);
        if let Some(looker) = self.looker.get() {
            looker.unpark();
        }
    }
}

/// Starts the thread that collects timings, for as long as the layer is there.
fn look_now_and_then(shared: &Arc<Shared>) {
    let weak = Arc::downgrade(shared);
    let look = move || {
        loop {
            thread::park_timeout(LOOK);
            let Some(shared) = weak.upgrade() else { return };
            shared.collector.collect(&shared.positions, Log::Due);
        }
    };
    // Without it timings are logged when the experiment is flushed and when it ends.
    if let Ok(looker) = thread::Builder::new().name("neptune:timings".into()).spawn(look) {
        shared.looker.set(looker.thread().clone()).ok();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
