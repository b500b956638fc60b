//! What is done when a span is created, entered, left and closed, and what its times mean.
//!
//! A **stretch** is the time from the outermost enter of a span by a thread to the exit that belongs to it. What it means
//! is known only later:
//!
//! - A span that closes after one stretch was a call. The stretch is its time.
//! - A span that is entered again and again and lives on, as those do that layers of a model keep, has a call in each
//!   stretch.
//! - A span that is left the moment before it closes, after several stretches of which the last was short, was a future: each
//!   poll is a stretch, and so is the drop that ends it. All of it was one call, partly busy and partly idle.
//!
//! So the first [`HELD`] stretches of a span are held back until it is closed. When there are more, it is taken for one that
//! lives on, unless most spans of its position were futures lately.

use std::sync::{Arc, atomic::Ordering};

use neptune_core::{LostReason, stopwatch};
use tracing_core::{
    Metadata,
    span::{Attributes, Id, Record},
};

use super::{
    Child, OpenSpan, Position, Positions,
    open::{HELD, Pending, Stretch, Taken, Traits},
};
use crate::{
    context::Context,
    shared::Shared,
    target::Target,
    thread::{Entered, PerLayer, Planned},
    timing::{Kind, Sample, seconds},
    values::Values,
};

/// A future is closed within this time after its drop, in nanoseconds, unless the thread was interrupted.
const RIGHT_AFTER: u64 = 50_000;

/// A future that is done takes no longer to drop, in nanoseconds, cold caches included. Where there were futures before, one
/// that is cancelled takes less than a quarter of what a poll takes, on the average.
const SHORT: u64 = 5_000;

/// So many stretches are gathered for one call at most; then it begins again.
const MANY: u32 = 4_096;

/// What is around what is being created or said: where that is, and what is known there.
pub(crate) struct Around {
    pub(crate) target: u32,
    pub(crate) position: u32,
    pub(crate) context: Context,
}

impl Around {
    /// What is around by the parent that an event or a span names; by where the thread is, when it names none or one that
    /// we do not know.
    #[inline]
    pub(crate) fn of(shared: &Shared, thread: &PerLayer, is_root: bool, parent: Option<&Id>) -> Self {
        if is_root {
            return Self { target: Target::NONE, position: Positions::ROOT, context: Context::NONE };
        }
        match parent.and_then(|parent| shared.open.find(parent.into_u64())) {
            Some((_, parent)) => {
                Self { target: parent.target(), position: parent.position(), context: parent.context() }
            }
            None => Self { target: thread.belongs_to(), position: thread.position(), context: thread.context() },
        }
    }
}

pub(crate) fn opened(shared: &Shared, thread: &mut PerLayer, attributes: &Attributes<'_>, id: &Id) {
    let around = Around::of(shared, thread, attributes.is_root(), attributes.parent());
    let (Planned { plan, binding, children }, target) = thread.plan(shared, attributes.metadata(), around.target);
    let mut own = Context::NONE;
    if plan.has_context || plan.has_values {
        let mut values = Values::new(plan, target.map(|target| &**target), &shared.splits);
        attributes.record(&mut values);
        own = values.context;
        values.log(own.or(around.context), binding);
    }
    let number = target.map_or(Target::NONE, |target| target.number);
    // A span of one experiment has no place among those of another.
    let parent = if around.target == number { around.position } else { Positions::ROOT };
    let mut here = (parent, 0);
    if let Some(target) = target
        && (plan.is_timed || plan.is_raw)
    {
        let find = || shared.positions.child(target, parent, plan.metadata);
        let child = children.get_or_find((number, parent), find).copied().flatten();
        here = place(target, parent, child, plan.is_timed, plan.is_raw);
    }
    let step = step_trait(shared, own, here.1 & Traits::TIMED != 0);
    let inserted = shared.open.insert(id.into_u64(), |span| {
        span.own.set(own);
        span.inherited.set(around.context);
        span.place(number, here.0, here.1 | step);
    });
    match (inserted, target) {
        (Some(place), _) => thread.created = Some((id.into_u64(), place)),
        (None, Some(target)) => {
            target.handle.count_lost(LostReason::Overrun, 1, || "too many spans are open at once".to_owned());
        }
        (None, None) => {}
    }
}

/// The trait of a span that says a step. Its timeline begins here.
fn step_trait(shared: &Shared, own: Context, is_timed: bool) -> u32 {
    if own.step.is_nan() {
        return 0;
    }
    if is_timed {
        shared.collector.draw();
    }
    Traits::STEP
}

/// Where a span stands, and its traits.
fn place(target: &Target, around: u32, child: Option<Child>, is_timed: bool, is_raw: bool) -> (u32, u32) {
    match child {
        // What is timed for an experiment that has ended goes nowhere, and positions of it would stay for ever.
        Some(Child::At(position)) if !target.is_done.load(Ordering::Relaxed) => {
            (position, if is_timed { Traits::TIMED } else { 0 } | if is_raw { Traits::RAW } else { 0 })
        }
        Some(_) => (around, 0),
        None => {
            target.handle.count_lost(LostReason::Overrun, 1, || "spans have too many different paths".to_owned());
            (around, 0)
        }
    }
}

