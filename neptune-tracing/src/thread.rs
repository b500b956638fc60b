//! What a thread keeps of each layer: the plans of its callsites, the spans it is in, the ring of its timings.
//!
//! Invariant: while a thread is in here it is not let in again. What a value's `Debug` logs while it is printed for us, and
//! what our own threads log, is not for us.

use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{Arc, Weak},
    thread,
};

use foldhash::fast::RandomState;
use tracing_core::{Metadata, callsite::Identifier};

use crate::{
    context::Context,
    plan::Plan,
    route,
    shared::Shared,
    spans::{Child, Place, Positions},
    splits::Splits,
    target::{Bound, Target},
    timing::ThreadTimings,
};

thread_local! {
    static THREAD: RefCell<PerThread> = RefCell::new(PerThread::new());
}

struct PerThread {
    /// One of our own threads: what it logs is not for us.
    is_ours: bool,
    layers: Vec<PerLayer>,
}

/// What a thread keeps of a layer.
pub(crate) struct PerLayer {
    layer: u64,
    shared: Weak<Shared>,
    plans: HashMap<Identifier, Planned, RandomState>,
    /// The target of what this thread logs, and the routing by which it was found.
    target: Option<Arc<Target>>,
    routing: Option<u64>,
    /// The spans that the thread is in.
    pub(crate) stack: Vec<Entered>,
    /// The span that it created last.
    pub(crate) created: Option<(u64, Place)>,
    /// The span that it left last and when, unless anything else happened since.
    pub(crate) left: Option<(u64, u64)>,
    timings: Option<Arc<ThreadTimings>>,
}

/// A span that the thread is in.
pub(crate) struct Entered {
    pub(crate) id: u64,
    pub(crate) place: Place,
    pub(crate) position: u32,
    /// What is known inside: what it says itself and what those around it say.
    pub(crate) context: Context,
    /// How often it was entered again inside itself.
    pub(crate) depth: u32,
    pub(crate) began: u64,
}

/// The plan of a callsite, with what was found for it last.
pub(crate) struct Planned {
    pub(crate) plan: Arc<Plan>,
    pub(crate) binding: Binding,
    /// Where its spans stand, by target and parent.
    pub(crate) child: Option<((u32, u32), Child)>,
}

/// The series that the metrics of a callsite were logged to last, with their target and split.
#[derive(Default)]
pub(crate) struct Binding(Option<(u32, u32, Arc<Bound>)>);

impl PerThread {
    fn new() -> Self {
        let is_ours = thread::current().name().is_some_and(|name| name.starts_with("neptune-"));
        Self { is_ours, layers: Vec::new() }
    }

    fn of(&mut self, shared: &Arc<Shared>) -> Option<&mut PerLayer> {
        if let Some(index) = self.layers.iter().position(|layer| layer.layer == shared.number) {
            return self.layers.get_mut(index);
        }
        // Layers that are gone leave what they had here; now is the time to forget it.
        self.layers.retain(|layer| layer.shared.strong_count() > 0);
        self.layers.push(PerLayer::new(shared));
        self.layers.last_mut()
    }
}

/// Calls `act` with what this thread keeps of a layer; not at all when the thread is in here already, is one of ours, or
/// is going away.
#[inline]
pub(crate) fn with<T>(shared: &Arc<Shared>, act: impl FnOnce(&mut PerLayer) -> T) -> Option<T> {
    THREAD
        .try_with(|thread| {
            let mut thread = thread.try_borrow_mut().ok()?;
            if thread.is_ours {
                return None;
            }
            thread.of(shared).map(act)
        })
        .ok()
        .flatten()
}

impl PerLayer {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            layer: shared.number,
            shared: Arc::downgrade(shared),
            plans: HashMap::default(),
            target: None,
            routing: None,
            stack: Vec::new(),
            created: None,
            left: None,
            timings: None,
        }
    }

    /// What is known where the thread is.
    pub(crate) fn context(&self) -> Context {
        self.stack.last().map_or(Context::NONE, |top| top.context)
    }

    /// Where it is among the spans.
    pub(crate) fn position(&self) -> u32 {
        self.stack.last().map_or(Positions::ROOT, |top| top.position)
    }

    /// The plan of a callsite, and the target of what it logs; `None` without a target.
    #[inline]
    pub(crate) fn plan(
        &mut self,
        shared: &Shared,
        metadata: &'static Metadata<'static>,
    ) -> Option<(&mut Planned, &Arc<Target>)> {
        let routing = route::version();
        if self.routing != Some(routing) {
            self.target = shared.target();
            self.routing = Some(routing);
        }
        let target = self.target.as_ref()?;
        let planned = self.plans.entry(metadata.callsite()).or_insert_with(|| Planned {
            plan: shared.plan(metadata),
            binding: Binding::default(),
            child: None,
        });
        Some((planned, target))
    }

    /// The ring of this thread.
    pub(crate) fn timings(&mut self, shared: &Shared) -> &ThreadTimings {
        self.timings.get_or_insert_with(|| {
            let thread = thread::current();
            let name = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
            shared.collector.add_thread(name)
        })
    }
}

impl Binding {
    /// The series of the metrics of a callsite.
    #[inline]
    pub(crate) fn bind(&mut self, plan: &Arc<Plan>, target: &Target, split: u32, splits: &Splits) -> &Bound {
        if self.0.as_ref().is_some_and(|known| (known.0, known.1) != (target.number, split)) {
            self.0 = None;
        }
        &self.0.get_or_insert_with(|| (target.number, split, target.bind(plan, split, splits))).2
    }
}
