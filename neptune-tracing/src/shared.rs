//! [`Shared`]: what all threads share of a layer.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use foldhash::fast::RandomState;
use neptune_core::{ExperimentHandle, ExperimentId};
use tracing_core::{Metadata, callsite::Identifier};

use crate::{
    plan::Plan,
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
    plans: Mutex<HashMap<Identifier, Arc<Plan>, RandomState>>,
    /// The experiment of the layer itself.
    own: Option<Arc<Target>>,
    /// Every experiment that was logged to, while it runs.
    targets: Mutex<HashMap<ExperimentId, Arc<Target>>>,
    next_target: AtomicU64,
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
                targets: Mutex::new(own.iter().map(|target| (target.handle.id(), Arc::clone(target))).collect()),
                own,
                next_target: AtomicU64::new(1),
                me: me.clone(),
                splits: Splits::default(),
                open: OpenSpans::default(),
                positions: Positions::default(),
                collector,
            }
        });
        if let Some(own) = &shared.own {
            shared.flush_with(&own.handle);
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
        let plan = plans.entry(metadata.callsite());
        Arc::clone(plan.or_insert_with(|| Arc::new(Plan::new(metadata, &self.settings))))
    }

    /// The plan of a callsite that was met before.
    pub(crate) fn known_plan(&self, callsite: &Identifier) -> Option<Arc<Plan>> {
        lock(&self.plans).get(callsite).cloned()
    }

    /// Where this thread logs to.
    pub(crate) fn target(&self) -> Option<Arc<Target>> {
        if self.settings.is_routed
            && let Some(experiment) = route::current()
        {
            return self.target_of(experiment);
        }
        self.own.clone()
    }

    fn target_of(&self, experiment: ExperimentHandle) -> Option<Arc<Target>> {
        let id = experiment.id();
        if let Some(target) = lock(&self.targets).get(&id) {
            return Some(Arc::clone(target));
        }
        let number = u32::try_from(self.next_target.fetch_add(1, Ordering::Relaxed)).ok()?;
        let target = Arc::new(Target::new(number, experiment));
        let mut targets = lock(&self.targets);
        let mut ended = Vec::new();
        targets.retain(|_, target| {
            if target.handle.has_ended() {
                ended.push(target.number);
            }
            !target.handle.has_ended()
        });
        let known = Arc::clone(targets.entry(id).or_insert_with(|| Arc::clone(&target)));
        drop(targets);
        for target in ended {
            self.collector.forget(&self.positions, target);
        }
        if Arc::ptr_eq(&known, &target) {
            self.flush_with(&target.handle);
        }
        Some(known)
    }

    /// Has the timings of an experiment written before it is flushed or ends.
    fn flush_with(&self, experiment: &ExperimentHandle) {
        let me = self.me.clone();
        let id = experiment.id();
        experiment.before_flush(move || {
            let Some(shared) = me.upgrade() else { return };
            let has_ended = lock(&shared.targets).get(&id).is_some_and(|target| target.handle.has_ended());
            if has_ended {
                threads::with(&shared, |thread| spans::release_held(&shared, thread));
            }
            shared.collector.collect(&shared.positions, Log::All);
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
    }
}

/// Starts the thread that collects timings, for as long as the layer is there.
fn look_now_and_then(shared: &Arc<Shared>) {
    let shared = Arc::downgrade(shared);
    let look = move || {
        loop {
            thread::park_timeout(LOOK);
            let Some(shared) = shared.upgrade() else { return };
            shared.collector.collect(&shared.positions, Log::Due);
        }
    };
    // Without it timings are logged when the experiment is flushed and when it ends.
    drop(thread::Builder::new().name("neptune-timings".into()).spawn(look));
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
