//! [`NeptuneLayer`]: where `tracing` calls in.

use std::{fmt, sync::Arc};

use tracing_core::{
    Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::Filtered,
    layer::{Context, Filter},
    registry::LookupSpan,
};

use crate::{
    line,
    plan::Becomes,
    shared::Shared,
    spans::{self, Around},
    thread::{self, Planned},
    values::Values,
};

/// The layer, within its filter: what `registry().with(...)` takes.
pub type NeptuneLayer<S> = Filtered<Recorder, Interests, S>;

/// Logs what `tracing` has to say to an experiment. Made by [`layer`](crate::layer) and [`builder`](crate::builder).
pub struct Recorder {
    shared: Arc<Shared>,
}

/// Decides, once for each callsite, whether anything becomes of it. Made with [`Recorder`].
pub struct Interests {
    shared: Arc<Shared>,
}

pub(crate) fn layer<S>(shared: Arc<Shared>) -> NeptuneLayer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    Recorder { shared: Arc::clone(&shared) }.with_filter(Interests { shared })
}

impl<S> Filter<S> for Interests {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        // Asked at each call only where another layer cannot decide once, or while a callsite is still being registered by
        // another thread. Then there is no plan yet; what it will say is the same.
        let known = thread::with(&self.shared, |thread| thread.is_wanted(&self.shared, metadata));
        known.is_some_and(|known| known.unwrap_or_else(|| Becomes::of(metadata, &self.shared.settings).is_wanted()))
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.shared.plan(metadata).is_wanted() { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // A metric may be logged at any level.
        Some(LevelFilter::TRACE)
    }
}

impl<S> Layer<S> for Recorder
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let shared = &*self.shared;
        thread::with(&self.shared, |thread| {
            thread.left = None;
            let around = Around::of(shared, thread, event.is_root(), event.parent());
            let (Planned { plan, binding, .. }, Some(target)) = thread.plan(shared, event.metadata(), around.target)
            else {
                return;
            };
            if plan.has_values {
                let mut values = Values::new(plan, Some(target), &shared.splits);
                event.record(&mut values);
                let context = values.context.or(around.context);
                values.log(context, binding);
            }
            if plan.is_line {
                let position = shared.positions.get(around.position);
                target.line(&line::line(event, position.as_deref().map(|position| &*position.path)));
            }
        });
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        thread::with(&self.shared, |thread| spans::opened(&self.shared, thread, attributes, id));
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(metadata) = context.metadata(id) {
            thread::with(&self.shared, |thread| spans::recorded(&self.shared, thread, id, metadata, record));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        thread::with(&self.shared, |thread| spans::entered(&self.shared, thread, id, || context.metadata(id)));
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        thread::with(&self.shared, |thread| spans::exited(&self.shared, thread, id));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        if thread::with(&self.shared, |thread| spans::closed(&self.shared, thread, &id)).is_none() {
            spans::dropped(&self.shared, &id);
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("layer", &self.shared.number).finish_non_exhaustive()
    }
}

impl fmt::Debug for Interests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interests").field("layer", &self.shared.number).finish_non_exhaustive()
    }
}
