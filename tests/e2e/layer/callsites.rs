//! Callsites without number, and what a layer decides once for each.

use std::sync::OnceLock;

use tracing::{Level, Metadata, field::FieldSet, subscriber::Interest};
use tracing_core::{Callsite, Event, Kind, callsite::Identifier, identify_callsite};

use super::Traced;

/// A callsite that is made while the program runs, as a library of 5,000 files has them.
struct Made(OnceLock<Metadata<'static>>);

impl Callsite for Made {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().expect("it was made whole")
    }
}

pub(super) fn event_with(field: String, is_registered: bool) -> &'static Metadata<'static> {
    let names: &'static [&'static str] = Vec::leak(vec![String::leak(field), "step"]);
    let made: &'static Made = Box::leak(Box::new(Made(OnceLock::new())));
    let identifier: Identifier = identify_callsite!(made);
    let fields = FieldSet::new(names, identifier);
    made.0
        .set(Metadata::new("made", "made", Level::INFO, Some("made.rs"), Some(1), None, fields, Kind::EVENT))
        .expect("it is made once");
    if is_registered {
        tracing_core::callsite::register(made);
    }
    made.0.get().expect("it was just made")
}

/// Whether the subscriber of this thread wants an event, as a callsite asks that is not registered yet.
pub(super) fn is_enabled(metadata: &'static Metadata<'static>) -> bool {
    tracing_core::dispatcher::get_default(|dispatch| dispatch.enabled(metadata))
}

#[test]
fn thousands_of_callsites_each_log_to_their_own_series() {
    const CALLSITES: usize = 5_000;
    let traced = Traced::new();
    let callsites: Vec<_> = (0..CALLSITES).map(|number| event_with(format!("metric.m{number}"), true)).collect();
    for step in 0..3_u64 {
        for (number, metadata) in callsites.iter().enumerate() {
            let mut fields = metadata.fields().iter();
            let (metric, at) = (fields.next().unwrap(), fields.next().unwrap());
            let value = number as f64 + step as f64 / 10.0;
            let values: [_; 2] = [(&metric, Some(&value as &dyn tracing::Value)), (&at, Some(&step))];
            Event::dispatch(metadata, &metadata.fields().value_set(&values));
        }
    }
    for number in [0, 1, 777, CALLSITES - 1] {
        let expected: Vec<_> = (0..3).map(|step| (f64::from(step), number as f64 + f64::from(step) / 10.0)).collect();
        assert_eq!(traced.points(&format!("m{number}")), expected);
    }
    assert_eq!(traced.under("").iter().filter(|path| path.starts_with('m') && !path.contains('/')).count(), CALLSITES);
    assert!(traced.stop().is_empty());
}
