//! What is done when a span is created, entered, left and closed, and what its times mean.
//!
//! A **stretch** is the time from the outermost enter of a span by a thread to the exit that belongs to it. What it means
//! is known only later:
//!
//! - A span that closes after one stretch was a call. The stretch is its time.
//! - A span that is entered again and again and lives on, as those do that layers of a model keep, has a call in each
//!   stretch.
//! - A span that is left the moment before it closes, after several stretches, was a future: each poll is a stretch, and so
//!   is the drop that ends it. All of it was one call, partly busy and partly idle.
//!
//! So the first [`HELD`] stretches of a span are held back until it is closed. When there are more, it is taken for one that
//! lives on, unless spans of its position were futures before.

use std::sync::atomic::Ordering;

use neptune_core::stopwatch;
use tracing_core::{
    Metadata,
    span::{Attributes, Id, Record},
};

use super::{
    Child, Position, Positions,
    open::{HELD, OpenSpan, Traits},
};
use crate::{
    context::Context,
    shared::Shared,
    thread::{Entered, PerLayer, Planned},
    timing::{Kind, Sample, seconds},
    values::Values,
};

/// Set in [`OpenSpan::stretches`] when stretches are not held back any more.
const RELEASED: u32 = 1;

/// A future is dropped within this time after its span was left for the last time; in nanoseconds.
const RIGHT_AFTER: u64 = 20_000;

/// So many polls no future has; a span with more lives on after all.
const MANY: u32 = 1 << 16;