pub(crate) fn recorded(
    shared: &Shared,
    thread: &mut PerLayer,
    id: &Id,
    metadata: &'static Metadata<'static>,
    record: &Record<'_>,
) {
    let Some((_, span)) = shared.open.find(id.into_u64()) else { return };
    let (Planned { plan, binding, .. }, target) = thread.plan(shared, metadata, span.target());
    if !plan.has_context && !plan.has_values {
        return;
    }
    let mut values = Values::new(plan, target.map(|target| &**target), &shared.splits);
    record.record(&mut values);
    let own = values.context.or(span.own.get());
    values.log(own.or(span.inherited.get()), binding);
    span.own.set(own);
    span.add_trait(step_trait(shared, own, span.is(Traits::TIMED)));
    // The spans that this thread has entered inside of it know it too, as far as they do not say better.
    let mut around: Option<Context> = None;
    for entered in &mut thread.stack {
        if entered.id == id.into_u64() {
            entered.own = own;
            entered.context = own.or(entered.context);
            around = Some(entered.context);
        } else if let Some(around) = &mut around {
            entered.context = entered.own.or(*around).or(entered.context);
            *around = entered.context;
        }
    }
}

pub(crate) fn entered(
    shared: &Shared,
    thread: &mut PerLayer,
    id: &Id,
    metadata: impl FnOnce() -> Option<&'static Metadata<'static>>,
) {
    let number = id.into_u64();
    if let Some(again) = thread.stack.iter_mut().rev().find(|entered| entered.id == number) {
        again.depth += 1;
        return;
    }
    let created = thread.created.filter(|(created, _)| *created == number);
    let found = created.and_then(|(_, place)| Some((place, shared.open.at(place, number)?)));
    let Some((place, span)) = found.or_else(|| shared.open.find(number)) else { return };
    if let Some(target) = thread.instead_of(shared, span.target())
        && let Some(metadata) = metadata()
    {
        moved(shared, thread, span, &target, metadata);
    }
    let own = span.own.get();
    let context = own.or(span.inherited.get()).or(thread.context());
    thread.left = None;
    thread.stack.push(Entered {
        id: number,
        place,
        target: span.target(),
        position: span.position(),
        own,
        context,
        depth: 0,
        // Last, so that none of this is counted.
        began: stopwatch::ticks(),
    });
}

/// Has a span belong to another experiment: the thread that enters it has entered that, or nobody had it yet.
#[cold]
fn moved(
    shared: &Shared,
    thread: &mut PerLayer,
    span: &OpenSpan,
    target: &Arc<Target>,
    metadata: &'static Metadata<'static>,
) {
    if span.is(Traits::TIMED | Traits::RAW)
        && let Some(pending) = span.release(true)
    {
        count(shared, thread, span, &pending, false);
    }
    let is_inside = thread.stack.last().is_some_and(|top| top.target == target.number);
    let around = if is_inside { thread.position() } else { Positions::ROOT };
    let (Planned { plan, .. }, _) = thread.plan(shared, metadata, target.number);
    let here = if plan.is_timed || plan.is_raw {
        let child = shared.positions.child(target, around, metadata);
        place(target, around, child, plan.is_timed, plan.is_raw)
    } else {
        (around, 0)
    };
    let step = step_trait(shared, span.own.get(), here.1 & Traits::TIMED != 0);
    span.place(target.number, here.0, here.1 | step);
}

pub(crate) fn exited(shared: &Shared, thread: &mut PerLayer, id: &Id) {
    let now = stopwatch::ticks();
    let id = id.into_u64();
    let Some(index) = thread.stack.iter().rposition(|entered| entered.id == id) else { return };
    if let Some(entered) = thread.stack.get_mut(index)
        && entered.depth > 0
    {
        entered.depth -= 1;
        return;
    }
    let entered = thread.stack.remove(index);
    thread.left = Some((id, now));
    let Some(span) = shared.open.at(entered.place, id) else { return };
    if !span.is(Traits::TIMED | Traits::RAW) {
        return;
    }
    let stretch = Stretch { began: entered.began, ticks: now.saturating_sub(entered.began) };
    if entered.target != span.target() {
        // Another thread has moved it to another experiment meanwhile.
        let sample = Sample {
            kind: Kind::Stretch,
            position: entered.position,
            began: stretch.began,
            ticks: stretch.ticks,
            extra: 0,
        };
        thread.timings(shared).push(sample);
        return;
    }
    // What is known to be a future goes on being one.
    let gathers = || shared.positions.get(span.position()).is_some_and(|position| position.has_futures());
    match span.take(stretch, now, gathers) {
        Taken::Held => {}
        Taken::Released => sampled(shared, thread, span, Kind::Stretch, stretch, 0),
        Taken::Full(pending) => {
            count(shared, thread, span, &pending, false);
            sampled(shared, thread, span, Kind::Stretch, stretch, 0);
        }
        Taken::Gathered(stretches) => {
            if stretches >= MANY
                && let Some(pending) = span.release(true)
            {
                count(shared, thread, span, &pending, true);
            }
        }
    }
}

