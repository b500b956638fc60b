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
use tracing_core::Metadata;

use crate::{
    context::Context,
    few::Few,
    plan::{Becomes, Callsite, Plan},
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

/// What the names of our own threads begin with.
const OURS: &str = "neptune:";

struct PerThread {
    /// One of our own threads: what it logs is not for us.
    is_ours: bool,
    layers: Vec<PerLayer>,
}

/// What a thread keeps of a layer.
pub(crate) struct PerLayer {
    layer: u64,
    shared: Weak<Shared>,
    plans: HashMap<Callsite, Planned, RandomState>,
    /// Where it logs outside of spans, and the versions of the routing by which that was found.
    target: Option<Arc<Target>>,
    routing: Option<(u64, u64)>,
    /// The thread has entered that experiment itself, so it comes before those of spans.
    has_entered: bool,
    /// The experiment of a span that was looked up last, and its number.
    other: (u32, Option<Arc<Target>>),
    /// The targets of the experiments that it entered lately.
    known: Vec<Arc<Target>>,
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
    pub(crate) target: u32,
    pub(crate) position: u32,
    /// What it says itself.
    pub(crate) own: Context,
    /// What is known inside: what it says itself and what those around it say.
    pub(crate) context: Context,
    /// How often it was entered again inside itself.
    pub(crate) depth: u32,
    pub(crate) began: u64,
}

/// The plan of a callsite, with what was found for it.
pub(crate) struct Planned {
    pub(crate) plan: Arc<Plan>,
    pub(crate) binding: Binding,
    /// Where its spans stand, by target and parent.
    pub(crate) children: Few<(u32, u32), Option<Child>>,
}

/// The series that the metrics of a callsite are logged to, by target and split.
#[derive(Default)]
pub(crate) struct Binding {
    bound: Few<(u32, u32), (Arc<Bound>, Last)>,
    /// Where its texts were logged last.
    pub(crate) texts: Last,
}

/// The step at which something of a callsite was logged last, and what that was.
pub(crate) struct Last {
    x: u64,
    fields: u64,
}

impl Default for Last {
    fn default() -> Self {
        Self { x: f64::NAN.to_bits(), fields: 0 }
    }
}

impl Last {
    /// Notes that some fields are logged at `x`; whether one of them was there already.
    #[inline]
    pub(crate) fn is_again(&mut self, x: f64, fields: u64) -> bool {
        if self.x != x.to_bits() || x.is_nan() {
            *self = Self { x: x.to_bits(), fields };
            return false;
        }
        let is_again = self.fields & fields != 0;
        self.fields |= fields;
        is_again
    }
}

impl PerThread {
    fn new() -> Self {
        let is_ours = thread::current().name().is_some_and(|name| name.starts_with(OURS));
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

/// Whether this thread has anything of a layer.
pub(crate) fn knows(shared: &Shared) -> bool {
    let knows = |thread: &RefCell<PerThread>| {
        thread.try_borrow().is_ok_and(|thread| thread.layers.iter().any(|layer| layer.layer == shared.number))
    };
    THREAD.try_with(knows).unwrap_or(false)
}

impl PerLayer {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            layer: shared.number,
            shared: Arc::downgrade(shared),
            plans: HashMap::default(),
            target: None,
            routing: None,
            has_entered: false,
            other: (Target::NONE, None),
            known: Vec::new(),
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

    /// The experiment of the span that it is in, by number.
    pub(crate) fn belongs_to(&self) -> u32 {
        self.stack.last().map_or(Target::NONE, |top| top.target)
    }

    /// What becomes of a callsite, and where to: the experiment that the thread has entered, or the one `of` the span around
    /// it while that runs, or that of the layer or the process.
    #[inline]
    pub(crate) fn plan(
        &mut self,
        shared: &Shared,
        metadata: &'static Metadata<'static>,
        of: u32,
    ) -> (&mut Planned, Option<&Arc<Target>>) {
        let target = if self.is_elsewhere(shared, of) { &self.other.1 } else { &self.target }.as_ref();
        let planned = self.plans.entry(Callsite::of(metadata)).or_insert_with(|| Planned::new(shared.plan(metadata)));
        (planned, target)
    }

    /// Where it logs to, where it is.
    pub(crate) fn target(&mut self, shared: &Shared) -> Option<Arc<Target>> {
        let of = self.belongs_to();
        if self.is_elsewhere(shared, of) { self.other.1.clone() } else { self.target.clone() }
    }

    /// The experiment that a span is to move to when it is entered: the one that the thread has entered or, where that of the
    /// span is none or over, the one that goes without saying.
    #[inline]
    pub(crate) fn instead_of(&mut self, shared: &Shared, of: u32) -> Option<Arc<Target>> {
        if self.is_elsewhere(shared, of) {
            return None;
        }
        self.target.as_ref().filter(|mine| mine.number != of && mine.is_running()).cloned()
    }

    /// Whether what is `of` an experiment is logged there, as `other`, and not where the thread logs to by itself: the thread
    /// has entered no experiment, and that one runs.
    #[inline]
    fn is_elsewhere(&mut self, shared: &Shared, of: u32) -> bool {
        self.follow(shared);
        let is_mine = self.target.as_ref().is_some_and(|target| target.number == of);
        if is_mine || self.has_entered || of == Target::NONE {
            return false;
        }
        if self.other.0 != of {
            self.other = (of, shared.target_numbered(of));
        }
        self.other.1.as_ref().is_some_and(|other| other.is_running())
    }

    /// Finds out where the thread logs to, when that may have changed.
    #[inline]
    fn follow(&mut self, shared: &Shared) {
        let routing = route::version();
        if self.routing != Some(routing) {
            (self.target, self.has_entered) = shared.target(&mut self.known);
            self.routing = Some(routing);
        }
    }

    /// Whether anything becomes of a callsite, as far as this thread knows.
    pub(crate) fn is_wanted(&mut self, shared: &Shared, metadata: &Metadata<'_>) -> Option<bool> {
        let callsite = Callsite::of(metadata);
        if let Some(planned) = self.plans.get(&callsite) {
            return Some(planned.plan.is_wanted());
        }
        if Becomes::is_nothing(metadata, &shared.settings) {
            return Some(false);
        }
        let planned = Planned::new(shared.known_plan(&callsite)?);
        let is_wanted = planned.plan.is_wanted();
        self.plans.insert(callsite, planned);
        Some(is_wanted)
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

impl Planned {
    fn new(plan: Arc<Plan>) -> Self {
        Self { plan, binding: Binding::default(), children: Few::default() }
    }
}

impl Binding {
    /// The series of the metrics of a callsite, and where it logged last.
    #[inline]
    pub(crate) fn bind(
        &mut self,
        plan: &Arc<Plan>,
        target: &Target,
        split: u32,
        splits: &Splits,
    ) -> Option<&mut (Arc<Bound>, Last)> {
        let bind = || (target.bind(plan, split, splits), Last::default());
        self.bound.get_or_find((target.number, split), bind)
    }
}