pub(crate) fn opened(shared: &Shared, thread: &mut PerLayer, attributes: &Attributes<'_>, id: &Id) {
    let (position, around) = if attributes.is_contextual() {
        (thread.position(), thread.context())
    } else {
        let parent = attributes.parent().and_then(|parent| shared.open.find(parent.into_u64()));
        parent.map_or((Positions::ROOT, Context::NONE), |(_, parent)| (parent.position(), parent.context()))
    };
    let Some((Planned { plan, binding, child }, target)) = thread.plan(shared, attributes.metadata()) else { return };
    let mut traits = 0;
    let mut here = position;
    if plan.is_timed || plan.is_raw {
        let key = (target.number, position);
        let found = match child {
            Some((known, child)) if *known == key => Some(*child),
            _ => {
                let callsite = std::ptr::from_ref(plan.metadata).addr();
                let found = shared.positions.child(target, position, callsite, plan.metadata.name());
                *child = found.map(|found| (key, found));
                found
            }
        };
        if let Some(Child::At(position)) = found {
            here = position;
            traits = if plan.is_timed { Traits::TIMED } else { 0 } | if plan.is_raw { Traits::RAW } else { 0 };
        }
    }
    let mut context = around;
    if plan.has_context || plan.has_values {
        let mut values = Values::new(plan, target, &shared.splits);
        attributes.record(&mut values);
        if !values.context.step.is_nan() {
            traits |= Traits::STEP;
        }
        context = values.context.or(around);
        values.log(context, |split| binding.bind(plan, target, split, &shared.splits));
    }
    if let Some((place, span)) = shared.open.insert(id.into_u64()) {
        span.set_context(context);
        span.position.store(here, Ordering::Relaxed);
        span.traits.store(traits, Ordering::Relaxed);
        thread.created = Some((id.into_u64(), place));
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
    let Some((Planned { plan, binding, .. }, target)) = thread.plan(shared, metadata) else { return };
    if !plan.has_context && !plan.has_values {
        return;
    }
    let mut values = Values::new(plan, target, &shared.splits);
    record.record(&mut values);
    let own = values.context;
    if !own.step.is_nan() {
        span.traits.fetch_or(Traits::STEP, Ordering::Relaxed);
    }
    let context = own.or(span.context());
    span.set_context(context);
    values.log(context, |split| binding.bind(plan, target, split, &shared.splits));
    for entered in thread.stack.iter_mut().filter(|entered| entered.id == id.into_u64()) {
        entered.context = own.or(entered.context);
    }
}

pub(crate) fn entered(shared: &Shared, thread: &mut PerLayer, id: &Id) {
    let id = id.into_u64();
    if let Some(again) = thread.stack.iter_mut().rev().find(|entered| entered.id == id) {
        again.depth += 1;
        return;
    }
    let place = match thread.created {
        Some((created, place)) if created == id => Some(place),
        _ => shared.open.find(id).map(|(place, _)| place),
    };
    let Some((place, span)) = place.and_then(|place| Some((place, shared.open.at(place)?))) else { return };
    let around = thread.stack.last().map_or(Context::NONE, |top| top.context);
    let entered = Entered {
        id,
        place,
        position: span.position(),
        context: span.context().or(around),
        depth: 0,
        // Last, so that none of this is counted.
        began: stopwatch::ticks(),
    };
    thread.left = None;
    thread.stack.push(entered);
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
    let Some(span) = shared.open.at(entered.place) else { return };
    if span.is(Traits::TIMED | Traits::RAW) {
        let ticks = now.saturating_sub(entered.began);
        stretch(shared, thread, span, Stretch { began: entered.began, ticks }, now);
    }
}

pub(crate) fn closed(shared: &Shared, thread: &mut PerLayer, id: &Id) {
    let Some((place, span)) = shared.open.find(id.into_u64()) else { return };
    let state = span.stretches.load(Ordering::Acquire);
    let count = state / 2;
    if count == 1 && state & RELEASED == 0 {
        // By far the most frequent: a function was called.
        sampled(shared, thread, span, &Sampled::Stretch(held(span, 0)));
    } else if count > 1 {
        let is_future = thread.left.is_some_and(|(left, at)| {
            left == id.into_u64() && stopwatch::nanos(stopwatch::ticks().saturating_sub(at)) < RIGHT_AFTER
        });
        if let Some(position) = shared.positions.get(span.position()) {
            position.set_awaits(is_future);
        }
        if state & RELEASED == 0 {
            end_held(shared, thread, span, count, is_future);
        }
    }
    shared.open.remove(place);
    thread.created = None;
}

/// Has everything that is held back counted, when the experiment ends before the spans are closed.
pub(crate) fn release_held(shared: &Shared, thread: &mut PerLayer) {
    for span in shared.open.all() {
        if span.is(Traits::TIMED | Traits::RAW) {
            release(shared, thread, span, false);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Stretch {
    began: u64,
    ticks: u64,
}

/// What a sample is of.
enum Sampled {
    Stretch(Stretch),
    /// A call that awaited, from its first enter to its last exit, and the ticks in it.
    Call(Stretch, u64),
}

/// Takes a stretch that was just left.
#[inline]
fn stretch(shared: &Shared, thread: &mut PerLayer, span: &OpenSpan, stretch: Stretch, now: u64) {
    let before = span.stretches.fetch_add(2, Ordering::AcqRel);
    if before & RELEASED != 0 {
        sampled(shared, thread, span, &Sampled::Stretch(stretch));
        return;
    }
    let number = before / 2;
    if let Some((began, ticks)) = span.held.get(number as usize) {
        began.store(stretch.began, Ordering::Relaxed);
        ticks.store(stretch.ticks, Ordering::Relaxed);
    }
    span.left.store(now, Ordering::Relaxed);
    if number > 0 {
        span.busy.fetch_add(stretch.ticks, Ordering::Relaxed);
        if number as usize >= HELD {
            let awaits = shared.positions.get(span.position()).is_some_and(|position| position.awaits());
            if !awaits || number > MANY {
                release(shared, thread, span, awaits);
            }
        }
    }
}

/// Stops holding back, and counts what was held.
#[cold]
fn release(shared: &Shared, thread: &mut PerLayer, span: &OpenSpan, is_future: bool) {
    let before = span.stretches.fetch_or(RELEASED, Ordering::AcqRel);
    if before & RELEASED == 0 {
        end_held(shared, thread, span, before / 2, is_future);
    }
}

/// Counts what was held of a span with `count` stretches: as one call, or each as its own.
#[cold]
fn end_held(shared: &Shared, thread: &mut PerLayer, span: &OpenSpan, count: u32, is_future: bool) {
    let first = held(span, 0);
    if is_future {
        let ticks = span.left.load(Ordering::Relaxed).saturating_sub(first.began);
        let busy = first.ticks.saturating_add(span.busy.load(Ordering::Relaxed));
        sampled(shared, thread, span, &Sampled::Call(Stretch { began: first.began, ticks }, busy.min(ticks)));
        return;
    }
    let mut told = 0_u64;
    for number in 0..(count as usize).min(HELD) {
        let stretch = held(span, number);
        told = told.saturating_add(stretch.ticks);
        sampled(shared, thread, span, &Sampled::Stretch(stretch));
    }
    if count as usize > HELD {
        // The one that made it too many, or all those of what was taken for a future: together.
        let all = first.ticks.saturating_add(span.busy.load(Ordering::Relaxed));
        let ticks = all.saturating_sub(told);
        let began = span.left.load(Ordering::Relaxed).saturating_sub(ticks);
        sampled(shared, thread, span, &Sampled::Stretch(Stretch { began, ticks }));
    }
}

fn held(span: &OpenSpan, number: usize) -> Stretch {
    let (began, ticks) = span
        .held
        .get(number)
        .map_or((0, 0), |(began, ticks)| (began.load(Ordering::Relaxed), ticks.load(Ordering::Relaxed)));
    Stretch { began, ticks }
}

/// Hands a sample on to the ring of the thread, and to the raw timings where they are asked for.
#[inline]
fn sampled(shared: &Shared, thread: &mut PerLayer, span: &OpenSpan, what: &Sampled) {
    let (kind, stretch, extra) = match what {
        Sampled::Stretch(stretch) => (Kind::Stretch, stretch, 0),
        Sampled::Call(stretch, busy) => (Kind::Awaited, stretch, *busy),
    };
    let position = span.position();
    if span.is(Traits::TIMED) {
        let timings = thread.timings(shared);
        let sample = Sample { kind, position, began: stretch.began, ticks: stretch.ticks, extra };
        timings.push(sample);
        if span.is(Traits::STEP) {
            timings.push(Sample { kind: Kind::Step, extra: span.context().step.to_bits(), ..sample });
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