pub(crate) fn closed(shared: &Shared, thread: &mut PerLayer, id: &Id) {
    let Some((place, span)) = shared.open.find(id.into_u64()) else { return };
    if span.is(Traits::TIMED | Traits::RAW) {
        if let Some(stretch) = span.only() {
            // By far the most frequent: a function was called.
            sampled(shared, thread, span, Kind::Stretch, stretch, 0);
        } else if let Some(pending) = span.release(false)
            && pending.count > 0
        {
            let position = shared.positions.get(span.position());
            let was_future = position.as_ref().is_some_and(|position| position.had_future());
            let is_future = is_future(thread, id.into_u64(), &pending, was_future);
            if let Some(position) = position.filter(|_| pending.count > 1) {
                position.note_future(is_future);
            }
            count(shared, thread, span, &pending, is_future);
        }
    }
    shared.open.remove(place);
}

/// Whether a span that is being closed was a future, by how it ended. Where spans of its position were, an interruption of
/// the thread does not count.
fn is_future(thread: &PerLayer, id: u64, pending: &Pending, was_future: bool) -> bool {
    let since = |at: u64| stopwatch::nanos(stopwatch::ticks().saturating_sub(at));
    let is_left_just_now = thread.left.is_some_and(|(left, at)| left == id && (was_future || since(at) < RIGHT_AFTER));
    let polls = u64::from(pending.count.saturating_sub(1)).max(1);
    let poll = pending.busy.saturating_sub(pending.last) / polls;
    let is_drop = stopwatch::nanos(pending.last) < SHORT || (was_future && pending.last < poll / 4);
    pending.count > 1 && !pending.overlaps && is_left_just_now && is_drop
}

/// Has everything that is held back for an experiment counted, when it ends before the spans are closed.
pub(crate) fn release_all(shared: &Shared, thread: &mut PerLayer, target: u32) {
    for span in shared.open.all() {
        if span.target() == target
            && span.is(Traits::TIMED | Traits::RAW)
            && let Some(pending) = span.release(false)
        {
            count(shared, thread, span, &pending, false);
        }
    }
}

/// Counts what was held back of a span: as one call, or each stretch as its own.
#[cold]
fn count(shared: &Shared, thread: &mut PerLayer, span: &OpenSpan, pending: &Pending, is_future: bool) {
    let Some(first) = pending.each().first() else { return };
    if is_future {
        let ticks = pending.left.saturating_sub(first.began);
        sampled(shared, thread, span, Kind::Awaited, Stretch { began: first.began, ticks }, pending.busy.min(ticks));
        return;
    }
    for stretch in pending.each() {
        sampled(shared, thread, span, Kind::Stretch, *stretch, 0);
    }
    if pending.count as usize > HELD {
        // Those that were only added up, because it was taken for a future: together.
        let told = pending.each().iter().fold(0_u64, |told, stretch| told.saturating_add(stretch.ticks));
        let ticks = pending.busy.saturating_sub(told);
        let stretch = Stretch { began: pending.left.saturating_sub(ticks), ticks };
        sampled(shared, thread, span, Kind::Stretch, stretch, 0);
    }
}

/// Hands a sample on to the ring of the thread, and to the raw timings where they are asked for.
#[inline]
fn sampled(shared: &Shared, thread: &mut PerLayer, span: &OpenSpan, kind: Kind, stretch: Stretch, busy: u64) {
    if span.is(Traits::TIMED) {
        let sample =
            Sample { kind, position: span.position(), began: stretch.began, ticks: stretch.ticks, extra: busy };
        let timings = thread.timings(shared);
        timings.push(sample);
        if span.is(Traits::STEP) {
            timings.push(Sample { kind: Kind::Step, extra: span.own.get().step.to_bits(), ..sample });
        }
    }
    if span.is(Traits::RAW) {
        raw(shared, span, stretch.ticks);
    }
}

#[cold]
fn raw(shared: &Shared, span: &OpenSpan, ticks: u64) {
    let Some(position) = shared.positions.get(span.position()) else { return };
    let Position { target, path, raw, .. } = &*position;
    if let Some(series) = raw.get_or_init(|| target.handle.series(&format!("timing/{path}/samples")).ok()) {
        // One behind the other: a step may have many, and a step has room for one point.
        series.append(seconds(ticks));
    }
}

/// The spans that this thread is in, the innermost first, with what is known of each: for what is said of a panic.
pub(crate) fn trace(shared: &Shared, thread: &PerLayer) -> Vec<String> {
    let spans = thread.stack.iter().rev();
    spans
        .map(|entered| {
            let path = shared.positions.get(entered.position).map(|position| position.path.clone()).unwrap_or_default();
            let said = |name, value: f64| if value.is_nan() { String::new() } else { format!(" {name}={value}") };
            format!("{path}{}{}", said("step", entered.context.step), said("epoch", entered.context.epoch))
        })
        .collect()
}

/// Frees the slot of a span that is closed where nothing can be done for it.
pub(crate) fn dropped(shared: &Shared, id: &Id) {
    if let Some((place, _)) = shared.open.find(id.into_u64()) {
        shared.open.remove(place);
    }
}
